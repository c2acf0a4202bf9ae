import csv
import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood import OutputError, Result
from facemood.participants import Segment
from facemood.sinks.episode_table import EPISODE_COLUMNS, EpisodesSink
from tests.growing import growing
from tests.test_timeline import face_of, frame_of

GOLDEN = """\
tier,begin,end,duration,annotation,peak_time,peak,mean,source,person
expression person 1,0.000,0.667,0.667,happy,0.333,0.9,0.75,"a, b.mp4",1
expression person 1,1.000,1.667,0.667,sad,1.000,0.8,0.8,"a, b.mp4",1
expression person 2,0.333,1.667,1.334,neutral,0.333,0.8,0.8,"a, b.mp4",2
"""


def write_all(path: Path, results: list[Result], **limits: float) -> list[dict[str, str]]:
    """The lines of a file."""
    sink = EpisodesSink(path, {}, **limits)
    for result in results:
        sink.write(result)
    sink.close()
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def talk() -> list[Result]:
    """Five frames: one person is happy, leaves, and returns sad; another is neutral from the second frame on."""
    first = [face_of("happy", confidence=0.6), face_of("happy", confidence=0.9), None, face_of("sad"), face_of("sad")]
    frames = []
    for index, face in enumerate(first):
        other = [face_of("neutral", number=2)] if index else []
        frames.append(frame_of(index / 3, *([face] if face else []), *other, source="a, b.mp4"))
    return frames


def test_the_file_has_these_lines(tmp_path: Path) -> None:
    write_all(tmp_path / "a.episodes.csv", talk())
    assert (tmp_path / "a.episodes.csv").read_text() == GOLDEN


def test_the_limits_of_episodes_are_applied(tmp_path: Path) -> None:
    assert [row["person"] for row in write_all(tmp_path / "a.csv", talk(), min_seconds=1.0)] == ["2"]
    happy = [*talk()[:2], *talk()[2:3], *(dataclasses.replace(one, timestamp=1.0) for one in talk()[1:2])]
    assert write_all(tmp_path / "a.csv", happy, max_gap=0.4)[0]["end"] == "1.333"
    with pytest.raises(ValueError, match="must be 0 s or more"):
        EpisodesSink(tmp_path / "b.csv", {}, min_seconds=-1)
    assert not list(tmp_path.glob("*b.csv*"))


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.floats(0.01, 2), min_size=1, max_size=30), seed=st.integers(0, 2**32 - 1))
def test_the_times_of_a_tier_are_ordered_and_consistent(
    steps: list[float], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    labels = np.random.default_rng(seed).choice(["happy", "sad"], len(steps)).tolist()
    frames = [frame_of(time, face_of(label)) for time, label in zip(np.cumsum(steps).tolist(), labels, strict=True)]
    rows = write_all(tmp_path_factory.mktemp("tier") / "a.csv", frames, min_seconds=0)
    times = [(round(1000 * float(row["begin"])), round(1000 * float(row["end"]))) for row in rows]
    assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(times))
    assert [round(1000 * float(row["duration"])) for row in rows] == [end - begin for begin, end in times]
    assert all(row[name].partition(".")[2].isdigit() for row in rows for name in ("begin", "end", "duration"))


def test_several_videos_are_distinguished_by_source(tmp_path: Path) -> None:
    videos = [frame_of(time, face_of("happy"), source=name) for name in ("a.mp4", "b.mp4") for time in (0, 1)]
    assert [row["source"] for row in write_all(tmp_path / "a.csv", videos)] == ["a.mp4", "b.mp4"]


def test_without_people_the_file_has_only_the_header(tmp_path: Path) -> None:
    assert (
        write_all(tmp_path / "a.csv", [frame_of(None, face_of("happy")), frame_of(0, face_of("sad", number=None))])
        == []
    )
    assert (tmp_path / "a.csv").read_text().strip() == ",".join(column.name for column in EPISODE_COLUMNS)


def test_the_file_is_renamed_into_place_when_it_is_closed(tmp_path: Path) -> None:
    sink = EpisodesSink(tmp_path / "a.csv", {})
    assert not sink.wants_images
    sink.write(talk()[0])
    assert growing(tmp_path) == ["a.csv"]
    sink.close()
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_an_unwritable_path_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        EpisodesSink(tmp_path, {})


def study_talk() -> list[Result]:
    """The frames of `talk`, whose first person is a participant in two conditions, under a new number after the gap."""
    calm, funny = (
        Segment("", "p01", condition=condition, start=start, end=end, further={"age": 31.0}, line=line)
        for condition, start, end, line in (("calm", 0.0, 1.2, 2), ("funny", 1.2, 9.0, 3))
    )
    frames = []
    for frame in talk():
        segment = calm if (frame.timestamp or 0) < 1.2 else funny
        faces = tuple(
            dataclasses.replace(face, track_id=1 if frame.timestamp == 0 else 7, segment=segment) if face.track_id == 1
            else face
            for face in frame.faces
        )  # fmt: skip
        frames.append(dataclasses.replace(frame, faces=faces, design=(("age", "number"),), segments=(segment,)))
    return frames


def test_the_plan_is_carried_into_episodes_and_cuts_them(tmp_path: Path) -> None:
    sink = EpisodesSink(tmp_path / "a.csv", {"design": [["age", "number"]]})
    for result in study_talk():
        sink.write(result)
    sink.close()
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0].endswith(",source,person,participant,condition,session,segment,segment_time,age")
    rows = list(csv.DictReader(lines))
    assert [(row["tier"], row["begin"], row["end"], row["annotation"], row["condition"]) for row in rows] == [
        ("expression p01", "0.000", "0.667", "happy", "calm"),  # although the number changes
        ("expression p01", "1.333", "1.667", "sad", "funny"),
        ("expression person 2", "0.333", "1.667", "neutral", ""),
    ]
    assert [(row["person"], row["age"], row["segment_time"]) for row in rows] == [
        ("", "31.0", "0.0"), ("", "31.0", "0.133"), ("2", "", ""),
    ]  # fmt: skip
