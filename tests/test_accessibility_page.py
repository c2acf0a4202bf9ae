"""The page on accessibility says what Lighthouse found, and what it found is what was promised."""

from __future__ import annotations

import json

import pytest

from tests.conftest import ROOT

pytest.importorskip("fastapi", reason="needs the extra serve")

from scripts import measure_accessibility

KNOWN = json.loads((ROOT / "docs" / "accessibility.json").read_text(encoding="utf-8"))
AUDITS = {**KNOWN["pages"], **KNOWN["site"]}


def test_the_page_is_made_of_the_figures() -> None:
    assert measure_accessibility.page(KNOWN) == (ROOT / "docs" / "accessibility.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", AUDITS)
def test_lighthouse_finds_nothing(name: str) -> None:
    found = AUDITS[name]
    assert {screen: found[screen] for screen in measure_accessibility.SCREENS} == {"mobile": 100, "desktop": 100}
    assert found["findings"] == []


def test_all_pages_were_audited() -> None:
    assert len(AUDITS) == 4 + len(measure_accessibility.SITE)


def test_the_site_needs_less_than_three_minutes_on_two_cores() -> None:
    assert KNOWN["build"]["cpu_seconds"] < 180
    assert KNOWN["build"]["cores"] <= 2
