"""The page on FERC says what the script measured, and what it says follows from the figures."""

import json
from types import ModuleType
from typing import Any

import pytest

from facemood.models import ModelSession, find_model
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_ferc")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "ferc.json").read_text())
    return found


def test_the_page_is_made_from_the_figures(script: ModuleType, known: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "ferc.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_ferc.py --page"
    assert "{{" not in page


def test_the_figures_are_those_of_the_shipped_models(script: ModuleType, known: dict[str, Any]) -> None:
    pytest.importorskip("onnx")
    assert known["with"] == {name: script.digest(name) for name in known["with"]}
    for name in ("mask", "ferc"):
        assert ModelSession(find_model(name), device="cpu").card.metrics["script"] == script.SCRIPT


def test_the_counts_are_those_of_the_protocol(known: dict[str, Any]) -> None:
    counts = {head: {row["n"] for row in table.values()} for head, table in known["table"].items()}
    assert counts == {"ferplus-five": {3036}, "ferplus": {3153}, "fer2013-five": {3006}, "fer2013": {3589}}


def test_what_is_said_in_words_is_so(known: dict[str, Any]) -> None:
    """The page says that masks are good, and that distances tell less than points, and points less than pixels."""
    assert known["masks"]["inside"] >= 0.92
    for table in known["table"].values():
        worth = [table[name]["accuracy_common"] for name in ("guess", "masked", "points", "main")]
        assert worth == sorted(worth)


def test_accuracies_follow_from_the_confusions(known: dict[str, Any]) -> None:
    for table in known["table"].values():
        for name in ("main", "masked", "plain", "points"):
            counts, row = table[name]["confusion"], table[name]
            right = sum(line[place] for place, line in enumerate(counts))
            unread = sum(line[-1] for line in counts)
            assert row["accuracy"] == pytest.approx(right / row["n"], abs=1e-4)
            assert row["read"] == pytest.approx(1 - unread / row["n"], abs=1e-4)
            assert row["recalls"] == [pytest.approx(line[at] / sum(line), abs=1e-4) for at, line in enumerate(counts)]
