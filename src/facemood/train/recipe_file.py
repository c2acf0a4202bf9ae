"""Read recipe files: find them by name or path, parse TOML, apply single settings, check each key."""

from __future__ import annotations

import dataclasses
import importlib.resources
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

from facemood.errors import RecipeError, did_you_mean
from facemood.train.recipe import Recipe

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RECIPES = importlib.resources.files("facemood.train") / "recipes"
"""The folder of the package's recipes."""

WORD = re.compile(r"[A-Za-z][\w:./-]*")
"""Values that need no quotes on the command line."""


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
        overrides: Settings such as ``"train.epochs=20"``; the value is read as TOML.

    Raises:
        RecipeError: There is no such recipe or key, or a value has a wrong type.

    Example:
        >>> load_recipe("baseline", overrides=["train.epochs=20"]).train.epochs
        20
    """
    table = _read_toml(name)
    for override in overrides:
        _override(table, override)
    return recipe_from_dict({"name": Path(name).stem, **table})


def recipe_from_dict(table: Mapping[str, Any]) -> Recipe:
    """Build a recipe from nested dicts, such as `Recipe.to_dict` or parsed TOML.

    Raises:
        RecipeError: A key is unknown or a value has a wrong type.
    """
    recipe: Recipe = _build(Recipe, table, prefix="")
    return recipe


def _read_toml(name: str) -> dict[str, Any]:
    """Find and parse the recipe's file."""
    if name in list_recipes():
        text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        raise RecipeError(
            f"there is no recipe {name!r}: expected one of {', '.join(list_recipes())}, or the path of a TOML file."
            f"{did_you_mean(name, list_recipes())}"
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name!r} is not valid TOML: {error}") from None


def _override(table: dict[str, Any], setting: str) -> None:
    """Set one value in place: ``"train.epochs=20"``; a word needs no quotes, because shells remove them."""
    path, equals, text = setting.partition("=")
    section, dot, key = path.strip().partition(".")
    if not equals or not dot:
        raise RecipeError(f"cannot set {setting!r}: expected section.key=value, such as train.epochs=20")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
        if not WORD.fullmatch(value):
            raise RecipeError(f"cannot set {setting!r}: {text!r} is neither a TOML value nor a word") from None
    table.setdefault(section, {})[key] = value


def _build(kind: type[Any], table: Mapping[str, Any], *, prefix: str) -> Any:
    """Build a config dataclass from a table, checking each key and type."""
    hints = get_type_hints(kind)
    unknown = set(table).difference(hints)
    if unknown:
        key = sorted(unknown)[0]
        raise RecipeError(
            f"unknown recipe key {prefix + key!r}; expected one of {', '.join(prefix + name for name in hints)}."
            f"{did_you_mean(key, hints)}"
        )
    return kind(**{key: _value(hints[key], value, prefix + key) for key, value in table.items()})


def _value(hint: Any, value: Any, name: str) -> Any:
    """Convert one TOML value to the field's type."""
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return _build(hint, value, prefix=f"{name}.")  # type: ignore[arg-type]
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(value, list | tuple) and "tuple" in str(hint):
        return tuple(value)
    if isinstance(value, Mapping) and "Mapping" in str(hint):
        return dict(value)
    if type(value) is not hint:
        raise RecipeError(f"recipe key {name!r} must be {getattr(hint, '__name__', hint)}, but is {value!r}")
    return value
