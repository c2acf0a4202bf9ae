import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood import Face, Result
from facemood.participants import Segment
from facemood.render import draw_faces, draw_profile
from facemood.render.draw import GAP, MOST_PANELS, Area, numbers_of
from facemood.render.palette import colour_of
from tests.conftest import make_face

GREY = np.full((300, 400, 3), 128, np.uint8)


def changed(image: np.ndarray, before: np.ndarray = GREY) -> np.ndarray:
    """The mask of pixels in which two images differ, (H, W) bool."""
    return np.asarray((image != before).any(axis=2))


def test_the_input_image_is_not_changed() -> None:
    before = GREY.copy()
    drawn = draw_faces(before, [make_face((100, 100, 180, 180))])
    np.testing.assert_array_equal(before, GREY)
    assert drawn.shape == GREY.shape
    assert drawn.dtype == np.uint8


def test_the_box_has_the_colour_of_the_expression_and_the_face_is_not_covered() -> None:
    drawn = draw_faces(GREY, [make_face((100, 100, 180, 180))])
    assert drawn[140, 101].tolist() == list(colour_of("happy"))[::-1]
    assert not changed(drawn)[110:170, 110:170].any()


def test_the_label_is_above_and_the_panel_next_to_the_box() -> None:
    marks = changed(draw_faces(GREY, [make_face((100, 100, 180, 180))]))
    assert marks[80:100, 100:150].mean() > 0.5
    assert marks[105:150, 190:300].mean() > 0.9


def test_a_face_without_a_prediction_has_only_a_box() -> None:
    marks = changed(draw_faces(GREY, [Face(np.array([100, 100, 180, 180], np.float32), score=1)]))
    rows, columns = np.nonzero(marks)
    assert (rows.min(), columns.min()) == (100, 100)
    assert max(rows.max(), columns.max()) <= 180


def test_a_panel_is_tied_to_its_face_by_its_colour() -> None:
    drawn = draw_faces(GREY, [make_face((100, 100, 180, 180))])
    happy = (drawn == list(colour_of("happy"))[::-1]).all(axis=2)
    assert happy[100:150, 180 : 180 + GAP].all(axis=1).any()  # the bridge
    edge = drawn[101, 200:280].astype(int)
    assert (abs(edge - list(colour_of("happy"))[::-1]) < 30).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 340, width=32), st.floats(0, 240, width=32)), min_size=2, max_size=MOST_PANELS))
def test_a_panel_covers_no_head_but_its_own(corners: list[tuple[float, float]]) -> None:
    faces = [make_face((x, y, x + 60, y + 60)) for x, y in corners]
    alone = [dataclasses.replace(face, labels=(), probabilities=np.zeros(0, np.float32)) for face in faces]
    labels = changed(draw_faces(GREY, faces), draw_faces(GREY, alone))
    dark = labels & (draw_faces(GREY, faces).max(axis=2) < 90)  # the ground of panels; labels are bright here
    for number, face in enumerate(faces):
        x1, y1, x2, y2 = face.box.astype(int)
        inside = np.zeros_like(dark)
        inside[y1:y2, x1:x2] = True
        assert (dark & inside).sum() < 300, number  # letters of labels


@pytest.mark.parametrize(("count", "expected"), [(MOST_PANELS, True), (MOST_PANELS + 1, False)])
def test_many_faces_get_labels_alone(count: int, expected: bool) -> None:
    image = np.full((400, 900, 3), 128, np.uint8)
    faces = [make_face((20 + 170 * number, 100, 80 + 170 * number, 160)) for number in range(count)]
    marks = changed(draw_faces(image, faces), image)
    assert marks[165:300].any() == expected
    assert all(marks[70:100, 30 + 170 * number].any() for number in range(count))


@pytest.mark.parametrize(("side", "expected"), [(24, False), (26, True)])
def test_a_small_face_gets_a_label_alone(side: int, expected: bool) -> None:
    marks = changed(draw_faces(GREY, [make_face((100, 100, 100 + side, 100 + side))]))
    assert marks[105:120, 135:200].any() == expected
    assert marks[85:99, 105].all()


@pytest.mark.parametrize("shape", [(1, 1, 3), (20, 20, 3), (48, 48, 3), (30, 2000, 3)])
def test_images_of_any_shape_can_be_drawn_on(shape: tuple[int, int, int]) -> None:
    image = np.zeros(shape, np.uint8)
    assert draw_faces(image, [make_face((0, 0, shape[1], shape[0]))]).shape == shape


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-500, 900, width=32)] * 2, st.floats(1, 600, width=32)), max_size=5))
def test_faces_at_any_place_can_be_drawn(places: list[tuple[float, float, float]]) -> None:
    faces = [make_face((x, y, x + side, y + side)) for x, y, side in places]
    assert draw_faces(GREY, faces).shape == GREY.shape


def test_labels_in_any_script_can_be_drawn() -> None:
    for word in ("fröhlich", "радость", "开心", "😀"):
        face = Face(np.array([50, 100, 130, 180], np.float32), 1, labels=(word,), probabilities=np.ones(1, np.float32))
        assert changed(draw_faces(GREY, [face])).any()


def test_a_profile_shows_every_label() -> None:
    assert draw_profile(make_face(), size=20).shape[0] > 8 * 20


def test_areas_overlap_and_move_inside_an_image() -> None:
    area = Area(0, 0, 10, 20)
    assert area.overlap(Area(5, 10, 50, 50)) == 50
    assert area.overlap(Area(10, 0, 20, 20)) == 0
    assert Area(-5, 95, 15, 115).inside(100, 100) == Area(0, 80, 20, 100)


def test_several_people_have_their_track_ids() -> None:
    ground = np.full((200, 400, 3), 90, np.uint8)
    one = dataclasses.replace(make_face((20, 60, 120, 160)), track_id=7)
    other = dataclasses.replace(make_face((260, 60, 360, 160)), track_id=8)
    alone = draw_faces(ground, [one])
    both = draw_faces(ground, [one, other])
    unnumbered = [dataclasses.replace(face, track_id=None) for face in (one, other)]
    assert not np.array_equal(alone, draw_faces(ground, unnumbered[:1]))  # also when the other one is out of sight
    assert not np.array_equal(both, draw_faces(ground, unnumbered))
    assert numbers_of([one]) == ["7"]


def test_participants_have_the_names_of_the_report() -> None:
    segment = Segment("a.mp4", "p01")
    tracked = dataclasses.replace(make_face(), track_id=7, segment=segment)
    assert numbers_of([tracked]) == ["7 (p01)"]
    photo = [dataclasses.replace(tracked, track_id=None), make_face()]
    assert numbers_of(photo) == ["p01", "1"]


def test_faces_of_a_photo_have_the_numbers_of_the_table() -> None:
    ground = np.full((200, 400, 3), 90, np.uint8)
    faces = [make_face((20, 60, 120, 160)), make_face((260, 60, 360, 160))]
    numbers = [row["face"] for row in Result("a.jpg", faces=tuple(faces)).rows()]
    people = [dataclasses.replace(face, track_id=int(number)) for face, number in zip(faces, numbers, strict=True)]
    assert numbers == [0, 1]
    assert np.array_equal(draw_faces(ground, faces), draw_faces(ground, people))
    assert numbers_of([people[1], faces[0]]) == ["1", ""]  # somebody unknown among known people
    assert numbers_of([]) == []
