"""The page of people across cuts says what was measured, and what was measured is what was promised."""

from __future__ import annotations

import json

import pytest

from facemood.tracking.people import SAME
from scripts import measure_people
from tests.conftest import ROOT

KNOWN = json.loads((ROOT / "docs" / "people.json").read_text())


def test_the_page_is_made_of_the_figures() -> None:
    assert measure_people.page(KNOWN) == (ROOT / "docs" / "people.md").read_text()


def test_the_threshold_is_the_one_that_was_measured() -> None:
    assert KNOWN["same"] == SAME


@pytest.mark.parametrize("kind", KNOWN["videos"])
def test_few_different_people_are_joined(kind: str) -> None:
    joined = KNOWN["videos"][kind]["joined"]
    assert joined["wrong"] <= 0.02 * joined["pairs"]
    assert joined["idf1"] >= KNOWN["videos"][kind]["tracks"]["idf1"] - 0.01


def test_enough_pairs_were_made() -> None:
    assert KNOWN["videos"]["two shots"]["joined"]["pairs"] >= 200


def test_five_shots_of_two_clips_are_two_people() -> None:
    found = KNOWN["videos"]["both clips in turns, five shots"]["joined"]
    assert found["right"] == found["videos"]
    assert found["switches"] == 0


def test_the_network_helps() -> None:
    parts = KNOWN["parts"]
    assert parts["both"]["a"] > max(parts["network"]["a"], parts["colours of head and clothes"]["a"])
