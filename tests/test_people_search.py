"""People across cuts: made videos of two people in shots, read with their tracks joined."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from facemood import Analysis, EmotionRecognizer
from facemood.archive import Reading
from facemood.errors import OptionError
from facemood.participants import Participants, Segment
from facemood.tracking import VideoOptions
from tests.study_videos import Shot, write_video

SECONDS = 1.8
"""Length of a shot: longer than the tracker waits for those who are not in it."""

TURNS = ("astronaut", "hopper", "astronaut", "hopper", "astronaut")
"""Who is in which shot."""


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five shots of two people in turns, then one with both."""
    alone = [Shot(SECONDS, ((name, 200 + 20 * place),)) for place, name in enumerate(TURNS)]
    both = Shot(SECONDS, (("hopper", 120), ("astronaut", 360)))
    return write_video(tmp_path_factory.mktemp("people") / "turns.mp4", [*alone, both])


@pytest.fixture(scope="module")
def joined(recognizer: EmotionRecognizer, video: Path) -> Analysis:
    return recognizer.analyze(video, every=2, people="auto", baseline=(0, SECONDS))


def numbers_by_shot(analysis: Analysis) -> list[set[int | None]]:
    found: dict[int, set[int | None]] = defaultdict(set)
    for result in analysis:
        found[int((result.timestamp or 0) / SECONDS + 1e-6)] |= {face.track_id for face in result}
    return [found[shot] for shot in sorted(found)]


def test_people_keep_their_numbers_over_cuts(joined: Analysis) -> None:
    assert numbers_by_shot(joined) == [{1}, {2}, {1}, {2}, {1}, {1, 2}]
    for result in joined:
        if len(result) == 2:
            left, right = sorted(result, key=lambda face: face.box[0])
            assert (left.track_id, right.track_id) == (2, 1)
    assert [track.track_id for track in joined.tracks()] == [1, 2]
    assert joined.tracks()[0].seconds == pytest.approx(4 * SECONDS, abs=0.2)


def test_without_people_every_shot_has_new_numbers(recognizer: EmotionRecognizer, video: Path) -> None:
    assert len(recognizer.analyze(video, every=4).tracks()) >= 5


def test_a_known_number_joins_more(
    recognizer: EmotionRecognizer, video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="facemood"):
        two = recognizer.analyze(video, every=4, people=2)
        assert not caplog.records
        one = recognizer.analyze(video, every=4, people=1)
    assert numbers_by_shot(two) == [{1}, {2}, {1}, {2}, {1}, {1, 2}]
    assert len(one.tracks()) == 2
    assert "2 people found, but people is 1: the others are seen at the same time" in caplog.text


def test_more_people_than_tracks_are_told(
    recognizer: EmotionRecognizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    alone = write_video(tmp_path / "alone.mp4", [Shot(0.5, (("hopper", 240),))])
    recognizer.analyze(alone, people=3)
    assert "1 person found, but people is 3: there are not more tracks" in caplog.text


def test_baselines_hold_for_the_joined_person(recognizer: EmotionRecognizer, video: Path, joined: Analysis) -> None:
    for result in joined:
        for face in result:
            assert (face.change is not None) == (face.track_id == 1)  # also after the cuts
    apart = recognizer.analyze(video, every=2, baseline=(0, SECONDS))
    later = [result for result in apart if (result.timestamp or 0) > 2.5 * SECONDS]
    assert all(face.change is None for result in later for face in result)
    pairs = [(one, other) for one, other in zip(joined, apart, strict=True) if len(one) == len(other) == 1]
    for one, other in pairs:
        np.testing.assert_array_equal(one[0].raw_probabilities, other[0].raw_probabilities)
    moved = [
        abs(one[0].action_units[key] - other[0].action_units[key])
        for one, other in pairs
        if (one.timestamp or 0) > 2 * SECONDS
        for key in one[0].action_units
    ]
    assert max(moved) > 0.02  # units are relative to the person's baseline


def test_a_person_without_a_baseline_is_told(
    recognizer: EmotionRecognizer, video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer.analyze(video, every=4, people="auto", baseline=(0, 1))
    assert f"{video}: person 2 was not seen from 0 to 1 s, so there is no baseline" in caplog.text
    assert "person 1" not in caplog.text


def test_a_study_can_name_a_joined_person(recognizer: EmotionRecognizer, video: Path) -> None:
    plan = Participants((Segment(str(video), "p01", "1"), Segment(str(video), "p02", "2")))
    named = recognizer.analyze(video, every=4, people="auto", participants=plan)
    for result in named:
        for face in result:
            assert face.segment is not None
            assert face.segment.participant == f"p0{face.track_id}"


def test_frames_that_look_alike_are_tracked_the_same_way(recognizer: EmotionRecognizer, video: Path) -> None:
    assert numbers_by_shot(recognizer.analyze(video, every="auto", people=2)) == [
        {1}, {2}, {1}, {2}, {1}, {1, 2},
    ]  # fmt: skip


def test_the_progress_counts_both_passes(recognizer: EmotionRecognizer, video: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    frames = len(list(recognizer.stream(video, every=3, people="auto", progress=lambda *step: steps.append(step))))
    done, total = steps[-1]
    assert done == 2 * frames
    assert total is not None
    assert abs(total - done) <= 2


def test_people_do_not_go_with_segments(recognizer: EmotionRecognizer, video: Path) -> None:
    with pytest.raises(OptionError, match="people are joined over a whole video; read it without segments"):
        recognizer.analyze(video, people="auto", segment=600)


def test_people_of_another_video_are_not_recognized(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    for name, first in (("a.mp4", "astronaut"), ("b.mp4", "hopper")):
        other = "hopper" if first == "astronaut" else "astronaut"
        write_video(tmp_path / name, [Shot(0.6, ((first, 240),)), Shot(0.6, ((other, 240),))])
    tracks = recognizer.analyze(tmp_path, people="auto").tracks()
    assert [(Path(track.source).name, track.track_id) for track in tracks] == [
        ("a.mp4", 1), ("a.mp4", 2), ("b.mp4", 1), ("b.mp4", 2),
    ]  # fmt: skip


def test_the_same_person_has_the_same_number_in_all_videos(
    recognizer: EmotionRecognizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, turns in (("a.mp4", ("astronaut", "hopper")), ("b.mp4", ("hopper",)), ("c.mp4", ("hopper", "astronaut"))):
        write_video(tmp_path / name, [Shot(0.6, ((one, 240),)) for one in turns])
    found = recognizer.analyze(tmp_path, same_people=True, baseline=(0, 0.5))
    numbers = defaultdict[str, list[int]](list)
    for track in found.tracks():
        numbers[Path(track.source).name].append(track.track_id)
    assert numbers == {"a.mp4": [1, 2], "b.mp4": [2], "c.mp4": [1, 2]}
    assert found.info["same_people"] is True
    first = {Path(one.source).name: {face.track_id for face in one} for one in found if (one.timestamp or 0) < 0.5}
    assert first == {"a.mp4": {1}, "b.mp4": {2}, "c.mp4": {2}}
    for result in found:
        for face in result:  # a baseline is of one video
            assert (face.change is not None) == ({face.track_id} == first[Path(result.source).name])
    with caplog.at_level(logging.WARNING, logger="facemood"):
        recognizer.analyze(tmp_path, same_people=True, people=6, every=2)
    assert "3 videos: 5 people found, but people is 6: there are not more tracks" in caplog.text


def test_results_of_a_video_that_was_read_alone_differ_in_numbers_only(
    recognizer: EmotionRecognizer, tmp_path: Path
) -> None:
    files = [write_video(tmp_path / f"{name}.mp4", [Shot(0.5, ((name, 240),))]) for name in ("astronaut", "hopper")]
    together = list(recognizer.stream(files, same_people=True))
    alone = list(recognizer.stream(files[1], people="auto"))
    mine = [result for result in together if result.source == str(files[1])]
    assert {face.track_id for result in mine for face in result} == {2}
    assert {face.track_id for result in alone for face in result} == {1}
    for one, other in zip(mine, alone, strict=True):
        for face, same in zip(one, other, strict=True):
            np.testing.assert_array_equal(face.probabilities, same.probabilities)


def test_the_progress_counts_both_passes_over_all_videos(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    files = [write_video(tmp_path / f"{name}.mp4", [Shot(0.5)]) for name in "ab"]
    steps: list[tuple[int, int | None]] = []
    frames = len(list(recognizer.stream(files, same_people=True, progress=lambda *step: steps.append(step))))
    assert steps[0] == (0, 2 * frames)
    assert steps[-1] == (2 * frames, 2 * frames)


def test_what_has_no_list_or_no_end_is_not_numbered_across_videos(recognizer: EmotionRecognizer) -> None:
    with pytest.raises(
        OptionError, match="camera:0 is live, or comes over a network, so same_people cannot track it first"
    ):
        recognizer.stream("camera:0", same_people=True)
    with pytest.raises(OptionError, match="it needs a list of them, not a generator"):
        recognizer.stream((name for name in ["a.mp4"]), same_people=True)
    with pytest.raises(OptionError, match="people are numbered across the videos of one run in one process"):
        Reading(video=VideoOptions(same_people=True))
