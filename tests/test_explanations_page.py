"""The page on explanations says what the script measured, and what it says follows from the figures."""

import json
from types import ModuleType

import pytest

from facemood.explain.regions import REGIONS
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("explanations_page")


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "explanations.json").read_text())
    page = (ROOT / "docs" / "explanations.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_explanations.py --page"
    assert "{{" not in page


def test_the_regions_shown_are_all_regions(script: ModuleType) -> None:
    assert sorted(script.SHOWN) == sorted(REGIONS)


def test_explanations_are_better_than_chance_and_change_with_the_network() -> None:
    known = json.loads((ROOT / "docs" / "explanations.json").read_text())
    for method in ("lime", "cam", "occlusion"):
        mean, low, _ = known["true"][f"mean/{method}"]["less_deletion"]
        assert 0 < low < mean
        assert abs(known["sane"][f"{method}/all"][0]) < 0.3
