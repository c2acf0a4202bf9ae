"""Read recipe files: find them by name or path, parse TOML, apply single settings, check each key."""

from __future__ import annotations

import dataclasses
import importlib.resources
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from facemood.errors import RecipeError, did_you_mean
from facemood.toml_text import parse_toml
from facemood.train.recipe import Recipe
from facemood.train.recipe_rules import show

RECIPES = importlib.resources.files("facemood.train") / "recipes"
"""The folder of the package's recipes."""

LARGEST = 1_000_000
"""Bytes of a recipe's file at most; those of the package have 2,000."""

LARGEST_FLOAT = 2**1000
"""Whole numbers that stand for floats lie below it."""

OPENING = ("[", "{", '"', "'")
"""What TOML's lists, tables and quoted texts begin with. Any other text needs no quotes on the command line."""


def list_recipes() -> list[str]:
    """Return the names of the recipes in the package.

    Example:
        >>> "baseline" in list_recipes()
        True
    """
    return sorted(Path(item.name).stem for item in RECIPES.iterdir() if item.name.endswith(".toml"))


def load_recipe(name: str, *, overrides: Iterable[str] = ()) -> Recipe:
    """Load a recipe of the package by name, or a TOML file by path, and apply single settings.

    Args:
        name: A recipe's name, or the path of a TOML file.
        overrides: Settings such as ``"train.epochs=20"``. The value is TOML; a word, a path and an empty text need no
            quotes.

    Raises:
        RecipeError: There is no such recipe or key, or a value has a wrong type.

    Example:
        >>> load_recipe("baseline", overrides=["train.epochs=20"]).train.epochs
        20
    """
    own = name not in list_recipes()
    table = _read_toml(name) if own else parse_toml((RECIPES / f"{name}.toml").read_text(encoding="utf-8"))
    try:
        for override in overrides:
            _override(table, override)
        return recipe_from_dict({"name": Path(name).stem, **table})
    except RecipeError as error:
        raise RecipeError(f"{name}: {error}" if own else str(error)) from error


def recipe_from_dict(table: Mapping[str, Any]) -> Recipe:
    """Build a recipe from nested dicts, such as `Recipe.to_dict` or parsed TOML.

    Raises:
        RecipeError: A key is unknown or a value has a wrong type.
    """
    recipe: Recipe = _build(Recipe, table, prefix="")
    return recipe


def _read_toml(name: str) -> dict[str, Any]:
    """Read a recipe of one's own."""
    file = Path(name)
    if not file.is_file():
        raise RecipeError(
            f"there is no recipe {show(name)}: expected one of {', '.join(list_recipes())}, or the path of a TOML file."
            f"{did_you_mean(name[:99], list_recipes())}"
        )
    try:
        if (size := file.stat().st_size) > LARGEST:
            raise RecipeError(f"{name}: is no recipe: it has {size:,} bytes; the most are {LARGEST:,}")
        return parse_toml(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{name}: the recipe is not valid TOML, or cannot be read: {error}") from None


def _override(table: dict[str, Any], setting: str) -> None:
    """Set one value in place: ``"train.epochs=20"``."""
    path, equals, text = setting.partition("=")
    section, dot, key = path.strip().partition(".")
    if not equals or not dot:
        raise RecipeError(f"cannot set {show(setting)}: expected section.key=value, such as train.epochs=20")
    try:
        value = _parse_setting(text.strip(), is_text=_hint_of(section, key) is str)
    except ValueError:
        raise RecipeError(f"cannot set {show(setting)}: {show(text.strip())} is not a valid TOML value") from None
    entries = table.setdefault(section, {})
    if not isinstance(entries, dict):
        raise RecipeError(f"cannot set {show(setting)}: {section} is {show(entries)}, and has no keys")
    entries[key] = value


def _parse_setting(text: str, *, is_text: bool) -> Any:
    """Parse a value of the command line: TOML, or a text without quotes, because shells remove them.

    Args:
        text: The value, without space around it.
        is_text: Whether its key holds a text. Then ``2024`` is one, too.

    Raises:
        ValueError: It begins as TOML and is none, or is not printable.
    """
    if not text.isprintable():
        raise ValueError("expected printable text")
    if is_text and not text.startswith(OPENING):
        return text
    try:
        return parse_toml(f"value = {text}")["value"]
    except ValueError:
        if text.startswith(OPENING):
            raise
        return text


def _hint_of(section: str, key: str) -> Any:
    """Return the type of a key of a section; None for an unknown one."""
    config = get_type_hints(Recipe).get(section)
    return get_type_hints(config).get(key) if dataclasses.is_dataclass(config) else None


def _build(kind: type[Any], table: Mapping[str, Any], *, prefix: str) -> Any:
    """Build a config dataclass from a table, checking each key and type."""
    hints = get_type_hints(kind)
    unknown = set(table).difference(hints)
    if unknown:
        key = sorted(unknown)[0]
        raise RecipeError(
            f"unknown recipe key {show(prefix + key)}; expected one of {', '.join(prefix + name for name in hints)}."
            f"{did_you_mean(key[:99], hints)}"
        )
    required = {field.name for field in dataclasses.fields(kind) if field.default is field.default_factory}
    if missing := required.difference(table):
        raise RecipeError(f"the recipe key {prefix + min(missing)!r} is missing")
    return kind(**{key: _value(hints[key], value, prefix + key) for key, value in table.items()})


def _value(hint: Any, value: Any, name: str) -> Any:
    """Convert one TOML value to the field's type."""
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return _build(hint, value, prefix=f"{name}.")  # type: ignore[arg-type]
    kinds = [kind for kind in get_args(hint) if kind is not ...]
    if get_origin(hint) is tuple and isinstance(value, list | tuple) and all(_fits(kinds[0], each) for each in value):
        return tuple(value)
    if get_origin(hint) is Mapping and isinstance(value, Mapping) and all(_fits(kinds[1], e) for e in value.values()):
        return dict(value)
    if not kinds and _fits(hint, value):
        return float(value) if hint is float else value
    raise RecipeError(f"recipe key {name!r} must be {_kind_of(hint)}, but is {show(value)}")


def _fits(kind: Any, value: Any) -> bool:
    """Tell whether one value is of a kind; a whole number is a float, as far as floats reach, and text is printable."""
    if kind is float and type(value) is int:
        return abs(value) < LARGEST_FLOAT
    return type(value) is kind and (kind is not str or value.isprintable())


def _kind_of(hint: Any) -> str:
    """Say what a field must be."""
    if dataclasses.is_dataclass(hint):
        return "a table"
    if get_origin(hint) is tuple:
        return f"a list of {get_args(hint)[0].__name__}"
    if get_origin(hint) is Mapping:
        return f"a table of {get_args(hint)[1].__name__}"
    return "printable text" if hint is str else str(hint.__name__)
