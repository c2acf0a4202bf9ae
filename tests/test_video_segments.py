"""Long videos in segments: the same results in one pass and segment by segment, and the same people over the seams."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facemood import EmotionRecognizer, OptionError
from facemood.results import Result
from facemood.sources.items import VideoSpan
from facemood.stream import Stream
from facemood.tracking import VideoOptions
from facemood.tracking.seams import EdgeFace, TrackNames, match_tracks
from facemood.video_segments import SegmentTimes
from tests.archive.clips import RATE, SECONDS, SEGMENT, make_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 11 seconds, with three people."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def plain(result: Result) -> dict[str, Any]:
    """A result without its times of computing."""
    return {key: value for key, value in result.to_dict().items() if key != "speed"}


@pytest.fixture(scope="module")
def cut(clip: Path, recognizer: EmotionRecognizer) -> list[Result]:
    """The results of one pass."""
    return list(recognizer.stream(clip, segment=SEGMENT))


def test_every_frame_is_read_once_and_people_keep_their_ids(clip: Path, cut: list[Result]) -> None:
    assert [result.index for result in cut] == list(range(SECONDS * RATE))
    ids = [{face.track_id for face in result.faces} for result in cut]
    assert ids[11] == ids[12] == ids[23] == ids[24] == {1, 2}
    assert ids[-1] == {1, 2, 3}
    walker = min(cut[0].faces, key=lambda face: face.box[0]).track_id
    first, last = (next(face.box for face in cut[index].faces if face.track_id == walker) for index in (0, -1))
    assert last[0] - first[0] == pytest.approx(100, abs=6)


def test_state_begins_anew_at_the_seams_and_not_before(clip: Path, cut: list[Result],
                                                       recognizer: EmotionRecognizer) -> None:  # fmt: skip
    whole = list(map(plain, recognizer.stream(clip)))
    differing = [index for index, result in enumerate(cut) if plain(result) != whole[index]]
    assert differing
    assert min(differing) >= SEGMENT * RATE


def test_spans_that_are_read_alone_have_the_results_of_one_pass(
    clip: Path, cut: list[Result], recognizer: EmotionRecognizer
) -> None:
    options = VideoOptions(segment=SEGMENT)
    stream, times = Stream(recognizer.pipeline, options, batch=3), SegmentTimes.of(options)
    got: list[dict[str, Any]] = []
    for first, last in ((0, 0), (1, None)):
        results = list(stream.run([VideoSpan(str(clip), first, last)]))
        kept = [one for one in results if not times.is_warm_up(one.timestamp or 0.0, first)]
        assert len(results) - len(kept) == (2 * RATE if first else 0)
        got += map(plain, kept)
    expected = list(map(plain, cut))
    for result in (*got, *expected):
        for face in result["faces"]:
            del face["track_id"]  # those of a span alone are its own
    assert got == expected


def test_sparse_frames_warm_up_for_longer() -> None:
    assert VideoOptions(every=0.5).warm_up == 2.0
    assert VideoOptions(every=5.0).warm_up == 10.0
    assert VideoOptions(every=5).warm_up == 2.0


@pytest.mark.parametrize("segment", [3.9, 0, -1, np.inf, np.nan])
def test_segments_that_are_too_short_are_refused(segment: float) -> None:
    with pytest.raises(OptionError, match="segments must last 4 seconds or more"):
        VideoOptions(segment=segment)


def test_what_holds_for_a_whole_video_is_refused(recognizer: EmotionRecognizer) -> None:
    with pytest.raises(OptionError, match="without segments, or without a baseline"):
        VideoOptions(segment=600, baseline=(0, 1))
    options = dataclasses.replace(VideoOptions(), segment=600)
    with pytest.raises(OptionError, match="a study is read without segments"):
        Stream(recognizer.pipeline, options, participants=object())  # type: ignore[arg-type]


def box_at(x: float) -> tuple[float, float, float, float]:
    return x, 0.0, x + 10, 10.0


def test_most_votes_decide_and_each_track_is_matched_once() -> None:
    before = [EdgeFace(frame, track, box_at(20 * track)) for frame in range(9) for track in (1, 2)]
    after = [EdgeFace(frame, 1, box_at(40 if frame < 6 else 20)) for frame in range(9)]
    after += [EdgeFace(frame, 2, box_at(40)) for frame in range(6, 9)]
    assert match_tracks(before, after) == {1: 2}
    assert match_tracks(before, [EdgeFace(20, 1, box_at(20))]) == {}
    assert match_tracks([], after) == match_tracks(before, []) == {}


def test_a_person_who_comes_after_a_seam_has_the_next_number() -> None:
    names = TrackNames()
    assert [names.name(track) for track in (1, 2, 3)] == [1, 2, 3]
    names.pass_seam([EdgeFace(5, 3, box_at(0))], [EdgeFace(5, 2, box_at(1))])
    assert [names.name(track) for track in (1, 2, 1)] == [4, 3, 4]
    names.pass_seam([], [])
    assert names.name(1) == 5
