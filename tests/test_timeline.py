import dataclasses
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood import Face, Result
from facemood.labels import EXPRESSIONS
from facemood.timeline import (
    SummaryCollector,
    Track,
    TrackCollector,
    collect_tracks,
    count_faces,
    downsample,
    find_episodes,
)
from tests.conftest import make_face

WORDS = ("happy", "sad", "neutral")


def face_of(label: str, *, confidence: float = 0.8, number: int | None = 1, shown: str = "") -> Face:
    """A face with a label and a track ID."""
    read = np.full(3, (1 - confidence) / 2, np.float32)
    read[WORDS.index(label)] = confidence
    return Face(
        np.array([1, 2, 3, 4], np.float32), 0.9, labels=WORDS, probabilities=read, track_id=number, display_label=shown
    )


def frame_of(time: float | None, *faces: Face, source: str = "a.mp4") -> Result:
    """The result of a frame."""
    return Result(source, timestamp=time, faces=faces, labels=WORDS)


def video_of(labels: list[str | None], times: list[float]) -> list[Result]:
    """A video of one person, with a label for each frame; None for a frame without the person."""
    pairs = zip(labels, times, strict=True)
    return [frame_of(time, *([] if label is None else [face_of(label)])) for label, time in pairs]


def track_of(labels: list[str | None], times: list[float]) -> Track:
    """The track of the person in such a video."""
    (track,) = collect_tracks(video_of(labels, times))
    return track


def videos() -> st.SearchStrategy[Track]:
    """Random tracks: any frame times, gaps, and changes of expression."""
    frames = st.lists(st.tuples(st.sampled_from([*WORDS, None]), st.floats(0, 3)), min_size=1, max_size=15)
    seen = frames.filter(lambda parts: any(label for label, _ in parts))
    return seen.map(
        lambda parts: track_of([label for label, _ in parts], np.cumsum([step for _, step in parts]).tolist())
    )


def test_episodes_end_when_the_label_changes_or_the_person_is_out_of_sight() -> None:
    labels = ["happy", "happy", "sad", None, "sad", "sad", "neutral"]
    found = find_episodes(track_of(labels, [0, 1, 2, 3, 4, 4.5, 5.5]))
    assert [(one.label, one.start, one.end) for one in found] == [
        ("happy", 0, 2), ("sad", 2, 3), ("sad", 4, 5.5), ("neutral", 5.5, 6.5),
    ]  # fmt: skip
    assert {(one.source, one.track_id) for one in found} == {("a.mp4", 1)}


def test_an_episode_has_its_peak_and_its_time_weighted_mean() -> None:
    frames = [frame_of(0, face_of("happy", confidence=0.6)), frame_of(3, face_of("happy", confidence=0.9)), frame_of(4)]
    (found,) = find_episodes(collect_tracks(frames)[0])
    assert (found.peak_time, found.seconds) == (3, 4)
    assert found.peak == pytest.approx(0.9)
    assert found.mean == pytest.approx((3 * 0.6 + 1 * 0.9) / 4)


def test_what_is_most_probable_counts_whatever_is_displayed() -> None:
    shown = ["sad", "sad", ""]
    frames = [frame_of(time, face_of("happy", shown=word)) for time, word in enumerate(shown)]
    (track,) = collect_tracks(frames)
    assert [(one.label, one.start, one.end) for one in find_episodes(track)] == [("happy", 0, 3)]
    assert [track.labels[column] for column in track.display_labels] == ["sad", "sad", "happy"]


@settings(max_examples=50)
@given(videos())
def test_episodes_cover_the_visible_time_once(track: Track) -> None:
    found = find_episodes(track, min_seconds=0)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    assert sum(one.seconds for one in found) == pytest.approx(track.seconds)
    for time, end, shown in zip(track.timestamps, track.ends, track.display_labels, strict=True):
        over = [one.label for one in found if one.start <= time and end <= one.end]
        assert track.labels[shown] in over
        assert len(over) == 1 or end == time  # a frame that lasts no time may stand between two


@settings(max_examples=50)
@given(videos())
def test_shares_sum_to_one_and_are_those_of_the_episodes(track: Track) -> None:
    shares = track.shares
    assert tuple(shares) == WORDS
    assert sum(shares.values()) == pytest.approx(1)
    if track.seconds > 1e-6:
        for label, share in shares.items():
            seconds = sum(one.seconds for one in find_episodes(track, min_seconds=0) if one.label == label)
            assert seconds == pytest.approx(share * track.seconds, abs=1e-9)


@settings(max_examples=50)
@given(videos(), st.floats(0, 4), st.floats(0, 4))
def test_limits_only_leave_out_and_join(track: Track, min_seconds: float, max_gap: float) -> None:
    everything = find_episodes(track, min_seconds=0)
    kept = find_episodes(track, min_seconds=min_seconds)
    assert kept == [one for one in everything if one.seconds >= min_seconds - 1e-9]
    joined = find_episodes(track, min_seconds=0, max_gap=max_gap)
    assert len(joined) <= len(everything)
    for one in everything:
        assert sum(other.start <= one.start and one.end <= other.end for other in joined if other.label == one.label)


def test_a_short_absence_does_not_end_an_episode_if_asked_for() -> None:
    track = track_of(["happy", None, "happy", "happy", None, None, "happy"], [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    found = find_episodes(track, min_seconds=0, max_gap=0.1)
    assert [one.start for one in found] == pytest.approx([0, 0.6])
    assert [one.end for one in found] == pytest.approx([0.4, 0.7])


def test_an_episode_as_long_as_the_limit_is_kept_however_its_times_are_rounded() -> None:
    track = track_of(["happy", "sad"], [0.1, 0.3])
    assert 0.3 - 0.1 < 0.2
    assert [one.label for one in find_episodes(track, min_seconds=0.2)] == ["happy", "sad"]


def test_the_last_frame_lasts_as_long_as_the_median() -> None:
    track = track_of(["happy"] * 4, [0, 1, 2, 10])
    assert track.ends.tolist() == [1, 2, 10, 11]


def test_a_single_frame_has_a_default_length() -> None:
    track = track_of(["sad"], [7.5])
    assert track.durations.tolist() == pytest.approx([0.04])
    assert track.shares["sad"] == 1


def test_frames_without_any_time_count_alike() -> None:
    assert track_of(["sad", "happy"], [1, 1]).shares == {"happy": 0.5, "sad": 0.5, "neutral": 0}


@pytest.mark.parametrize("limits", [{"min_seconds": -1}, {"max_gap": -0.1}, {"max_gap": float("nan")}])
def test_invalid_limits_are_errors(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be 0 s or more"):
        find_episodes(track_of(["sad"], [0]), **limits)


def test_tracks_are_ordered_by_video_and_track_id() -> None:
    collector = TrackCollector()
    for time in (0.0, 1.0):
        collector.add(frame_of(time, face_of("happy", number=9), face_of("sad", number=2)))
        collector.add(frame_of(time, face_of("happy", number=1), source="b.mp4"))
    assert [(track.source, track.track_id) for track in collector.tracks()] == [
        ("a.mp4", 2),
        ("a.mp4", 9),
        ("b.mp4", 1),
    ]
    assert [timeline.face_counts.tolist() for timeline in collector.timelines()] == [[2, 2], [1, 1]]


def test_the_arrays_of_a_track_have_the_values_of_the_faces() -> None:
    faces = [
        dataclasses.replace(face_of("sad", confidence=0.5 + 0.1 * n), box=np.array([n, 0, n + 5, 5], np.float32))
        for n in range(3)
    ]
    (track,) = collect_tracks([frame_of(n / 10, face) for n, face in enumerate(faces)])
    np.testing.assert_array_equal(track.probabilities, [face.probabilities for face in faces])
    np.testing.assert_array_equal(track.boxes, [face.box for face in faces])
    assert track.timestamps.tolist() == [0, 0.1, 0.2]
    arrays = (track.probabilities, track.boxes, track.display_labels)
    assert [array.dtype for array in arrays] == ["float32", "float32", "int64"]


def test_photos_are_skipped() -> None:
    collector = TrackCollector()
    assert collector.add(frame_of(None, face_of("happy"))) is None
    assert collector.timelines() == []


def test_faces_without_a_track_id_or_a_prediction_only_count_as_faces() -> None:
    unread = Face(np.zeros(4, np.float32), 0.9, track_id=3)
    collector = TrackCollector()
    collector.add(frame_of(0, face_of("happy", number=None), unread, face_of("sad")))
    (timeline,) = collector.timelines()
    assert [track.track_id for track in timeline.tracks] == [1]
    assert timeline.face_counts.tolist() == [3]


def test_a_second_face_with_the_same_track_id_is_ignored() -> None:
    (track,) = collect_tracks([frame_of(0, face_of("happy"), face_of("sad")), frame_of(1, face_of("sad"))])
    assert [track.labels[index] for index in track.display_labels] == ["happy", "sad"]


def test_a_source_whose_time_goes_back_is_another_video() -> None:
    collector = TrackCollector()
    places = [collector.add(frame_of(time, face_of("happy"))) for time in (0, 1, 2, 0, 1)]
    assert places == [0, 0, 0, 1, 1]
    assert [len(track) for track in collector.tracks()] == [3, 2]


def test_ten_minutes_of_video_take_little_memory() -> None:
    faces = [dataclasses.replace(make_face(), track_id=number) for number in (1, 2)]
    collector = TrackCollector()
    collector.add(Result("a.mp4", timestamp=0, faces=tuple(faces), labels=EXPRESSIONS))
    tracemalloc.start()
    for index in range(1, 18_000):
        collector.add(Result("a.mp4", timestamp=index / 30, faces=tuple(faces), labels=EXPRESSIONS))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 4.5e6


def test_faces_are_counted_frame_by_frame() -> None:
    frames = [frame_of(0), frame_of(0.5, face_of("sad"), face_of("sad", number=None)), frame_of(None, face_of("sad"))]
    assert count_faces(frames).tolist() == [[0, 0], [0.5, 2]]
    assert count_faces([]).shape == (0, 2)


@settings(max_examples=50)
@given(st.integers(2, 80), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_downsampling_keeps_the_time_span_and_the_means(frames: int, points: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    labels = random.choice(WORDS, frames).tolist()
    track = track_of(labels, np.cumsum(random.uniform(0.01, 1, frames)).tolist())
    downsampled = downsample(track, points=points)
    assert len(downsampled) <= max(points, 1)
    assert (downsampled.timestamps[0], downsampled.ends[-1]) == (track.timestamps[0], track.ends[-1])
    np.testing.assert_array_equal(downsampled.timestamps[1:], downsampled.ends[:-1])
    means = [np.average(one.probabilities, axis=0, weights=one.durations) for one in (track, downsampled)]
    np.testing.assert_allclose(means[0], means[1], atol=1e-5)


def test_downsampling_keeps_gaps_and_the_longest_display_label() -> None:
    shown = [*["happy"] * 30, "sad", *[None] * 30, *["sad"] * 40]
    downsampled = downsample(track_of(shown, [n / 10 for n in range(101)]), points=10)
    labels = [downsampled.labels[index] for index in downsampled.display_labels]
    assert labels == ["happy"] * 3 + ["sad"] * 4
    apart = downsampled.timestamps[1:] - downsampled.ends[:-1]
    assert np.flatnonzero(apart > 1e-6).tolist() == [2]
    assert apart[2] == pytest.approx(3.0)


def test_a_short_track_is_not_downsampled() -> None:
    track = track_of(["happy", "sad"], [0, 1])
    assert downsample(track, points=2) is track
    with pytest.raises(ValueError, match="points must be 1 or more"):
        downsample(track, points=0)


@settings(max_examples=30)
@given(videos(), st.integers(1, 20))
def test_a_downsampled_track_is_a_valid_track(track: Track, points: int) -> None:
    downsampled = downsample(track, points=points)
    assert len(downsampled) <= max(points, 1)
    assert (downsampled.ends >= downsampled.timestamps).all()
    np.testing.assert_allclose(downsampled.probabilities.sum(axis=1), 1, atol=1e-5)
    assert set(downsampled.display_labels) <= set(track.display_labels)


def test_shares_are_of_the_most_probable_label_whatever_is_displayed() -> None:
    frames = [frame_of(time, face_of("happy", shown="sad")) for time in range(4)]
    (track,) = collect_tracks(frames)
    assert track.shares["happy"] == 1


@settings(max_examples=50)
@given(videos())
def test_each_share_lies_in_its_interval(track: Track) -> None:
    for label, (low, high) in track.share_intervals.items():
        assert 0 <= low <= track.shares[label] + 1e-9
        assert track.shares[label] - 1e-9 <= high <= 1


def test_intervals_narrow_with_time_and_changes_and_hardly_with_the_frame_rate() -> None:
    def width(seconds: int, change: int, rate: int) -> float:
        labels: list[str | None] = [("happy", "sad")[step // (change * rate) % 2] for step in range(seconds * rate)]
        low, high = track_of(labels, [step / rate for step in range(len(labels))]).share_intervals["happy"]
        return high - low

    assert width(8, 4, 10) > 0.8  # one change: nothing is known
    assert width(600, 4, 10) < 0.25
    assert width(600, 2, 10) < width(600, 4, 10)
    assert width(600, 4, 5) == pytest.approx(width(600, 4, 10), abs=0.01)


def test_95_per_cent_of_the_intervals_hold_the_share_of_the_process() -> None:
    random, held = np.random.default_rng(1), 0
    for _ in range(200):
        labels: list[str | None] = []
        while len(labels) < 600:
            labels += ["happy"] * int(1 + random.exponential(20)) + ["sad"] * int(1 + random.exponential(40))
        first = int(random.integers(300))
        low, high = track_of(labels[first : first + 300], list(range(300))).share_intervals["happy"]
        held += low <= 20.5 / 61 <= high
    assert held >= 180


@pytest.mark.parametrize(("video_end", "end"), [(None, 2.0), (1.7, 1.7), (9.0, 2.0), (1.2, 2.0), (1.5, 2.0)])
def test_the_last_frame_ends_with_the_video_if_that_is_known_and_likely(video_end: float | None, end: float) -> None:
    frames = [dataclasses.replace(frame_of(time, face_of("happy")), video_end=video_end) for time in (0.5, 1.0, 1.5)]
    (track,) = collect_tracks(frames)
    assert track.ends.tolist() == [1.0, 1.5, end]
    collector = SummaryCollector()
    for frame in frames:
        collector.add(frame)
    (summary,) = collector.summaries()
    assert summary.seconds == pytest.approx(end - 0.5)
