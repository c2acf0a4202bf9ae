import doctest
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.errors import DatasetError
from facemood.geometry import box_of_points
from facemood.schema import Face, Image
from scripts import detection_metrics
from scripts.detection_metrics import (
    Tally,
    measure_empty,
    measure_photos,
    measure_tiles,
    point_errors,
    read_photos,
    tally,
)
from tests.stages.points import made_points

FACE = np.array([[10, 10, 50, 50]], np.float32)


class BoxDetector:
    """Gives the same boxes for every image."""

    name = "box"

    def __init__(self, *boxes: tuple[float, float, float, float]) -> None:
        self.boxes = boxes

    def __call__(self, image: Image) -> list[Face]:
        return [Face(np.array(box, np.float32), score=1.0) for box in self.boxes]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], Tally(1, 0, 0, 1, 0)),
        ([[12, 12, 52, 52]], Tally(1, 1, 0, 1, 0)),
        ([[10, 10, 50, 50], [11, 11, 51, 51]], Tally(1, 1, 1, 1, 1)),  # a second box on the same face is wrong
        ([[40, 40, 80, 80], [60, 0, 70, 9]], Tally(1, 0, 2, 1, 1)),
        ([[10, 10, 50, 26]], Tally(1, 0, 1, 1, 1)),  # an overlap of exactly 0.4 does not count
    ],
)
def test_boxes_are_compared_one_by_one(found: list[list[float]], expected: Tally) -> None:
    assert tally(np.array(found, np.float32).reshape(-1, 4), FACE) == expected


def test_each_face_wants_a_box_of_its_own() -> None:
    faces = np.array([[0, 0, 40, 40], [10, 0, 50, 40]], np.float32)
    assert tally(np.array([[5, 0, 45, 40]], np.float32), faces) == Tally(2, 1, 0, 1, 0)
    assert tally(faces[::-1].copy(), faces) == Tally(2, 2, 0, 1, 0)


def test_tallies_add_up() -> None:
    assert Tally(1, 1, 2, 1, 1) + Tally(3, 2, 0, 1, 0) == Tally(4, 3, 2, 2, 1)


def test_photos_are_read_with_their_marks_and_measured(tmp_path: Path) -> None:
    points = made_points(60, 50, 40)[:68]
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((100, 120, 3), np.uint8))
    (tmp_path / "faces.json").write_text(json.dumps({"a.png": [{"points68": points.tolist()}]}))
    photos = read_photos(tmp_path)
    assert [photo.name for photo in photos] == ["a.png"]
    x1, y1, x2, y2 = box_of_points(points).tolist()
    assert measure_photos(BoxDetector((x1, y1, x2, y2), (0, 0, 9, 9)), photos) == Tally(1, 1, 1, 1, 1)
    assert measure_empty(BoxDetector((x1, y1, x2, y2)), [tmp_path / "a.png"] * 2) == Tally(0, 0, 2, 2, 2)
    with pytest.raises(DatasetError, match="expected photo names"):
        read_photos(tmp_path / "none")
    (tmp_path / "a.png").write_text("")
    with pytest.raises(DatasetError, match="cannot be read as an image"):
        read_photos(tmp_path)


def test_a_tile_is_found_in_its_middle_only() -> None:
    tiles = np.zeros((2, 48, 48), np.uint8)  # on the canvas the tile is at 96 to 288
    assert measure_tiles(BoxDetector((110, 110, 270, 270)), tiles) == Tally(2, 2, 0, 2, 0)
    assert measure_tiles(BoxDetector((0, 0, 120, 120)), tiles) == Tally(2, 0, 2, 2, 2)
    assert measure_tiles(BoxDetector((170, 170, 200, 200)), tiles) == Tally(2, 0, 2, 2, 2)  # an eye is no face


def test_point_errors_are_in_units_of_the_outer_eye_corners() -> None:
    marked = made_points(60, 50, 40)[None, :68]
    eyes = float(np.linalg.norm(marked[0, 36] - marked[0, 45]))
    np.testing.assert_allclose(point_errors(marked + np.array([3, 4], np.float32), marked), [5 / eyes], rtol=1e-5)


def test_its_examples_run() -> None:
    found = doctest.testmod(detection_metrics)
    assert (found.failed, found.attempted > 0) == (0, True)
