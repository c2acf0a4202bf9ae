"""What the fields of a model card may hold. A card comes out of a file that anyone may have made, so all is checked.

Every rule takes a field's name and its value, and raises a ValueError that names the field.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from facemood.labels import check_labels

Rule = Callable[[str, Any], None]

COLOURS = {"grey": 1, "bgr": 3, "rgb": 3}
"""The colours of an input, and how many channels each has."""

LONGEST_CARD = 1_000_000
"""Characters of a card's JSON at most; those of facemood's own models have 6,000."""

LONGEST_WORD = 200
"""Characters of a name, of a model or a head, at most."""

DEEPEST = 20
"""How deep tables and lists may stand in each other; those of facemood's own cards reach 5."""

LARGEST_SIDE = 1024
"""Pixels of an input's side at most: a batch of 64 faces in colour then needs 0.8 GB."""

LARGEST_NUMBER = 2**63
"""Whole numbers of free tables lie below it, so that they fit into every reader's integers."""

SUM_TOLERANCE = 0.01
"""How far the shares of a prior may be from a sum of 1: each is rounded to 5 decimals."""


def read_json(text: str) -> dict[str, Any]:
    """Read the JSON of a card; of equal keys none is dropped in silence.

    Raises:
        ValueError: The text is too long, no JSON, nested too deep, no table, has a key twice, or holds NaN.
    """
    if len(text) > LONGEST_CARD:
        raise ValueError(f"it has {len(text):,} characters; expected {LONGEST_CARD:,} at most")
    try:
        table = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("its tables and lists are nested too deep") from None
    if not isinstance(table, dict):
        raise ValueError(f"it must be a table, but is {reprlib.repr(table)}")
    for field, value in table.items():
        _free(field, value)
    return table


def check_fields(fields: Mapping[str, Any]) -> None:
    """Make sure that each field of a card has its type and range, and that the fields agree with each other.

    Args:
        fields: All fields of a `ModelCard`, by name.

    Raises:
        ValueError: One does not; the message names it.
    """
    for field, rule in RULES.items():
        rule(field, fields[field])
    _check_channels(fields)
    _check_heads(fields)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a table of pairs whose keys differ."""
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {reprlib.repr(twice)} stands twice in one table")
    return table


def _check_channels(fields: Mapping[str, Any]) -> None:
    """Make sure that colour, mean and std have the same channels."""
    colour = fields["colour"]
    if colour not in COLOURS:
        raise ValueError(f"colour must be one of {', '.join(COLOURS)}, but is {colour!r}")
    channels = COLOURS[colour]
    if len(fields["mean"]) != channels or len(fields["std"]) != channels:
        raise ValueError(f"mean and std need {channels} numbers for the colour {colour}")


def _check_heads(fields: Mapping[str, Any]) -> None:
    """Make sure that what is said of heads is said of heads that there are."""
    heads = fields["heads"]
    if fields["default_head"] not in heads:
        raise ValueError(f"default_head: the default head {fields['default_head']!r} is not among {', '.join(heads)}")
    for field in ("temperature", "prior", "balance", "certain"):
        unknown = [head for head in fields[field] if head not in heads]
        if unknown:
            raise ValueError(f"{field} names {unknown[0]!r}, which is none of the heads {', '.join(heads)}")
    for head, shares in fields["prior"].items():
        if len(shares) != len(heads[head]):
            raise ValueError(f"prior.{head} must have {len(heads[head])} shares, one a label, but has {len(shares)}")


def _text(field: str, value: Any) -> None:
    """Let a text pass that a terminal can print: no escape or control characters, but spaces and new lines."""
    if not isinstance(value, str) or not all(sign.isprintable() or sign.isspace() for sign in value):
        raise _wrong(field, "text without control characters", value)


def _word(field: str, value: Any) -> None:
    """Let a name pass: a short line of text."""
    if not (isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= LONGEST_WORD):
        raise _wrong(field, f"a line of printable text of {LONGEST_WORD} characters at most", value)


def _number(low: float, high: float) -> Rule:
    """Make a rule for numbers of a range."""

    def check(field: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise _wrong(field, f"a number from {low:g} to {high:g}", value)

    return check


def _list(rule: Rule, *, least: int = 0, most: int = LONGEST_CARD) -> Rule:
    """Make a rule for lists whose entries keep a rule."""

    def check(field: str, value: Any) -> None:
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            raise _wrong(field, "a list" if least < most else f"a list of {least}", value)
        for entry in value:
            rule(field, entry)

    return check


def _table(rule: Rule, *, least: int = 0) -> Rule:
    """Make a rule for tables whose values keep a rule."""

    def check(field: str, value: Any) -> None:
        if not isinstance(value, Mapping) or len(value) < least:
            raise _wrong(field, "a table" if not least else f"a table of at least {least}", value)
        for key, entry in value.items():
            _word(f"a name in {field}", key)
            rule(f"{field}.{key}", entry)

    return check


def _labels(field: str, value: Any) -> None:
    """Let labels pass that can be told apart and printed."""
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(field, "a list of labels", value)
    try:
        check_labels(value)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None


def _side(field: str, value: Any) -> None:
    """Let a whole number of pixels pass."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_SIDE:
        raise _wrong(field, f"two whole numbers from 1 to {LARGEST_SIDE}", value)


def _shares(field: str, value: Any) -> None:
    """Let shares pass that are above 0, as their logarithm is taken, and add up to 1."""
    _list(_number(0, 1))(field, value)
    if min(value, default=0) <= 0 or abs(sum(value) - 1) > SUM_TOLERANCE:
        raise _wrong(field, "a list of shares above 0 that add up to 1", value)


def _crop(field: str, value: Any) -> None:
    """Let a crop pass that has an area and is at most five boxes wide, so that no card asks for gigabytes."""
    _list(_number(-2, 3), least=4, most=4)(field, value)
    left, top, right, bottom = value
    if left >= right or top >= bottom:
        raise _wrong(field, "left, top, right, bottom with left < right and top < bottom", value)


def _free(field: str, value: Any, *, depth: int = 0) -> None:
    """Let anything of JSON pass that is finite, printable and not nested too deep."""
    if depth > DEEPEST:
        raise ValueError(f"{field}: tables and lists are nested too deep; expected {DEEPEST} levels at most")
    if isinstance(value, str):
        _text(field, value)
    elif isinstance(value, Mapping):
        for entry in (*value.keys(), *value.values()):
            _free(field, entry, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for entry in value:
            _free(field, entry, depth=depth + 1)
    elif value is not None and not isinstance(value, int | float):
        raise _wrong(field, "made of text, numbers, tables and lists", value)
    elif value is not None and not _is_finite(value):
        raise ValueError(f"{field} must hold finite numbers, but holds {reprlib.repr(value)}")


def _is_finite(value: float) -> bool:
    """Tell whether a number is neither NaN nor infinite, and no whole number that nobody can hold."""
    return abs(value) < LARGEST_NUMBER if isinstance(value, int) else math.isfinite(value)


def _wrong(field: str, expected: str, value: Any) -> ValueError:
    """Make the error that names a field, what was expected, and what it is, shortened."""
    return ValueError(f"{field} must be {expected}, but is {reprlib.repr(value)}")


RULES: dict[str, Rule] = {
    "name": _word,
    "heads": _table(_labels, least=1),
    "default_head": _word,
    "input_size": _list(_side, least=2, most=2),
    "colour": _word,
    "mean": _list(_number(-1e4, 1e4)),
    "std": _list(_number(1e-3, 1e4)),
    "temperature": _table(_number(0.01, 100)),
    "prior": _table(_shares),
    "balance": _table(_number(0, 10)),
    "certain": _table(_number(0, 1)),
    "framing": _table(_crop),
    "description": _text,
    "version": _text,
    "licence": _text,
    "trained_on": _table(_free),
    "metrics": _table(_free),
    "limits": _list(_text),
    "task": _word,
}
"""The rule of each field. A standard deviation and a temperature divide, so they are not near 0."""
