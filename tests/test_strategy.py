"""The strategy of networks that take pixels: crop, then classify."""

import dataclasses

import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.errors import ImageError
from facemood.stages.align import CropSquare
from facemood.strategy import CropStrategy
from tests.conftest import make_face


@pytest.fixture(scope="module")
def strategy(recognizer: EmotionRecognizer) -> CropStrategy:
    found = recognizer.pipeline.strategy
    assert isinstance(found, CropStrategy)
    return found


def test_the_squares_are_cut_out_and_the_faces_stay(strategy: CropStrategy) -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    face = make_face((20, 30, 60, 70))
    square, turned = CropSquare(face.box), CropSquare(face.box, 90.0)
    faces, (crop, quarter) = strategy.align(image, [face, face], [square, turned])
    assert faces == [face, face]
    np.testing.assert_array_equal(crop, image[30:70, 20:60])
    np.testing.assert_array_equal(quarter, np.rot90(image[30:70, 20:60]))
    assert strategy.align(image, [], []) == ([], [])


def test_crops_are_classified_with_the_head_prior_and_views_of_the_strategy(strategy: CropStrategy) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    read = strategy.classify_crops(crops)
    np.testing.assert_allclose(read.probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(strategy.classify(list(crops)).probabilities, read.probabilities)
    seven = dataclasses.replace(strategy, head="fer2013", prior="dataset")
    assert (read.probabilities.shape, seven.classify(list(crops)).probabilities.shape) == ((3, 8), (3, 7))
    for change in ({"views": 2}, {"prior": "balanced"}, {"prior": "dataset"}):
        other = dataclasses.replace(strategy, **change)
        assert np.abs(other.classify(list(crops)).probabilities - read.probabilities).max() > 1e-3
    with pytest.raises(ImageError, match="a face crop must be"):
        strategy.classify_crops([np.zeros((4, 4, 7), np.uint8)])
