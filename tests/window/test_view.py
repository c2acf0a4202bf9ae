import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from facemood import Result
from facemood.render.palette import COLOURS
from facemood.schema import ActivationMap, Image
from facemood.window.view import BAR, RED, SMALLEST, Status, compose, draw_status, fit, mirror
from tests.conftest import make_face
from tests.videos import number_of
from tests.window.windows import SIZE, numbered_result

SIDES = some.integers(8, 400)


def result_of(width: int, height: int) -> Result:
    """A result of a size, with a turned face that has points and an activation map."""
    box = (0.25 * width, 0.5 * height, 0.75 * width, height)
    points = np.array([[0.3 * width, 0.6 * height], [0.7 * width, 0.9 * height]], np.float32)
    activation_map = ActivationMap(np.array(box, np.float32), np.array([[1, 0, -1]], np.float32))
    pose = np.array([20, 10, -5], np.float32)
    face = dataclasses.replace(make_face(box), landmarks=points, pose=pose, activation_map=activation_map)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Result("camera:0", size=(width, height), faces=(face,), image=image)


@given(size=some.tuples(SIDES, SIDES), room=some.tuples(SIDES, SIDES))
def test_image_and_faces_are_scaled_to_fit(size: tuple[int, int], room: tuple[int, int]) -> None:
    fitted = fit(result_of(*size), room)
    assert fitted.image is not None
    width, height = fitted.size
    assert fitted.image.shape == (height, width, 3)
    assert (width == room[0] and height <= room[1]) or (height == room[1] and width <= room[0])
    scale = min(room[0] / size[0], room[1] / size[1])
    assert abs(width - size[0] * scale) <= 0.5 + 1e-6 or width == 1
    face = fitted.faces[0]
    assert face.landmarks is not None
    share = np.array([width, height, width, height])
    np.testing.assert_allclose(face.box / share, [0.25, 0.5, 0.75, 1], rtol=1e-5)
    assert face.activation_map is not None
    np.testing.assert_allclose(face.activation_map.box, face.box)
    np.testing.assert_allclose(face.landmarks / share[:2], [[0.3, 0.6], [0.7, 0.9]], rtol=1e-5)


def test_an_image_that_fits_is_not_scaled() -> None:
    result = result_of(40, 30)
    fitted = fit(result, (40, 90))
    assert fitted.image is result.image


@given(size=some.tuples(SIDES, SIDES))
def test_mirroring_twice_gives_the_original(size: tuple[int, int]) -> None:
    result = result_of(*size)
    once = mirror(result)
    twice = mirror(once)
    assert result.image is not None
    assert once.image is not None
    assert twice.image is not None
    np.testing.assert_array_equal(once.image, result.image[:, ::-1])
    np.testing.assert_array_equal(twice.image, result.image)
    for name in ("box", "landmarks", "pose"):
        np.testing.assert_allclose(getattr(twice.faces[0], name), getattr(result.faces[0], name), atol=1e-3)


def test_a_mirrored_box_covers_the_mirrored_pixels() -> None:
    result = numbered_result(0)
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[50:60, 30:80] = 255
    face = dataclasses.replace(make_face((30, 50, 80, 60)), landmarks=np.array([[30, 50], [79, 59]], np.float32))
    turned = mirror(dataclasses.replace(result, image=image, faces=(face,)))
    assert turned.image is not None
    assert turned.faces[0].landmarks is not None
    rows, columns = np.nonzero(turned.image[:, :, 0])
    assert turned.faces[0].box.tolist() == [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert turned.faces[0].landmarks[:, 0].tolist() == [columns.max(), columns.min()]


def test_mirroring_negates_yaw_and_roll_but_not_pitch() -> None:
    assert mirror(result_of(40, 30)).faces[0].angles == {"yaw": -20.0, "pitch": 10.0, "roll": 5.0}


def test_an_activation_map_is_mirrored_with_its_face() -> None:
    activation_map = mirror(result_of(100, 30)).faces[0].activation_map
    assert activation_map is not None
    assert activation_map.values.tolist() == [[-1, 0, 1]]
    assert activation_map.box.tolist() == [25, 15, 75, 30]


def test_a_result_without_an_image_is_an_error() -> None:
    bare = dataclasses.replace(numbered_result(0), image=None)
    for change in (mirror, lambda result: fit(result, SIZE)):
        with pytest.raises(ValueError, match="keep_images=True"):
            change(bare)


def coloured(picture: Image, colour: tuple[int, int, int]) -> int:
    """The number of pixels of a BGR image that have an RGB colour."""
    return int((picture == colour[::-1]).all(axis=2).sum())


@settings(max_examples=25, deadline=None)
@given(size=some.tuples(some.integers(1, 900), some.integers(1, 900)))
def test_a_view_fills_the_window_with_image_and_status_line(size: tuple[int, int]) -> None:
    view = compose(numbered_result(0b10101010), Status("camera:0", rate=24), size)
    assert view.shape == (max(size[1], SMALLEST[1]), max(size[0], SMALLEST[0]), 3)
    assert coloured(view[:-BAR], COLOURS["happy"]) > 50
    np.testing.assert_array_equal(view[-BAR:], draw_status(Status("camera:0", rate=24), view.shape[1]))


def test_the_image_is_scaled_before_it_is_drawn_on() -> None:
    """Text would be blurred if it were drawn before scaling; it is drawn afterwards."""
    view = compose(numbered_result(0), Status("camera:0"), (3 * SIZE[0], 3 * SIZE[1] + BAR))
    large = fit(numbered_result(0), (3 * SIZE[0], 3 * SIZE[1])).draw()
    np.testing.assert_array_equal(view[:-BAR], large)


def test_an_image_of_another_shape_is_centred() -> None:
    view = compose(numbered_result(0b11110000, faces=0), Status("camera:0"), (SIZE[0] + 200, SIZE[1] + BAR))
    assert coloured(view[:-BAR, :100], (22, 24, 28)) == 100 * SIZE[1]
    assert number_of(view[:-BAR, 100:-100]) == 0b11110000


def test_a_pause_is_written_over_the_image() -> None:
    size = (SIZE[0], SIZE[1] + BAR)
    going, paused = (compose(numbered_result(255), Status("camera:0", paused=flag), size) for flag in (False, True))
    changed = (going != paused).any(axis=2)
    assert changed[:-BAR].sum() > 1000
    assert not changed[:100].any()
    assert changed[-BAR:].any()


def test_before_the_first_frame_the_view_names_the_source() -> None:
    views = [compose(None, Status(name), (640, 400)) for name in ("camera:0", "camera:1")]
    assert (views[0] != views[1])[:-BAR].any()


def test_a_recording_shows_red_and_its_length() -> None:
    lines = [draw_status(Status("camera:0", recording=seconds), 640) for seconds in (None, 0, 1)]
    assert [coloured(line, RED) > 50 for line in lines] == [False, True, True]
    assert (lines[1] != lines[2]).any()


@pytest.mark.parametrize("width", [320, 400, 500, 640, 1280])
def test_the_status_line_lists_as_many_keys_as_fit(width: int) -> None:
    inked = (draw_status(Status("camera:0", rate=30), width).max(axis=2) > 100).any(axis=0)
    columns = np.flatnonzero(inked)
    assert columns[-1] > width - 20  # the one that closes stands at the right in any case
    assert columns[0] >= 12


def test_a_notice_replaces_the_keys() -> None:
    with_keys, with_notice = (draw_status(Status("camera:0", notice=notice), 900) for notice in ("", "saved a.png"))
    assert with_keys[:, 700:].max() > 200
    assert with_notice[:, 700:].max() < 50
