"""The model `steady` is used as `default` is, and noise changes its answers less."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from facemood import EmotionRecognizer
from facemood.datasets import open_dataset
from facemood.evaluation.corruptions import corrupt
from facemood.models import DEFAULT_MODEL, find_model
from facemood.models.session import prepare
from tests.conftest import PHOTOS

Labels: TypeAlias = NDArray[np.intp]

STRONGEST = {"blur": 2.0, "noise": 32.0, "jpeg": 10.0, "bright": 2.5, "low resolution": 16.0}
"""What poor cameras and compressed calls do to an image, at the strongest level."""

SAME_FIELDS = (
    *("heads", "default_head", "input_size", "colour", "mean", "std", "prior", "framing", "licence", "limits", "task"),
)
"""Fields of the card that the two models share."""


@pytest.fixture(scope="module")
def steady() -> EmotionRecognizer:
    return EmotionRecognizer("steady", threads=1)


def labels_of(recognizer: EmotionRecognizer, tiles: NDArray[np.uint8]) -> Labels:
    """The number of each tile's label; the tiles are (N, 48, 48)."""
    labels: Labels = recognizer.classify(tiles).argmax(axis=1)
    return labels


def test_it_is_used_as_the_default_is(steady: EmotionRecognizer, recognizer: EmotionRecognizer) -> None:
    for name in SAME_FIELDS:
        assert getattr(steady.card, name) == getattr(recognizer.card, name), name
    for name in ("temperature", "certain", "balance", "operating_point"):
        assert getattr(steady.card, name).keys() == getattr(recognizer.card, name).keys(), name
    assert steady.card.metrics.keys() == recognizer.card.metrics.keys()
    assert steady.info().keys() == recognizer.info().keys()


def test_it_started_from_the_default_and_has_its_size(steady: EmotionRecognizer) -> None:
    assert steady.card.trained_on["recipe"]["network"]["start"] == DEFAULT_MODEL
    sizes = [find_model(name).stat().st_size for name in ("steady", DEFAULT_MODEL)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)


def test_the_recipe_is_the_one_that_it_was_trained_by(steady: EmotionRecognizer) -> None:
    pytest.importorskip("torch", reason="recipes are read by the extra train")
    from facemood.train import load_recipe

    recipe = json.loads(json.dumps(dataclasses.asdict(load_recipe("default-steady"))))
    assert steady.card.trained_on["recipe"] == recipe
    assert steady.card.trained_on["epochs"] == recipe["train"]["epochs"]


@pytest.mark.parametrize("photo", sorted(PHOTOS.iterdir()), ids=lambda photo: photo.stem)
def test_it_reads_clear_photos_as_the_default_does(
    steady: EmotionRecognizer, recognizer: EmotionRecognizer, photo: Path
) -> None:
    found, expected = steady.analyze_image(photo), recognizer.analyze_image(photo)
    assert len(expected) == 1
    assert [face.emotion for face in found] == [face.emotion for face in expected]
    np.testing.assert_array_equal([face.box for face in found], [face.box for face in expected])


def test_strong_noise_changes_its_answers_no_more_often(
    steady: EmotionRecognizer, recognizer: EmotionRecognizer
) -> None:
    faces = [crop for photo in sorted(PHOTOS.iterdir()) for crop in recognizer.crops(recognizer.analyze_image(photo))]
    pixels = prepare(faces, recognizer.card)[:, 0]
    tiles = np.asarray(pixels.round(), np.uint8)
    noisy = np.concatenate([corrupt(np.repeat(tiles, 50, axis=0), "noise", level) for level in (32.0, 48.0, 64.0)])
    ours, others = (
        (np.tile(np.repeat(labels_of(one, tiles), 50), 3) == labels_of(one, noisy)).mean()
        for one in (steady, recognizer)
    )
    assert ours >= others


@pytest.fixture(scope="module")
def tiles(shared_data: Path) -> NDArray[np.uint8]:
    """(N, 48, 48) an eighth of PublicTest."""
    return open_dataset(shared_data / "fer2013").split("PublicTest").pixels[::8]


@pytest.fixture(scope="module")
def clean(steady: EmotionRecognizer, recognizer: EmotionRecognizer, tiles: NDArray[np.uint8]) -> list[Labels]:
    """What both models say of the tiles as they are."""
    return [labels_of(one, tiles) for one in (steady, recognizer)]


@pytest.mark.dataset
@pytest.mark.parametrize("name", STRONGEST)
def test_degraded_faces_keep_their_label_more_often(
    steady: EmotionRecognizer, recognizer: EmotionRecognizer, tiles: NDArray[np.uint8], clean: list[Labels], name: str
) -> None:
    changed = corrupt(tiles, name, STRONGEST[name])
    found = [labels_of(one, changed) for one in (steady, recognizer)]
    ours, others = ((before == after).mean() for before, after in zip(clean, found, strict=True))
    assert ours > others
