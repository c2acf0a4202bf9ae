from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer, Face
from facemood.datasets import open_dataset
from facemood.errors import DatasetError
from facemood.evaluation.crop_framing import (
    ENLARGEMENT,
    evaluate_end_to_end,
    framing_of_points,
    measure_framing,
    on_canvas,
    tile_points,
)
from facemood.schema import Image
from facemood.sources import load_image
from facemood.stages.align import cut_faces, square_of_points, squares_of
from facemood.stages.landmarks import LandmarkModel

TILES = np.random.default_rng(0).integers(0, 256, (5, 48, 48), np.uint8)
SIDE = 48 * ENLARGEMENT


class OffsetDetector:
    """Detects the tile on its canvas, without a tenth on the left and at the top."""

    name = "offset"

    def __call__(self, image: Image) -> list[Face]:
        start, end = SIDE * 0.5, SIDE * 1.5
        box = np.array([start + 0.1 * SIDE, start + 0.1 * SIDE, end, end], np.float32)
        return [Face(box, score=1.0), Face(box[[0, 1, 0, 1]] + np.array([0, 0, 9, 9], np.float32), score=1.0)]


def test_a_tile_is_in_the_middle_of_its_canvas() -> None:
    canvas = on_canvas(np.full((48, 48), 200, np.uint8))
    assert canvas.shape == (2 * SIDE, 2 * SIDE, 3)
    assert (canvas == 200).all()
    noise = on_canvas(TILES[0])
    assert np.ptp(noise[: SIDE // 2]) == 0
    assert np.ptp(noise[SIDE // 2 : -SIDE // 2, SIDE // 2 : -SIDE // 2]) > 100


def test_the_framing_maps_the_box_back_to_the_tile() -> None:
    framing = measure_framing(OffsetDetector(), TILES)
    np.testing.assert_allclose(framing.box, [0.1, 0.1, 1, 1], atol=1e-3)
    np.testing.assert_allclose(framing.crop, [-1 / 9, -1 / 9, 1, 1], atol=1e-3)
    assert (framing.found, framing.tiles) == (5, 5)
    canvas = on_canvas(TILES[0])
    (crop,) = cut_faces(canvas, squares_of(OffsetDetector()(canvas)[:1], {"offset": framing.crop}, "offset"))
    assert crop.shape == (SIDE, SIDE, 3)
    np.testing.assert_array_equal(crop, canvas[SIDE // 2 : -SIDE // 2, SIDE // 2 : -SIDE // 2])


def test_a_detector_that_finds_nothing_is_reported() -> None:
    detector = OffsetDetector()
    detector.__class__ = type("Blind", (OffsetDetector,), {"__call__": lambda self, image: []})
    with pytest.raises(DatasetError, match="found no face in 5 tiles"):
        measure_framing(detector, TILES)


def test_the_landmarks_of_a_tile_are_found_without_a_detector(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    image = load_image(astronaut)
    (face,) = recognizer.detect(image)
    (crop,) = cut_faces(image, squares_of([face], recognizer.card.framing, "finder"))
    tile = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), (48, 48), interpolation=cv2.INTER_AREA)
    model = LandmarkModel(threads=1)
    points = tile_points(model, np.asarray(tile, np.uint8))
    assert points is not None
    assert face.landmarks is not None
    (square,) = recognizer.pipeline.squares([face])
    matrix = square.matrix(48)
    expected = ((face.landmarks - 0.5 - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T + 0.5) / 48
    assert np.abs(points - expected).mean() < 0.02
    assert tile_points(model, TILES[0]) is None


def test_the_framing_by_landmarks_maps_them_back_to_the_tile() -> None:
    points = np.random.default_rng(1).uniform(0.3, 0.7, (3, 68, 2)).astype(np.float32)
    points[1:] = points[0]
    points[2] = np.nan
    framing = framing_of_points(points)
    assert (framing.found, framing.tiles) == (2, 3)
    square = square_of_points(points[0], framing.crop)
    np.testing.assert_allclose(square.box, [0, 0, 1, 1], atol=2e-4)
    with pytest.raises(DatasetError, match="none of 1 tiles has landmarks"):
        framing_of_points(points[2:])


@pytest.mark.dataset
def test_the_pipeline_loses_little_against_the_given_crop(shared_data: Path) -> None:
    """A tenth of PrivateTest; `facemood evaluate --end-to-end` uses all of it."""
    part = open_dataset(shared_data / "fer2013").split("PrivateTest")
    few = part.subset(np.arange(len(part)) % 10 == 0)
    found = evaluate_end_to_end(EmotionRecognizer(head="fer2013"), few)
    assert found["n"] == 359
    assert found["detection_rate"] > 0.7
    assert found["loss"] <= 0.05
