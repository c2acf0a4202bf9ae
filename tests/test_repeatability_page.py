"""The page on the same face twice says what the script measured, and the script finds a face where it went."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.sources import load_image
from tests.conftest import PHOTOS, ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_repeatability")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "repeatability.json").read_text())
    return found


def test_the_page_is_made_from_the_figures(script: ModuleType, known: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "repeatability.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_repeatability.py --page"
    assert "{{" not in page


def test_a_certain_label_stays(known: dict[str, Any]) -> None:
    together = known["together"]
    assert together["certain"] > 2_000
    assert together["same label, certain"] >= 0.999 * together["certain"]
    assert together["lost"] == 0


def test_places_move_with_the_picture(script: ModuleType) -> None:
    image = np.zeros((80, 120, 3), np.uint8)
    image[30:33, 60:63] = 255  # its middle is at (61, 31)
    for name, change in script.CHANGES.items():
        found = change(image)
        rows, columns = np.nonzero(found.image[..., 0] > 128)
        place = found.matrix @ (61, 31, 1)
        assert np.abs(place - (columns.mean(), rows.mean())).max() < 0.6, name


def test_a_face_is_compared_with_itself(script: ModuleType, recognizer: EmotionRecognizer) -> None:
    image = load_image(PHOTOS / "astronaut.png")
    (face,) = recognizer.analyze_image(image).faces
    twice = np.concatenate([image, image], axis=1)
    shift = np.array([[1, 0, image.shape[1]], [0, 1, 0]], float)
    other = script.find(recognizer, face, script.Changed(twice, shift))
    assert np.abs(other.box - face.box - (image.shape[1], 0) * 2).max() < 2
    assert script.find(recognizer, face, script.Changed(np.zeros_like(image), np.eye(2, 3))) is None
    figures = script.compare([(face, face), (face, None)])
    assert (figures["pairs"], figures["lost"], figures["same label"]) == (2, 1, 1)
    assert figures["probability"] == {"n": 1, "median": 0, "95%": 0}


def test_figures_of_the_photos_are_those_of_the_page(
    script: ModuleType, shared_data: Path, known: dict[str, Any]
) -> None:
    photos = sorted((shared_data / "news_faces").rglob("*.jpg"))[:24]
    found = script.measure(photos)["together"]
    assert found["lost"] == 0
    assert found["probability"]["95%"] < 2 * known["together"]["probability"]["95%"]
