"""Cards, recipes, facts of runs and networks of any JSON: a value is taken or refused by an error of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facemood.errors import FacemoodError
from facemood.models import ModelCard
from facemood.numpy_cnn.network_file import restore

CARD: dict[str, Any] = {"name": "m", "heads": {"out": ["a", "b"]}, "default_head": "out"}

KEYS = st.sampled_from(["out", "a", "finder", "kind", "units", "body", "split", ""]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(0, 3) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=9,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(ModelCard.__dataclass_fields__)), VALUES)
def test_any_value_in_a_card_is_taken_whole_or_refused(field: str, value: Any) -> None:
    try:
        card = ModelCard.from_json(json.dumps({**CARD, field: value}))
    except FacemoodError as error:
        assert str(error).isprintable()
    else:
        assert ModelCard.from_json(card.to_json()) == card


@settings(deadline=None)
@given(VALUES)
def test_any_description_of_a_layer_is_taken_or_refused(value: Any) -> None:
    kinds = value if isinstance(value, dict) else {"kind": "Dense", "units": value}
    try:
        restore(kinds)
    except FacemoodError as error:
        assert len(str(error)) < 900


@settings(deadline=None)
@given(st.data())
def test_any_value_in_a_recipe_is_taken_whole_or_refused(data: st.DataObject) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    from facemood.train import load_recipe
    from facemood.train.recipe_file import recipe_from_dict

    table = load_recipe("baseline").to_dict()
    section = data.draw(st.sampled_from(sorted(table)))
    value = data.draw(VALUES)
    if isinstance(table[section], dict) and data.draw(st.booleans()):
        table[section][data.draw(st.sampled_from(sorted(table[section])))] = value
    else:
        table[section] = value
    try:
        recipe = recipe_from_dict(table)
    except FacemoodError as error:
        assert str(error).isprintable()
    else:
        assert recipe_from_dict(recipe.to_dict()) == recipe


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(["recipe", "classes", "heads", "input_size", "trained_on", "validated_on"]), value=VALUES)
def test_any_value_in_what_a_run_says_of_itself_is_taken_or_refused(field: str, value: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    from facemood.train.run_folder import read_facts, read_recipe

    counts = {"split": "Training", "images": 2}
    facts = {
        "recipe": {"name": "x"}, "dataset": "d", "classes": ["a"], "heads": {"out": 1}, "trained_on": counts,
        "validated_on": counts,
    }  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps({**facts, field: value}))
    try:
        assert read_facts(tmp_path)[field] == value
        read_recipe(tmp_path)
    except FacemoodError as error:
        assert "run.json" in str(error)
