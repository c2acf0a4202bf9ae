"""The page on tilted heads says what the script measured, with the model that is shipped."""

import json
from hashlib import sha256
from types import ModuleType

import numpy as np
import pytest

from facemood.models import find_model
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_alignment")


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "alignment.json").read_text())
    page = (ROOT / "docs" / "alignment.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_alignment.py --page"
    assert "{{" not in page


def test_the_figures_are_of_the_shipped_model() -> None:
    known = json.loads((ROOT / "docs" / "alignment.json").read_text())
    shipped = sha256(find_model("default").read_bytes()).hexdigest()[:12]
    assert {part["model"] for figures in known.values() for part in (figures, figures["side"])} == {shipped}


def test_a_picture_is_rotated_clockwise(script: ModuleType) -> None:
    image = np.zeros((41, 41, 3), np.uint8)
    image[2:6, 18:23] = 255  # at the top
    turned = script.rotate(image, 90)
    assert turned[18:23, 35:39].min() == 255  # on the right
    assert turned[:18].max() == 0


def test_a_difference_is_paired(script: ModuleType) -> None:
    one, other = np.arange(200) % 4 > 0, np.arange(200) % 2 > 0  # 75% and 50%, and never the other way round
    value, low, high = script.interval(one, other)
    assert value == 25
    assert 18 < low < 22 < 28 < high < 32
    assert script.interval(one, one) == [0, 0, 0]


def test_a_face_that_is_not_found_is_wrong(script: ModuleType) -> None:
    level = {"found": np.ones(4, bool), "upright": np.array([True, True, True, False])}
    reading = {"found": np.array([True, True, False, True]), "upright": np.array([True, True, False, False])}
    compared = script.compare(reading, level)
    assert (compared["found faces"], compared["upright"]) == (3, 50)
    assert compared["minus level"]["upright"][0] == -25
