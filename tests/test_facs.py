import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.facs import (
    ABSENT,
    ACTIVE,
    CODES,
    DU,
    EMFACS,
    KEYS,
    LEARNED,
    MANUAL,
    NAMES,
    PIXELS,
    POINTS,
    PROTOTYPES,
    SHARES,
    SILENT,
    UNITS,
    describe,
    evidence,
)
from facemood.labels import EXPRESSIONS

REQUIRED = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 24, 25, 26, 27, 43)


def test_the_required_units_are_there_in_order() -> None:
    numbers = [unit.number for unit in UNITS]
    assert numbers == sorted(numbers)
    assert set(REQUIRED) <= set(numbers)
    assert CODES[0] == "AU01"
    assert len(set(KEYS)) == len(KEYS) == len(UNITS) + 2 * sum(unit.sided for unit in UNITS)


def test_every_unit_has_all_fields() -> None:
    for unit in UNITS:
        assert all((unit.name, unit.muscle, unit.measure, unit.limits))
        assert unit.part in ("upper", "lower")
        assert unit.way in (POINTS, PIXELS, LEARNED)
        assert unit.sources[0] == MANUAL
        # the source of the training targets is named
        assert ({DU, EMFACS} & set(unit.sources) != set()) == (unit.way == LEARNED)
    assert NAMES["AU12"] == "lip corner puller"


def test_prototypes_and_shares_name_known_units_of_all_expressions() -> None:
    known = {unit.number for unit in UNITS}
    assert set(PROTOTYPES) == set(SHARES) == set(EXPRESSIONS)
    assert {number for units in PROTOTYPES.values() for number in units} <= known
    assert {number for units in SHARES.values() for number in units} <= known
    assert all(0 < share <= 1 for units in SHARES.values() for share in units.values())


def test_a_smile_supports_happy_and_contradicts_sad() -> None:
    smile = {"AU04": 0.1, "AU06": 0.7, "AU12": 0.9, "AU15": 0.05, "AU25": 0.9}
    assert describe("happy", smile) == ("happy: AU06 cheek raiser (0.70) and AU12 lip corner puller (0.90) support it.")
    supporting, absent, contradicting = evidence("sad", smile)
    assert (supporting, absent, contradicting) == ([], ["AU04", "AU15"], ["AU12"])  # sad faces may raise the cheeks


def test_a_talking_mouth_and_shut_eyes_contradict_nothing() -> None:
    units = {f"AU{number:02}": 1.0 for number in SILENT}
    assert describe("neutral", units) == "neutral: no unit supports or contradicts it."


def test_messages_without_units_or_prototype() -> None:
    assert "no action units were measured" in describe("happy", {})
    assert describe("bored", {"AU12": 1.0}) == "bored: FACS has no prototype of it."


@given(st.dictionaries(st.sampled_from(CODES), st.floats(0, 1)), st.sampled_from(EXPRESSIONS))
def test_evidence_follows_the_prototype(units: dict[str, float], label: str) -> None:
    supporting, absent, contradicting = evidence(label, units)
    prototype = {f"AU{number:02}" for number in PROTOTYPES[label]}
    assert set(supporting) == {code for code in prototype & set(units) if units[code] >= ACTIVE}
    assert set(absent) == {code for code in prototype & set(units) if units[code] < ABSENT}
    assert not set(contradicting) & prototype
    assert all(units[code] >= ACTIVE for code in contradicting)
    named = re.findall(r"AU\d\d", describe(label, units))
    assert named == ([*supporting, *absent, *contradicting] if units else [])


@pytest.mark.parametrize("label", EXPRESSIONS)
def test_nothing_contradicts_the_prototype_of_an_expression(label: str) -> None:
    units = dict.fromkeys(CODES, 0.0) | {f"AU{number:02}": 1.0 for number in PROTOTYPES[label]}
    assert evidence(label, units)[1:] == ([], [])
