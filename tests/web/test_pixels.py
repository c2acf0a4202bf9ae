"""The pixels of the engine for the browser are those of OpenCV, byte by byte."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.schema import Face
from facemood.squares import cut_square
from facemood.stages.align import LANDMARK_FRAMING, cut_faces, squares_of
from tests.web.in_node import in_javascript, packed, unpacked

PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
FRAMING = {LANDMARK_FRAMING: (-1.7, -2.1, 1.7, 1.3), "finder": (-0.08, -0.02, 1.07, 1.01)}
SHRUNK = [(48, 48), (64, 80), (160, 120), (97, 31), (256, 256), (1, 1), (511, 512)]
ENLARGED = [(513, 700), (1024, 1024), (700, 512)]


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """Return (512, 512, 3) uint8 BGR."""
    image = cv2.imread(str(PHOTOS / "astronaut.png"))
    assert image is not None
    return np.asarray(image)


def both_colours(photo: np.ndarray) -> list[np.ndarray]:
    return [photo, cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)]


def test_every_colour_gets_opencv_s_grey() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    expected = cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)
    (grey,) = in_javascript([{"call": "grey", "image": packed(colours)}])
    np.testing.assert_array_equal(unpacked(grey, expected), expected)


def test_the_alpha_of_a_canvas_is_dropped(photo: np.ndarray) -> None:
    rgba = cv2.cvtColor(photo, cv2.COLOR_BGR2RGBA)
    image = {**packed(photo), "data": base64.b64encode(rgba.tobytes()).decode()}
    (rgb,) = in_javascript([{"call": "rgb", "image": image}])
    np.testing.assert_array_equal(unpacked(rgb, photo), photo)


@pytest.mark.parametrize(
    ("call", "sizes", "interpolation"),
    [("area", SHRUNK, cv2.INTER_AREA), ("linear", ENLARGED, cv2.INTER_LINEAR)],
    ids=["area", "linear"],
)
def test_resizing_is_opencv_s(photo: np.ndarray, call: str, sizes: list[tuple[int, int]], interpolation: int) -> None:
    cases = [(image, size) for image in both_colours(photo) for size in sizes]
    tasks = [{"call": call, "image": packed(image), "width": size[0], "height": size[1]} for image, size in cases]
    for (image, size), answer in zip(cases, in_javascript(tasks), strict=True):
        expected = cv2.resize(image, size, interpolation=interpolation)
        np.testing.assert_array_equal(unpacked(answer, expected), expected, err_msg=f"{size}, {image.ndim} axes")


@pytest.mark.parametrize("scale", [0.3, 0.9, 1.7, 2.5, 5.2])
def test_turned_squares_are_opencv_s(photo: np.ndarray, scale: float) -> None:
    cases: list[tuple[np.ndarray, np.ndarray]] = []
    for turn in (-2.1, -0.4, 0.1, 1.3):
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        for middle in ((223.3, 118.7), (3.2, 500.1)):  # the second hangs over the edge
            frame = np.column_stack([linear, middle - linear @ (32, 32)]).astype(np.float32)
            cases.extend((image, frame) for image in both_colours(photo))
    tasks = [
        {"call": "square", "image": packed(image), "frame": frame.ravel().tolist(), "size": 64}
        for image, frame in cases
    ]
    for (image, frame), answer in zip(cases, in_javascript(tasks), strict=True):
        expected = cut_square(image, frame, 64)
        np.testing.assert_array_equal(unpacked(answer, expected), expected)


def faces() -> list[Face]:
    """Return faces with landmarks, upright to upside down and small to large, and some without."""
    random = np.random.default_rng(3)
    made = []
    for size, turn in ((8, 0.3), (20, -0.7), (60, 1.4), (170, 3.0), (200, -0.1)):
        points = random.normal(size / 2, size, (68, 2))
        points[36:42], points[42:48] = (-size, -size), (size, -size)
        turned = points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + (240, 200)
        box = np.array([240 - size, 190 - size, 243.5 + size, 200.5 + size], np.float32)
        made += [Face(box, 0.9, landmarks=turned.astype(np.float32)), Face(box, 0.9)]
    return made


def test_crops_lie_where_python_s_do(photo: np.ndarray) -> None:
    known = faces()
    points = [None if face.landmarks is None else face.landmarks.ravel().tolist() for face in known]
    tasks = [
        {"call": "face", "image": packed(photo), "box": face.box.tolist(), "points": values, "framing": FRAMING}
        for face, values in zip(known, points, strict=True)
    ]
    squares = squares_of(known, FRAMING, "finder")
    crops = cut_faces(photo, squares)
    for square, crop, answer in zip(squares, crops, in_javascript(tasks), strict=True):
        np.testing.assert_allclose(answer["box"], square.box, rtol=0, atol=1e-3)
        assert answer["tilt"] == pytest.approx(square.tilt, abs=1e-4)
        found = unpacked(answer["crop"], crop).astype(int)
        assert np.abs(found - crop).max() <= 1  # the matrices differ in the last bit
        assert np.mean(found != crop) < 0.01
