import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from facemood import Face, OutputError
from facemood.render import LAYERS, check_layers, draw_faces
from facemood.render.overlay import AXIS_COLOURS, LINE, POINT, draw_layers
from facemood.schema import FaceParts, Image
from tests.conftest import make_face
from tests.stages.points import made_points

GREY = np.full((300, 400, 3), 128, np.uint8)
BOX = (150, 90, 250, 210)


def marked(pose: tuple[float, float, float] | None = None) -> Face:
    """A face of 100 pixels with 68 points, and an optional pose."""
    turned = None if pose is None else np.array(pose, np.float32)
    return dataclasses.replace(make_face(BOX), landmarks=made_points(200, 150, 100)[:68], pose=turned)


def places_of(image: Image, colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """The pixels with nearly a given colour: (N, 2) x and y."""
    near = (np.abs(image.astype(int) - colour) < 40).all(axis=2)
    return np.argwhere(near)[:, ::-1]


def changed(image: Image, before: Image = GREY) -> NDArray[np.bool_]:
    """The mask of pixels in which two images differ, (H, W) bool."""
    return np.asarray((image != before).any(axis=2))


def test_without_layers_nothing_is_drawn() -> None:
    assert not changed(draw_layers(GREY, [marked((10, 20, 30))], ())).any()
    inside = draw_faces(GREY, [marked((10, 20, 30))])[110:190, 160:240]
    assert (inside == 128).all()


def test_the_input_image_is_not_changed() -> None:
    before = GREY.copy()
    assert changed(draw_layers(before, [marked((0, 0, 0))], LAYERS)).any()
    np.testing.assert_array_equal(before, GREY)


def test_every_landmark_is_a_dot_of_its_colour() -> None:
    face = marked()
    drawn = draw_layers(GREY, [face], ["points"])
    assert face.landmarks is not None
    places = places_of(drawn, POINT)
    distances = np.linalg.norm(face.landmarks[:, None] - places[None], axis=2)  # (68, N)
    assert distances.min(axis=1).max() < 1.5
    assert distances.min(axis=0).max() < 2.5
    assert not changed(drawn)[:80].any()


def test_the_mesh_connects_the_landmarks_of_each_part() -> None:
    face = marked()
    drawn = draw_layers(GREY, [face], ["mesh"])
    assert face.landmarks is not None
    joined = [(0, 1), (15, 16), (17, 18), (25, 26), (27, 28), (34, 35), (41, 36), (47, 42), (59, 48), (67, 60)]
    apart = [(16, 17), (21, 22), (26, 27), (35, 36), (41, 42)]
    for pairs, wanted in ((joined, True), (apart, False)):
        for one, other in pairs:
            x, y = np.rint((face.landmarks[one] + face.landmarks[other]) / 2).astype(int)
            assert changed(drawn)[y, x] == wanted, (one, other)
    assert len(places_of(drawn, LINE)) > 150


@pytest.mark.parametrize("ground", [0, 60, 128, 200, 255])
def test_lines_are_visible_on_any_background(ground: int) -> None:
    image = np.full_like(GREY, ground)
    drawn = draw_layers(image, [marked()], ["mesh"]).astype(int).sum(axis=2) / 3
    assert np.abs(drawn - ground)[140:160, 150:160].max() > 60  # the line itself, or the shade beside it


@pytest.mark.parametrize(
    ("pose", "ways"),
    [
        ((0, 0, 0), {"x": (1, 0), "y": (0, 1)}),
        ((0, 0, 90), {"x": (0, 1), "y": (-1, 0)}),
        ((60, 0, 0), {"z": (1, 0), "y": (0, 1)}),
        ((-60, 0, 0), {"z": (-1, 0), "y": (0, 1)}),
        ((0, 60, 0), {"z": (0, -1), "x": (1, 0)}),
    ],
)
def test_axes_follow_the_pose(pose: tuple[float, float, float], ways: dict[str, tuple[int, int]]) -> None:
    face = marked(pose)
    drawn = draw_layers(GREY, [face], ["pose"])
    assert face.landmarks is not None
    for axis, way in ways.items():
        places = places_of(drawn, AXIS_COLOURS["xyz".index(axis)]) - face.landmarks[30]
        furthest = places[np.linalg.norm(places, axis=1).argmax()]
        length = np.linalg.norm(furthest)
        assert 45 < length < 65
        assert furthest @ np.array(way) / length > 0.98


def test_a_pose_without_68_landmarks_starts_in_the_middle_of_the_box() -> None:
    face = dataclasses.replace(marked((0, 0, 0)), landmarks=None)
    places = places_of(draw_layers(GREY, [face], ["pose"]), AXIS_COLOURS[0])
    assert np.abs(places.min(axis=0) - (200, 150)).max() <= 3


def test_missing_data_are_not_drawn() -> None:
    bare = make_face(BOX)
    assert not changed(draw_layers(GREY, [bare], LAYERS)).any()
    five = dataclasses.replace(bare, landmarks=np.array([[180, 120]] * 5, np.float32))
    assert not changed(draw_layers(GREY, [five], ["mesh", "pose"])).any()
    assert changed(draw_layers(GREY, [five], ["points"]))[120, 180]


def test_lines_grow_with_the_face() -> None:
    shares = []
    for scale in (1, 4):
        points = made_points(100 * scale, 100 * scale, 100 * scale)[:68]
        box = np.array([50, 40, 150, 160], np.float32) * scale
        face = dataclasses.replace(make_face(), box=box, landmarks=points)
        ground = np.full((200 * scale, 200 * scale, 3), 128, np.uint8)
        shares.append(changed(draw_layers(ground, [face], ["mesh", "points"]), ground).mean())
    assert shares[1] == pytest.approx(shares[0], rel=0.35)


def test_the_mesh_does_not_hide_a_small_face() -> None:
    points, box = made_points(50, 50, 30)[:68], np.array([35, 32, 65, 68], np.float32)
    face = dataclasses.replace(make_face(), box=box, landmarks=points)
    ground = np.full((100, 100, 3), 128, np.uint8)
    drawn = draw_layers(ground, [face], ["mesh", "points"])[32:68, 35:65]
    assert 0.05 < (np.abs(drawn.astype(int) - 128).max(axis=2) > 40).mean() < 0.35


def test_layers_are_checked_and_put_in_their_order() -> None:
    assert check_layers(["pose", "mesh"]) == check_layers(("mesh", "pose", "mesh")) == ("mesh", "pose")
    assert check_layers("pose, points") == ("points", "pose")
    assert check_layers(()) == ()
    for wrong in (["poses"], "mesh,poses"):
        with pytest.raises(OutputError, match=r"'poses' .* expected map, .*, vector\. Did you mean 'pose'\?"):
            draw_faces(GREY, [], layers=wrong)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float32, (68, 2), elements=st.floats(width=32)),
    arrays(np.float32, 3, elements=st.floats(-180, 180, width=32)),
)
def test_points_at_any_place_can_be_drawn(points: NDArray[np.float32], pose: NDArray[np.float32]) -> None:
    face = dataclasses.replace(make_face(BOX), landmarks=points, pose=pose)
    assert draw_layers(GREY, [face], LAYERS).shape == GREY.shape


@pytest.mark.parametrize("shape", [(1, 1, 3), (20, 20, 3), (30, 900, 3)])
def test_images_of_any_shape_can_be_drawn_on(shape: tuple[int, int, int]) -> None:
    assert draw_faces(np.zeros(shape, np.uint8), [marked((10, 10, 10))], layers=LAYERS).shape == shape


def test_a_mask_darkens_the_background_and_a_vector_is_drawn_between_parts() -> None:
    square = np.array([[40, 40], [80, 40], [80, 80], [40, 80]], np.float32)
    lines = np.tile(np.array([[45, 60], [75, 60]], np.float32), (24, 1, 1))
    face = Face(np.array([35, 35, 85, 85], np.float32), 0.9, parts=FaceParts(square, lines, np.ones(24, np.float32)))
    masked, drawn = draw_layers(GREY, [face], "mask"), draw_layers(GREY, [face], ["vector"])
    assert (masked[60, 60] == GREY[60, 60]).all()
    assert (masked[30, 30] < GREY[30, 30]).all()
    assert changed(masked)[38:42, 50:70].any(axis=0).all()  # the edge
    assert changed(drawn)[60, 45:76].all()
    assert not changed(drawn)[:50].any()
    bare = Face(face.box, 0.9)
    assert not changed(draw_layers(GREY, [bare], ["mask", "vector"])).any()
