import numpy as np
import pytest

from facemood.squares import LARGEST_WARPED, cut_square


def test_a_shrunk_square_is_anti_aliased() -> None:
    checks = np.indices((512, 512)).sum(axis=0) % 2 * 255
    frame = np.array([[8, 0, 0], [0, 8, 0]], np.float32)
    square = cut_square(checks.astype(np.uint8), frame, 64)
    assert abs(square.astype(int) - 127).max() <= 1


def test_a_square_outside_of_the_image_repeats_its_edge() -> None:
    ramp = np.tile(np.arange(100, dtype=np.uint8), (50, 1))
    square = cut_square(ramp, np.array([[1, 0, 80], [0, 1, -20]], np.float32), 64)
    assert square[:, 30:].min() == 99
    far = cut_square(ramp, np.array([[9, 0, 5000], [0, 9, 5000]], np.float32), 64)
    assert far.shape == (64, 64)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_grey_and_colour_are_cut_alike(channels: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 50, *channels), np.uint8)
    square = cut_square(image, np.array([[1, 0, 7], [0, 1, 4]], np.float32), 20)
    np.testing.assert_array_equal(square, image[4:24, 7:27])


def test_an_image_too_long_for_a_warp_is_cut_first() -> None:
    image = np.zeros((8, LARGEST_WARPED + 800), np.uint8)
    image[:, -6:] = 200
    square = cut_square(image, np.array([[1, 0, LARGEST_WARPED + 792], [0, 1, 0]], np.float32), 8)
    assert square[4].tolist() == [0, 0, 200, 200, 200, 200, 200, 200]
