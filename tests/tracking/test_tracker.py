from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.schema import Face, Image
from facemood.sources import load_image
from facemood.tracking.tracker import Tracker, TrackOptions, distances, places_of

GREY = np.full((240, 640, 3), 128, np.uint8)
"""An image in which all faces look the same."""


def face_at(x: float, y: float = 120.0, width: float = 40.0) -> Face:
    """A face with its centre at a position."""
    right, down = 0.5 * width, 0.6 * width
    return Face(np.array([x - right, y - down, x + right, y + down], np.float32), score=0.9)


def painted(*faces: tuple[Face, int]) -> Image:
    """An image with patches as faces, each with its own colour and pattern."""
    image = GREY.copy()
    for face, kind in faces:
        random = np.random.default_rng(kind)
        tint = random.integers(40, 216, 3)
        patch = np.clip(tint + random.normal(0, 30, (6, 6, 1)), 0, 255).astype(np.uint8)
        x1, y1, x2, y2 = face.box.round().astype(int).tolist()
        image[y1:y2, x1:x2] = cv2.resize(patch, (x2 - x1, y2 - y1))
    return image


def numbers(faces: list[Face]) -> list[int | None]:
    """The track IDs of faces."""
    return [face.track_id for face in faces]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 0.2), min_size=5, max_size=12), st.floats(-60, 60), st.floats(-0.2, 0.2))
def test_a_moving_face_keeps_its_track_id_at_any_frame_rate(steps: list[float], speed: float, growth: float) -> None:
    tracker = Tracker()
    for time in [0.0, *np.cumsum(steps).tolist()]:
        (face,) = tracker.update(GREY, [face_at(320 + speed * time, width=40 * np.exp(growth * time))], time)
        assert face.track_id == 1


@settings(max_examples=25, deadline=None)
@given(st.floats(80, 200), st.floats(10, 60), st.floats(0, 0.5))
def test_people_who_cross_while_hidden_keep_their_track_ids(speed: float, rate: float, hidden: float) -> None:
    """Only their motion distinguishes them."""
    tracker, meet = Tracker(), 1.0
    for time in np.arange(0, 2, 1 / rate).tolist():
        if abs(time - meet) < hidden / 2:
            faces = [face_at(320 + speed * (time - meet))]
        else:
            faces = [face_at(320 + speed * (time - meet)), face_at(320 - speed * (time - meet), y=124)]
        tracked = tracker.update(GREY, faces, time)
        assert tracked[0].track_id == 1
        assert numbers(tracked[1:]) in ([], [2])


def test_a_person_who_turns_back_while_hidden_keeps_the_track_id() -> None:
    tracker = Tracker()
    for time in np.arange(0, 1, 1 / 30).tolist():
        both = tracker.update(GREY, [face_at(200), face_at(60 + 80 * time)], time)
    assert numbers(both) == [1, 2]
    for time in np.arange(1, 1.8, 1 / 30).tolist():
        tracker.update(GREY, [face_at(200)], time)
    assert numbers(tracker.update(GREY, [face_at(200), face_at(135)], 1.85)) == [1, 2]


def test_track_ids_count_from_one_and_are_never_reused() -> None:
    tracker, given_so_far = Tracker(TrackOptions(patience=0.5)), list[int | None]()
    for visit in range(4):
        for step in range(3):
            (face,) = tracker.update(GREY, [face_at(100)], visit * 2 + step / 30)
        given_so_far.append(face.track_id)
        assert tracker.update(GREY, [], visit * 2 + 1) == []
    assert given_so_far == [1, 2, 3, 4]


@pytest.mark.parametrize(("away", "number"), [(0.2, 1), (1.4, 1), (1.7, 2)])
def test_tracks_are_kept_for_the_patience(away: float, number: int) -> None:
    tracker = Tracker()
    for step in range(5):
        tracker.update(GREY, [face_at(100)], step / 30)
    tracker.update(GREY, [], 5 / 30)
    assert tracker.waiting == 1
    assert numbers(tracker.update(GREY, [face_at(100)], 4 / 30 + away)) == [number]
    assert tracker.waiting == 0


@pytest.mark.parametrize("step", [0.2, 0.5, 2.0, 60.0])
def test_a_low_frame_rate_is_not_an_absence(step: float) -> None:
    tracker = Tracker()
    for frame in range(5):
        assert numbers(tracker.update(GREY, [face_at(100), face_at(400)], frame * step)) == [1, 2]


def test_the_track_of_a_false_alarm_is_dropped_soon() -> None:
    tracker = Tracker()
    assert numbers(tracker.update(GREY, [face_at(60), face_at(260)], 0)) == [1, 2]
    for step in range(1, 15):
        assert numbers(tracker.update(GREY, [face_at(60)], step / 30)) == [1]
        assert tracker.waiting == 0
    assert numbers(tracker.update(GREY, [face_at(60), face_at(260)], 0.5)) == [1, 3]


def test_the_older_of_two_tracks_on_one_face_is_kept() -> None:
    tracker = Tracker()
    for step in range(5):
        tracker.update(GREY, [face_at(100)], step / 30)
    assert numbers(tracker.update(GREY, [face_at(100), face_at(106)], 5 / 30)) == [1, 2]
    assert numbers(tracker.update(GREY, [face_at(104)], 6 / 30)) == [1]


def test_appearance_finds_people_again_elsewhere() -> None:
    tracker, here, there = Tracker(), face_at(60), face_at(250)
    for step in range(5):
        tracker.update(painted((here, 1)), [here], step / 30)
    assert numbers(tracker.update(painted((there, 2)), [there], 0.5)) == [2]
    assert numbers(tracker.update(painted((there, 1)), [there], 0.6)) == [1]


def test_another_appearance_at_the_same_position_is_another_person() -> None:
    tracker, face = Tracker(), face_at(100)
    for step in range(5):
        tracker.update(painted((face, 1)), [face], step / 30)
    assert numbers(tracker.update(painted((face, 2)), [face], 0.5)) == [2]


def test_after_a_cut_only_the_appearance_counts() -> None:
    tracker, left, right = Tracker(), face_at(60), face_at(250)
    for step in range(5):
        before = tracker.update(painted((left, 1), (right, 2)), [left, right], step / 30)
    assert numbers(before) == [1, 2]
    assert numbers(tracker.update(painted((left, 2), (right, 1)), [left, right], 5 / 30, cut=True)) == [2, 1]
    assert numbers(tracker.update(painted((left, 3)), [left], 6 / 30, cut=True)) == [3]


def test_the_appearance_of_an_occluded_face_is_not_learned() -> None:
    """One face is half covered with the other's pixels, then comes out on the side that it came from."""
    tracker, front = Tracker(), face_at(200)
    for step in range(30):
        behind = face_at(100 + 2.4 * step)
        faces = tracker.update(painted((behind, 1), (front, 2)), [front, behind], step / 30)
    assert numbers(faces) == [1, 2]
    for step in range(30, 45):
        assert numbers(tracker.update(painted((front, 2)), [front], step / 30)) == [1]
    back = face_at(250)
    assert numbers(tracker.update(painted((front, 2), (back, 1)), [front, back], 1.5)) == [1, 2]


def test_the_clock_stands_still_if_timestamps_go_back() -> None:
    tracker = Tracker()
    for time in (100.0, 100.1, 0.0, 0.1, 0.1, 0.2):
        assert numbers(tracker.update(GREY, [face_at(100)], time)) == [1]


def test_the_order_and_all_other_fields_stay(astronaut: Path) -> None:
    image, tracker = load_image(astronaut), Tracker()
    faces = [face_at(300), face_at(100), face_at(200)]
    tracked = tracker.update(image, faces, 0)
    assert numbers(tracked) == [1, 2, 3]
    assert all(one.box is other.box and one.score == other.score for one, other in zip(tracked, faces, strict=True))
    assert numbers(tracker.update(image, faces[::-1], 0.03)) == [3, 2, 1]


def test_a_face_outside_of_the_frame_is_matched_by_its_position() -> None:
    tracker = Tracker()
    assert [numbers(tracker.update(GREY, [face_at(900)], step / 30)) for step in range(3)] == [[1], [1], [1]]


def test_distance_is_in_units_of_the_face() -> None:
    places = places_of(np.stack([face_at(100).box, face_at(120).box, face_at(100, width=80).box]))
    away = distances(places, places)
    size = np.sqrt(40 * 48)
    np.testing.assert_allclose(away[0], [0, 20 / size, np.log(2)], rtol=1e-4)
    np.testing.assert_allclose(away[2, 1], 20 / (2 * size) + np.log(2), rtol=1e-4)


@pytest.mark.parametrize("wrong", [{"patience": -1}, {"reach": 0}, {"patience": float("nan")}])
def test_invalid_options_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected patience >= 0 and reach > 0, but got"):
        TrackOptions(**wrong)


@pytest.mark.parametrize(("over_cuts", "numbers"), [(True, [1, 1]), (False, [1, 2])])
def test_tracks_may_end_at_a_cut(over_cuts: bool, numbers: list[int]) -> None:
    tracker, face = Tracker(TrackOptions(over_cuts=over_cuts)), face_at(200)
    image = painted((face, 3))
    tracked = [tracker.update(image, [face], time, cut=time > 0)[0].track_id for time in (0.0, 0.1)]
    assert tracked == numbers
    assert [one.track_id for one in tracker.update(image, [face], 0.2)] == numbers[1:]
