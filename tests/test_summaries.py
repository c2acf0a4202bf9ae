"""Summaries: a row for each segment of a study, or each person, whose numbers are worked out by hand here."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from facemood import Analysis, Face, Result
from facemood.facs import KEYS
from facemood.participants import Participants, Segment
from facemood.table import RAW, summary_columns, values_of
from facemood.timeline import Summary, SummaryCollector
from tests.test_timeline import WORDS, face_of, frame_of, video_of

CALM = Segment("a.mp4", "p01", condition="calm", start=1.0, end=3.25, further={"age": 31.0}, line=2)
FUNNY = Segment("a.mp4", "p01", condition="funny", start=4.0, line=3)
PLAN = Participants((CALM, FUNNY), (("age", "number"),))


def summaries_of(results: list[Result]) -> list[Summary]:
    collector = SummaryCollector()
    for result in results:
        collector.add(result)
    return collector.summaries()


def in_plan(result: Result, plan: Participants = PLAN) -> Result:
    """A result as a run with a plan gives it: the first face is the participant."""
    segments = plan.at(result.source, result.timestamp)
    faces = tuple(dataclasses.replace(face, segment=segments[0] if segments else None) for face in result.faces)
    return dataclasses.replace(result, faces=faces, design=plan.further, segments=segments)


def row_of(summary: Summary, design: tuple[tuple[str, str], ...] | None = None) -> dict[str, object]:
    return dict(values_of(summary_columns(WORDS, (), design), summary))


def study() -> list[Result]:
    """Twelve frames of half a second: calm from 1 to 3.25 s with a frame without a face, funny from 4 s on."""
    labels = ["sad", "sad", "neutral", "neutral", "happy", None, "happy", "sad", "neutral", "happy", "happy", "happy"]
    return [in_plan(one) for one in video_of(labels, [index / 2 for index in range(12)])]


def test_a_segment_has_its_own_times_shares_and_episodes() -> None:
    calm, funny = (row_of(one, PLAN.further) for one in summaries_of(study()))
    assert {name: calm[name] for name in ("source", "participant", "condition", "segment", "age", "frames")} == {
        "source": "a.mp4", "participant": "p01", "condition": "calm", "segment": "1", "age": 31.0, "frames": 5,
    }  # fmt: skip
    assert (calm["start"], calm["seconds"], calm["seconds_seen"]) == (1.0, 2.25, 1.75)  # the last frame ends at 3.25
    assert calm["missing"] == round(0.5 / 2.25, 4)
    assert calm["share_neutral"] == round(1.0 / 1.75, 4)
    assert (calm["share_happy"], calm["share_sad"]) == (round(0.75 / 1.75, 4), 0.0)
    assert (calm["episodes_happy"], calm["onset_happy"]) == (1, 1.0)  # 0.25 s after the gap are no episode
    assert (calm["episodes_sad"], calm["onset_sad"], calm["episode_seconds_sad"]) == (0, None, None)
    assert calm["mean_happy"] == round((1.0 * 0.1 + 0.75 * 0.8) / 1.75, 4)
    assert (calm["peak_happy"], calm["peak_time_happy"]) == (0.8, 1.0)
    assert (funny["seconds"], funny["episodes_happy"], funny["episode_seconds_happy"]) == (2.0, 1, 1.5)
    assert funny["onset_happy"] == 0.5


def test_each_share_stands_between_the_ends_of_its_interval() -> None:
    for one in summaries_of(study()):
        row = row_of(one, PLAN.further)
        for label in WORDS:
            low, share, high = (row[f"{name}_{label}"] for name in ("share_low", "share", "share_high"))
            assert 0 <= low <= share <= high <= 1  # type: ignore[operator]


def test_a_participant_who_was_not_in_sight_has_a_row_with_empty_cells() -> None:
    (calm,) = summaries_of([in_plan(frame_of(time)) for time in (1.0, 1.5, 2.0)])
    row = row_of(calm, PLAN.further)
    assert (row["seconds"], row["seconds_seen"], row["missing"]) == (1.5, 0.0, 1.0)
    assert {row[name] for name in ("share_happy", "mean_happy", "episodes_happy", "peak_happy", "certain")} == {None}


def test_without_a_plan_there_is_a_row_for_each_person() -> None:
    frames = [frame_of(time / 2, face_of("happy"), *([face_of("sad", number=2)] * (time < 2))) for time in range(4)]
    first, second = map(row_of, summaries_of(frames))
    assert (first["track_id"], first["missing"], first["share_happy"]) == (1, 0.0, 1.0)
    assert (second["track_id"], second["missing"], second["share_sad"]) == (2, 0.5, 1.0)
    assert "participant" not in first


def test_photos_are_summarized_together_and_have_no_times() -> None:
    faces = [face_of(label, number=None) for label in ("happy", "happy", "sad")]
    photos = [frame_of(None, *faces[:2], source="a.jpg"), frame_of(None, faces[2], source="b.jpg"), frame_of(None)]
    (row,) = map(row_of, summaries_of(photos))
    assert (row["frames"], row["missing"], row["share_happy"]) == (4, 0.25, round(2 / 3, 4))
    assert {row[name] for name in ("source", "track_id", "seconds", "episodes_happy", "peak_time_happy")} == {None}
    plan = Participants((Segment("*.jpg", "p01"),))
    (row,) = (row_of(one, ()) for one in summaries_of([in_plan(photo, plan) for photo in photos[:2]]))
    assert (row["participant"], row["frames"], row["share_sad"]) == ("p01", 3, round(1 / 3, 4))


def test_units_certainty_and_changes_are_averaged_while_they_are_known() -> None:
    def face(strong: float, certain: bool | None, change: float | None) -> Face:
        units = {key: strong for key in KEYS if key.startswith("AU12")} if strong else {}
        units |= {"AU12L": strong, "AU12R": strong - 0.1} if strong else {}
        rows = None if change is None else np.full(3, change, np.float32)
        return dataclasses.replace(face_of("happy"), action_units=units, certain=certain, change=rows)

    frames = [(0.0, None, None), (0.8, True, 1.0), (0.8, True, 2.0), (0.2, False, 3.0)]
    (one,) = summaries_of([frame_of(index / 2, face(*values)) for index, values in enumerate(frames)])
    row = row_of(one)
    assert row["mean_AU12"] == pytest.approx(0.6, abs=2e-3)
    assert (row["events_AU12"], row["event_seconds_AU12"]) == (1, 1.0)
    assert row["asymmetry_AU12"] == pytest.approx(0.1, abs=5e-3)
    assert row["certain"] == round(2 / 3, 4)
    assert row["mean_AU04"] is row["events_AU04"] is None
    assert one.changes == {label: pytest.approx(2.0) for label in WORDS}


def test_a_video_that_is_read_twice_has_its_rows_twice() -> None:
    video = video_of(["happy", "happy"], [0, 1])
    assert len(summaries_of([*video, *video])) == 2


def test_a_data_frame_has_the_summaries() -> None:
    pytest.importorskip("pandas", reason="data frames need the extra data")
    results = [dataclasses.replace(result, variants=(RAW,)) for result in study()]
    frame = Analysis(tuple(results)).summary_dataframe()
    assert frame["condition"].tolist() == ["calm", "funny"]
    assert str(frame["episodes_happy"].dtype) == "Int64"
    assert frame["age"].tolist()[0] == 31.0
