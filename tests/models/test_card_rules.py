"""A card with a wrong type, range or form is rejected with a message that names the field."""

import dataclasses
import json
from typing import Any

import pytest

from facemood.errors import ModelError
from facemood.models import ModelCard, ModelSession, find_model, list_models, list_parts
from facemood.models.card_rules import DEEPEST, LONGEST_CARD, read_json

CARD: dict[str, Any] = {"name": "m", "heads": {"out": ["a", "b"]}, "default_head": "out"}

POINT = {"second": "out", "weight": 0.2, "strength": 0.5, "temperature": 0.9, "certain": 0.6}

WRONG: dict[str, list[Any]] = {
    "name": [None, "", " ", 5, ["m"], "x" * 201, "\x1b]0;title\x07", "a\nb", "\u202eright to left", "\ud800"],
    "heads": [
        None, [], {}, ["a"], "out", {"out": "ab"}, {"out": []}, {"out": None}, {"out": [1, 2]}, {"out": ["a", "a"]},
        {"out": ["a", ""]}, {"out": ["a", " "]}, {"out": ["a", "\x1b[2J"]}, {"out": ["a", "\u202e"]}, {"out": {"a": 1}},
        {"out": ["a", "b"], "": ["a"]}, {"out": ["a", ["b"]]},
    ],
    "default_head": [None, 3, "", "x", ["out"]],
    "input_size": [
        None, 48, "ab", [], [48], [48, 48, 1], [0, 0], [-1, 48], [48.5, 48], [48, 48.0], ["48", "48"], [True, True],
        [100_000, 100_000], [48, 1025], {"width": 48},
    ],
    "colour": [None, "", "gray", 1, ["grey"], "rgb"],  # "rgb" needs three numbers
    "mean": [None, "a", 0, [], ["a"], [None], [float("nan")], [float("inf")], [True], [0, 0], [1e30], {"grey": 0}],
    "std": [None, "a", 1, [], [0], [0.0], [-1], [1e-30], [float("nan")], [float("-inf")], [1e30], [1, 1]],
    "temperature": [
        None, 1, [1], "out", {"out": 0}, {"out": -1}, {"out": "x"}, {"out": None}, {"out": [1]}, {"out": True},
        {"out": float("nan")}, {"out": float("inf")}, {"out": 1e-30}, {"out": 1e30}, {"other": 1},
    ],
    "prior": [
        None, [0.5, 0.5], {"out": 1}, {"out": [1.0]}, {"out": [0.2, 0.3, 0.5]}, {"out": [0, 1]}, {"out": [0, 0]},
        {"out": [0.5, 0.6]}, {"out": [-0.5, 1.5]}, {"out": ["a", "b"]}, {"out": "ab"}, {"out": []},
        {"out": [float("nan")] * 2}, {"other": [0.5, 0.5]},
    ],
    "balance": [None, [1], 1, {"out": "1"}, {"out": -0.1}, {"out": 11}, {"out": float("nan")}, {"other": 1}],
    "certain": [None, [0.5], 0.5, {"out": "0.5"}, {"out": -0.1}, {"out": 1.1}, {"out": float("nan")}, {"other": 0.5}],
    "operating_point": [
        None, 1, {"out": 1}, {"out": {}}, {"out": {"second": "out"}}, {"other": POINT}, {"out": {**POINT, "weight": 2}},
        {"out": {**POINT, "strength": -1}}, {"out": {**POINT, "temperature": 0}}, {"out": {**POINT, "certain": 1.1}},
        {"out": {**POINT, "second": "other"}}, {"out": {**POINT, "second": 3}}, {"out": {**POINT, "more": 1}},
        {"out": POINT},  # the card has no prior
    ],
    "framing": [
        None, [0, 0, 1, 1], {"finder": "abcd"}, {"finder": None}, {"finder": [0, 0, 1]}, {"finder": [0, 0, 1, 1, 1]},
        {"finder": [0, 0, 0, 0]}, {"finder": [1, 0, 0, 1]}, {"finder": [0, 1, 1, 0]}, {"finder": [0, 0, 1, "1"]},
        {"finder": [float("nan")] * 4}, {"finder": [-1e9, -1e9, 1e9, 1e9]}, {"finder": [-1000, -1000, 1000, 1000]},
        {"finder": [-2.1, 0, 1, 1]}, {"finder": [0, 0, 1, 3.1]}, {"": [0, 0, 1, 1]},
        {"landmarks": [-6.1, 0, 1, 1]}, {"landmarks": [0, 0, 1, 6.1]},
    ],
    "description": [None, 5, ["text"], "\x1b[31mred", "\x00"],
    "version": [None, 1, 1.5, "\x07"],
    "licence": [None, 5, ["MIT"], "\x1b"],
    "trained_on": [None, [], "fer2013", 5, {"images": float("nan")}, {"dataset": "\x1b[2J"}, {"\x1b[2J": 1}],
    "metrics": [None, [], "good", {"test": {"accuracy": float("nan")}}, {"test": [float("inf")]}, {"n": 2**63}],
    "limits": [None, "abc", 5, [5], [None], ["\x1b[2J"], {"a": "b"}],
    "task": [None, "", 5, "\x1b", ["expression"]],
}  # fmt: skip

CASES = [(field, value) for field, values in WRONG.items() for value in values]


def test_every_field_is_tested() -> None:
    assert set(WRONG) == {entry.name for entry in dataclasses.fields(ModelCard)}


@pytest.mark.parametrize(("field", "value"), CASES, ids=lambda part: repr(part)[:40])
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(ModelError, match=rf"\b{field}\b") as caught:
        ModelCard.from_json(json.dumps({**CARD, field: value}))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(("field", "value"), CASES, ids=lambda part: repr(part)[:40])
def test_the_same_rules_hold_for_cards_made_in_python(field: str, value: Any) -> None:
    fields = {"name": "m", "heads": {"out": ("a", "b")}, "default_head": "out", field: value}
    with pytest.raises(ModelError, match=rf"\b{field}\b"):
        ModelCard(**fields)


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "rgb", "mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4], "input_size": [224, 224]},
        {"prior": {"out": [0.00001, 0.99999]}, "balance": {"out": 1.5}, "certain": {"out": 1}},
        {"prior": {"out": [0.4, 0.6]}, "operating_point": {"out": POINT}},
        {"temperature": {"out": 5}, "framing": {"finder": [-0.5, -0.5, 1.5, 1.5], "own": [0, 0, 1, 1]}},
        {"framing": {"landmarks": [-2.04, -2.6, 2.1, 1.9]}},  # of tiles in which the faces are small
        {"heads": {"out": ["<b>", "=1+1"], "two": ["größer", "悲しい", "a, b"]}, "limits": []},
        {"description": "Two\nlines.", "trained_on": {"a": [1, None, True, {"b": "c"}]}, "task": "something new"},
    ],
)
def test_unusual_cards_are_accepted(change: dict[str, Any]) -> None:
    card = ModelCard.from_json(json.dumps({**CARD, **change}))
    assert ModelCard.from_json(card.to_json()) == card


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 200_000, "nested too deeply"),
        ('{"metrics":' * 500 + "1" + "}" * 500, "nested too deeply"),
        (json.dumps({**CARD, "description": "x" * LONGEST_CARD}), "characters; expected at most 1,000,000"),
        ("null", "must be a table, but is None"),
        ("5", "must be a table, but is 5"),
        ("[" + "9" * 5000 + "]", "integer string conversion"),
        ('{"name": "m", "name": "n"}', "the key 'name' is repeated"),
        ('{"name": "m", "heads": {"out": ["a"], "out": ["b"]}, "default_head": "out"}', "the key 'out' is repeated"),
        ('{"heads": {"out": ["a"]}, "default_head": "out"}', "the field 'name' is missing"),
    ],
    ids=range(9),
)
def test_json_that_is_not_a_card_is_rejected(text: str, message: str) -> None:
    with pytest.raises(ModelError, match="this is not a facemood model card: ") as caught:
        ModelCard.from_json(text)
    assert message in str(caught.value)


def test_the_depth_of_tables_is_limited() -> None:
    for levels, fits in ((DEEPEST, True), (DEEPEST + 1, False)):
        text = '{"metrics":' + '{"a":' * levels + "1" + "}" * levels + "}"
        if fits:
            assert read_json(text)["metrics"]
        else:
            with pytest.raises(ValueError, match="metrics: tables and lists are nested too deeply"):
                read_json(text)


@pytest.mark.parametrize("name", [*list_models(), *list_parts()])
def test_the_shipped_cards_are_valid_and_survive_a_round_trip(name: str) -> None:
    card = ModelSession(find_model(name), device="cpu").card
    assert ModelCard.from_json(card.to_json()) == card
