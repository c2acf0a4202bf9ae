"""The page on methods from before neural networks says what the script measured, and its features are what it says."""

import json
from types import ModuleType

import numpy as np
import pytest

from tests.conftest import ROOT, load_script

pytest.importorskip("skimage", reason="needs the extra explain")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_baselines")


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "baselines.json").read_text())
    page = (ROOT / "docs" / "baselines.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_baselines.py --page"
    assert "{{" not in page
    assert set(known) == {
        f"{features}, {classifier}" for features in script.FEATURES for classifier in script.CLASSIFIERS
    }
    assert {found["test"] for found in known.values()} == {3589}


def test_the_setting_is_the_best_one_of_public_test(script: ModuleType) -> None:
    for found in json.loads((ROOT / "docs" / "baselines.json").read_text()).values():
        assert max(found["settings"], key=found["settings"].get) == str(found["setting"])


def test_gradients_point_across_an_edge(script: ModuleType) -> None:
    tile = np.zeros((48, 48), np.uint8)
    tile[:, 21:] = 200  # an upright edge: the gradient lies
    across, along = script.gradients(tile), script.gradients(np.ascontiguousarray(tile.T))
    assert across.shape == (800,)
    assert across.reshape(-1, 8).sum(axis=0).argmax() == 0
    assert along.reshape(-1, 8).sum(axis=0).argmax() == 4


def test_patterns_do_not_change_with_brightness(script: ModuleType) -> None:
    tile = np.random.default_rng(0).integers(20, 120, (48, 48), np.uint8)
    found = script.patterns(tile)
    np.testing.assert_array_equal(found, script.patterns(tile * 2))
    assert found.shape == (36 * script.PATTERNS,)
    np.testing.assert_allclose((found.reshape(36, -1) ** 2).sum(axis=1), 1, atol=1e-5)


def test_each_classifier_learns_what_can_be_learned(script: ModuleType) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    vectors = (random.normal(0, 1, (3, 400))[labels] + random.normal(0, 0.5, (300, 400))).astype(np.float32)
    for make, settings in script.CLASSIFIERS.values():
        assert make(settings[0]).fit(vectors[:240], labels[:240]).score(vectors[240:], labels[240:]) == 1
