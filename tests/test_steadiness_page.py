"""The page on labels over time says what the script measured, and shares hardly depend on the frames that are read."""

import json
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_steadiness")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "steadiness.json").read_text())
    return found


def test_the_page_is_made_from_the_figures(script: ModuleType, known: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "steadiness.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_steadiness.py --page"
    assert "{{" not in page


def test_the_shares_at_all_rates_lie_within_3_points(known: dict[str, Any]) -> None:
    rates = [list(found["shares"].values()) for found in known["made"].values()]
    assert len(rates) == 4
    assert np.ptp(rates, axis=0).max() <= 0.03


def test_the_display_label_is_the_steadiest(known: dict[str, Any]) -> None:
    flips = known["flips a minute"]
    assert flips["displayed"] < flips["smoothed"] <= flips["single frames"]


def test_delays_count_lasting_changes_to_another_label(script: ModuleType) -> None:
    rows = np.full((90, 8), 0.02, np.float32)
    rows[:45, 3], rows[45:, 4] = 0.86, 0.86
    clip = script.Predictions(np.arange(90) / 30, rows, tuple("abcdefgh"))
    (delay,) = script.delays_of(clip, script.track_of(clip))
    assert 0.1 < delay < 0.35
    assert script.thin(clip, 0.5).times.tolist() == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
