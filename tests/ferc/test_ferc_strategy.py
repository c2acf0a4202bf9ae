"""FERC as a strategy: vectors instead of crops, and NaN for faces without a vector."""

from pathlib import Path

import numpy as np
import pytest

from facemood import open_recognizer
from facemood.ferc import FercStrategy
from facemood.sources import load_image
from facemood.stages.align import CropSquare
from tests.conftest import make_face


@pytest.fixture(scope="module")
def strategy() -> FercStrategy:
    found = open_recognizer("ferc", threads=1).pipeline.strategy
    assert isinstance(found, FercStrategy)
    return found


def test_a_face_has_the_same_vector_with_any_square(strategy: FercStrategy, astronaut: Path) -> None:
    image, recognizer = load_image(astronaut), open_recognizer("nano", threads=1)
    faces = recognizer.detect(image)
    (marked,), (vector,) = strategy.align(image, faces, recognizer.pipeline.squares(faces))
    assert marked.parts is not None
    np.testing.assert_array_equal(vector, marked.parts.vector)
    _, (same,) = strategy.align(image, faces, [CropSquare(face.box, 30.0) for face in faces])
    np.testing.assert_array_equal(same, vector)


def test_a_face_without_landmarks_has_a_vector_and_probabilities_of_nan(strategy: FercStrategy) -> None:
    face = make_face()
    (same,), (vector,) = strategy.align(np.zeros((80, 80, 3), np.uint8), [face], [CropSquare(face.box)])
    assert same is face
    assert vector.shape == (24,)
    assert np.isnan(vector).all()
    probabilities = strategy.classify([vector, np.ones(24, np.float32), vector]).probabilities
    assert np.isnan(probabilities).all(axis=1).tolist() == [True, False, True]
    assert probabilities[1].sum() == pytest.approx(1, abs=1e-5)
    assert strategy.classify([]).probabilities.shape == (0, 5)


def test_there_is_one_view_of_each_face(strategy: FercStrategy) -> None:
    assert strategy.views == 1


def test_all_pixels_of_a_face_count(strategy: FercStrategy) -> None:
    assert strategy.face_pixels is None
