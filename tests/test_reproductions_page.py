"""docs/reproductions.md is what scripts/reproduce.py writes of its figures, and every recipe on it can be trained."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from facemood.train import list_recipes, load_recipe
from tests.conftest import load_script
from tests.train.test_fit import bright_or_dark


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("reproduce")


def test_the_page_is_what_the_script_writes(script: ModuleType) -> None:
    assert Path(script.PAGE).read_text(encoding="utf-8") == script.page(script.read_figures())


def test_every_published_recipe_is_in_the_package_and_takes_its_small_budget(script: ModuleType) -> None:
    for name, published in script.PUBLISHED.items():
        assert name in list_recipes()
        assert load_recipe(name, overrides=published["small"]).name == name
        assert set(published) <= {"data", "claim", "claimed_on", "small", "part", "why"}


def test_a_part_keeps_every_image_that_does_not_train(script: ModuleType) -> None:
    dataset = bright_or_dark()
    part = script.take_part(dataset, 0.25)
    assert part.split("Training").counts()["happy"] == part.split("Training").counts()["sad"] == 6
    assert len(part.split("PublicTest")) == len(dataset.split("PublicTest"))
    assert script.take_part(dataset, 1.0) is dataset


def test_precision_and_recall_at_one_half_by_hand(script: ModuleType) -> None:
    probabilities = np.array([[0.6, 0.4, 0.0], [0.4, 0.3, 0.3], [0.2, 0.7, 0.1]], np.float32)
    found = script.at_half(probabilities, np.array([0, 0, 2]))  # one right, one unsure, one wrong
    assert found == {"precision": 0.5, "recall": 0.3333}
