"""Which face is which participant, frame by frame."""

from __future__ import annotations

import dataclasses

import numpy as np

from facemood import Face
from facemood.participants import Segment
from facemood.tracking import Cast
from tests.conftest import make_face

PAIR = (Segment("a.mp4", "p01", "left"), Segment("a.mp4", "p02", "right"))


def face(x: float, number: int | None, side: float = 50) -> Face:
    return dataclasses.replace(make_face((x, 10, x + side, 10 + side)), track_id=number)


def participants(cast: Cast, *faces: Face, now: float | None = 0.0) -> list[str | None]:
    known = cast.update(faces, width=640, now=now)[0]
    assert [one.box is other.box for one, other in zip(known, faces, strict=True)] == [True] * len(faces)
    return [None if one.segment is None else one.segment.participant for one in known]


def test_left_and_right_are_the_outermost_of_several_faces() -> None:
    assert participants(Cast(PAIR), face(400, 7), face(200, 3)) == ["p02", "p01"]
    assert participants(Cast(PAIR), face(100, 7), face(300, 3), face(200, 5)) == ["p01", "p02", None]


def test_a_single_face_is_on_the_side_of_its_half_or_where_its_track_was() -> None:
    cast = Cast(PAIR)
    assert participants(cast, face(100, 1)) == ["p01"]
    assert participants(cast, face(400, 2)) == ["p02"]
    assert participants(cast, face(350, 3), face(450, 4)) == ["p01", "p02"]
    assert participants(cast, face(350, 3)) == ["p01"]  # in the right half, but on the left before
    assert participants(cast, face(350, 9)) == ["p02"]


def test_a_new_track_after_a_cut_is_the_same_participant() -> None:
    cast = Cast(PAIR)
    assert participants(cast, face(100, 1), face(400, 2)) == ["p01", "p02"]
    assert participants(cast, face(380, 4), face(90, 5)) == ["p02", "p01"]


def test_the_largest_stays_until_another_is_clearly_larger() -> None:
    cast = Cast([Segment("a.mp4", "p01")])
    assert participants(cast, face(0, 1, 50), face(200, 2, 45)) == ["p01", None]
    assert participants(cast, face(200, 2, 60), face(0, 1, 50)) == [None, "p01"]
    assert participants(cast, face(200, 2, 62), face(0, 1, 50)) == ["p01", None]
    assert participants(cast, face(0, 1, 55), face(200, 2, 50)) == [None, "p01"]


def test_a_number_is_a_track() -> None:
    cast = Cast([Segment("a.mp4", "p01", "2"), Segment("a.mp4", "p02", "11")])
    assert participants(cast, face(0, 1), face(100, 11), face(200, 2)) == [None, "p02", "p01"]


def test_segments_follow_each_other() -> None:
    cast = Cast([Segment("a.mp4", "p01", end=2.0), Segment("a.mp4", "p02", start=3.0)])
    assert [participants(cast, face(0, 1), now=now) for now in (0.0, 2.0, 3.0)] == [["p01"], [None], ["p02"]]


def test_a_photo_has_faces_without_tracks_and_no_time() -> None:
    assert participants(Cast(PAIR), face(100, None), face(400, None), now=None) == ["p01", "p02"]


def test_a_person_is_the_same_one_outside_of_the_segments() -> None:
    first = Segment("a.mp4", "p01", "left", start=2.0, end=4.0)
    second = Segment("a.mp4", "p02", "left", start=4.0, end=6.0)
    cast = Cast([first, second])
    faces = [face(100, 1)]
    assert cast.update(faces, width=640, now=0.0)[1] == [(0, "p01"), (0, "p02")]
    assert cast.update(faces, width=640, now=3.0)[1] == [(0, "p01")]
    assert cast.update([], width=640, now=3.0) == ([], [])


def test_without_a_plan_faces_stay_as_they_are() -> None:
    faces = [face(100, 1)]
    assert Cast(()).update(faces, width=640, now=0.0) == (faces, [])
    assert np.shares_memory(Cast(PAIR).update(faces, width=640, now=0.0)[0][0].box, faces[0].box)
