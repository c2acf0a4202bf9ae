"""The pipeline by itself: what it frames and cuts, and what it remembers of whom."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from facemood import EmotionRecognizer, Face
from facemood.pipeline import Pipeline
from facemood.schema import Image
from facemood.sources import load_image


class OtherDetector:
    """A detector of a user's own, whose framing no card tells."""

    name = "other"

    def __call__(self, image: Image) -> list[Face]:
        return [Face(np.array([10, 20, 50, 60], np.float32), 0.9)]


@pytest.fixture(scope="module")
def pipeline(recognizer: EmotionRecognizer) -> Pipeline:
    return recognizer.pipeline


@pytest.fixture(scope="module")
def photo(astronaut: Path) -> Image:
    return load_image(astronaut)


def test_crops_are_the_squares_that_the_card_asks_for(pipeline: Pipeline, photo: Image) -> None:
    box = np.array([100, 120, 180, 220], np.float32)
    left, top, right, bottom = pipeline.session.card.framing["finder"]
    (square,) = pipeline.frame_boxes([Face(box, 0.9)])
    assert pipeline.framing == (left, top, right, bottom)
    side = (80 * (right - left) + 100 * (bottom - top)) / 2
    middle = np.array([100 + 80 * (left + right) / 2, 120 + 100 * (top + bottom) / 2])
    np.testing.assert_allclose(square, [*(middle - side / 2), *(middle + side / 2)], rtol=1e-5)
    (crop,) = pipeline.crops(photo, [Face(box, 0.9)])
    x, y = square[:2].round().astype(int).tolist()
    np.testing.assert_array_equal(crop, photo[y : y + round(side), x : x + round(side)])
    assert pipeline.crops(photo, []) == pipeline.frame_boxes([]) == []


def test_a_detector_without_a_framing_keeps_its_boxes(pipeline: Pipeline, photo: Image) -> None:
    other = dataclasses.replace(pipeline, detector=OtherDetector())
    faces = other.detector(photo)
    assert other.frame_boxes(faces)[0].tolist() == [10, 20, 50, 60]
    np.testing.assert_array_equal(other.crops(photo, faces)[0], photo[20:60, 10:50])


def test_the_network_reads_what_crops_cuts(recognizer: EmotionRecognizer, photo: Image) -> None:
    faces = recognizer.analyze_image(photo).faces
    expected = np.stack([face.probabilities for face in faces])
    np.testing.assert_allclose(recognizer.classify(recognizer.pipeline.crops(photo, faces)), expected, atol=1e-5)
