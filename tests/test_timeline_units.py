"""Events of action units and blinks, on tracks with known values."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood import Result
from facemood.facs import ABSENT, ACTIVE, KEYS
from facemood.labels import EXPRESSIONS
from facemood.timeline import Track, collect_tracks, downsample, find_blinks, find_unit_events
from tests.conftest import make_face

Floats = NDArray[np.float32]


def track_of(*, step: float = 0.1, eyes: Floats | None = None, frames: int = 0, **units: list[float]) -> Track:
    """A track from 0 s on, with some action units and eyes."""
    count = frames or max([len(values) for values in units.values()] + [0 if eyes is None else len(eyes)])
    times = np.arange(count, dtype=np.float64) * step
    rows = np.full((count, len(KEYS)), np.nan, np.float32)
    for key, values in units.items():
        rows[:, KEYS.index(key)] = values
    happy = np.ones((count, 1), np.float32)
    shown, boxes = np.zeros(count, np.int64), np.zeros((count, 4), np.float32)
    return Track("a.mp4", 3, ("happy",), times, times + step, happy, shown, boxes, rows, eyes)


def test_an_event_rises_peaks_and_falls() -> None:
    course = [0.1, 0.3, 0.6, 0.9, 0.7, 0.3, 0.1]
    right, left = [0.1, 0.3, 0.5, 0.7, 0.5, 0.3, 0.1], [0.1, 0.3, 0.7, 0.95, 0.8, 0.3, 0.1]
    (event,) = find_unit_events(track_of(AU12=course, AU12R=right, AU12L=left))
    assert (event.unit, event.track_id, event.source) == ("AU12", 3, "a.mp4")
    assert (event.onset, event.apex, event.offset) == pytest.approx((0.1, 0.3, 0.6))
    assert event.seconds == pytest.approx(0.5)
    assert event.peak == pytest.approx(0.9)
    assert event.asymmetry == pytest.approx(0.25)


def test_a_unit_without_sides_has_no_asymmetry_and_weak_or_brief_ones_are_no_events() -> None:
    track = track_of(AU25=[0.9] * 5, AU26=[0.4] * 5, AU27=[0.1, 0.9, 0.1, 0.1, 0.1])
    (event,) = find_unit_events(track)
    assert (event.unit, event.asymmetry) == ("AU25", None)
    assert [one.unit for one in find_unit_events(track, min_seconds=0)] == ["AU25", "AU27"]
    assert [one.unit for one in find_unit_events(track, least=0.3)] == ["AU25", "AU26"]


def test_an_event_ends_at_missing_values_and_when_the_person_is_out_of_sight() -> None:
    nan = float("nan")
    events = find_unit_events(track_of(AU25=[0.9, 0.9, nan, 0.9, 0.9, 0.9]))
    assert [(event.onset, event.offset) for event in events] == [pytest.approx((0, 0.2)), pytest.approx((0.3, 0.6))]
    whole = track_of(AU25=[0.9] * 6)
    times = np.array([0, 0.1, 0.2, 1.0, 1.1, 1.2])
    gone = dataclasses.replace(whole, timestamps=times, ends=times + 0.1)
    assert [event.offset for event in find_unit_events(gone)] == pytest.approx([0.3, 1.3])


@pytest.mark.parametrize("wrong", [{"least": 0.1}, {"least": 1.5}, {"min_seconds": -1.0}, {"least": float("nan")}])
def test_invalid_limits_are_errors(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected least"):
        find_unit_events(track_of(AU25=[0.9]), **wrong)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=1, max_size=40))
def test_events_cover_all_frames_of_high_intensity(course: list[float]) -> None:
    track = track_of(AU25=course)
    assert track.units is not None
    values = track.units[:, KEYS.index("AU25")]
    events = find_unit_events(track, min_seconds=0)
    inside = np.zeros(len(course), bool)
    for event in events:
        assert event.onset <= event.apex < event.offset
        part = (track.timestamps >= event.onset - 1e-9) & (track.timestamps < event.offset - 1e-9)
        assert not (inside & part).any()
        inside |= part
        assert (values[part] >= ABSENT).all()
        assert event.peak == pytest.approx(float(values[part].max()))
        assert event.peak >= ACTIVE
    assert inside[np.nan_to_num(values) >= ACTIVE].all()


def blinking(places: list[int], *, frames: int = 300, width: int = 4, wink: bool = False) -> Floats:
    """Eyes at 30 frames per second that open slowly wider, and are shut for some frames at given positions."""
    level = np.linspace(0.5, 0.8, frames) + np.random.default_rng(2).normal(0, 0.01, frames)
    eyes = np.stack([level, level], axis=1)
    for place in places:
        eyes[place : place + width, : 1 if wink else 2] *= 0.5
    return eyes.astype(np.float32)


def test_blinks_are_relative_to_the_openness_of_the_persons_eyes() -> None:
    places = [20, 100, 180, 260]
    found = find_blinks(track_of(step=1 / 30, eyes=blinking(places)))
    assert found is not None
    assert [blink.start for blink in found.blinks] == pytest.approx([place / 30 for place in places])
    assert [blink.end - blink.start for blink in found.blinks] == pytest.approx([4 / 30] * 4)
    assert found.seconds == pytest.approx(10)
    assert found.rate == pytest.approx(24)


def test_winks_and_closed_eyes_are_no_blinks() -> None:
    winks = find_blinks(track_of(step=1 / 30, eyes=blinking([50, 150], wink=True)))
    assert winks is not None
    assert winks.blinks == ()
    asleep = find_blinks(track_of(step=1 / 30, eyes=blinking([100], width=30)))
    assert asleep is not None
    assert asleep.blinks == ()
    assert asleep.seconds == pytest.approx(9)


def test_invisible_eyes_do_not_blink() -> None:
    eyes = blinking([20, 200])
    eyes[90:150] = np.nan
    found = find_blinks(track_of(step=1 / 30, eyes=eyes))
    assert found is not None
    assert len(found.blinks) == 2
    assert found.seconds == pytest.approx(8)


def test_blinks_are_not_counted_where_frames_are_far_apart_or_eyes_unknown() -> None:
    assert find_blinks(track_of(step=0.1, eyes=blinking([20]))) is None
    assert find_blinks(track_of(step=1 / 30, eyes=np.full((30, 2), np.nan, np.float32))) is None
    assert find_blinks(track_of(step=1 / 30, frames=30)) is None
    assert find_unit_events(dataclasses.replace(track_of(frames=3), units=None)) == []


def test_units_and_eyes_are_collected_from_faces() -> None:
    faces = [
        dataclasses.replace(make_face(), track_id=1, action_units={"AU12": 0.5, "AU12R": 0.25}, openness=(0.7, 0.6)),
        dataclasses.replace(make_face(), track_id=1),
    ]
    results = [Result("a.mp4", index, index / 10, (9, 9), (face,), EXPRESSIONS) for index, face in enumerate(faces)]
    (track,) = collect_tracks(results)
    assert track.units is not None
    assert track.eyes is not None
    first = dict(zip(KEYS, track.units[0].tolist(), strict=True))
    assert (first["AU12"], first["AU12R"]) == pytest.approx((0.5, 0.25), abs=0.003)
    assert np.isnan(first["AU04"])
    assert np.isnan(track.units[1]).all()
    np.testing.assert_allclose(track.eyes, [[0.7, 0.6], [np.nan, np.nan]], rtol=1e-6)


def test_downsampled_units_are_means_of_the_known_values() -> None:
    nan = float("nan")
    downsampled = downsample(track_of(AU12=[0.2, 0.4, nan, 0.6, nan, nan]), points=3)
    assert downsampled.units is not None
    np.testing.assert_allclose(downsampled.units[:, KEYS.index("AU12")], [0.3, 0.6, np.nan], rtol=1e-5)
