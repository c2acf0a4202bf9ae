"""Validation of model cards. A card comes from a file that anyone may have made, so every field is checked.

A rule takes a field's name and its value, and raises a ValueError that names the field.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from facemood.labels import check_labels

Rule = Callable[[str, Any], None]

CHANNELS = {"grey": 1, "bgr": 3, "rgb": 3}
"""Number of channels of each input colour."""

LONGEST_CARD = 1_000_000
"""Largest number of characters of a card's JSON; those of facemood's own models have 6,000."""

LONGEST_WORD = 200
"""Largest number of characters of the name of a model or head."""

DEEPEST = 20
"""Deepest nesting of tables and lists; facemood's own cards reach 5."""

LARGEST_SIDE = 1024
"""Largest side of an input in pixels: a batch of 64 faces in colour then needs 0.8 GB."""

LARGEST_NUMBER = 2**63
"""Integers of free tables must be below it, so that they fit into 64 bits."""

SUM_TOLERANCE = 0.01
"""How far the sum of a prior's shares may differ from 1, because each is rounded to 5 decimals."""


def read_json(text: str) -> dict[str, Any]:
    """Read the JSON of a card; repeated keys are an error.

    Raises:
        ValueError: The text is too long, not JSON, nested too deeply, not a table, has a repeated key, or has NaN.
    """
    if len(text) > LONGEST_CARD:
        raise ValueError(f"it has {len(text):,} characters; expected at most {LONGEST_CARD:,}")
    try:
        table = json.loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("its tables and lists are nested too deeply") from None
    if not isinstance(table, dict):
        raise ValueError(f"it must be a table, but is {reprlib.repr(table)}")
    for field, value in table.items():
        _free(field, value)
    return table


def check_fields(fields: Mapping[str, Any]) -> None:
    """Check the type and range of each field of a card, and that the fields agree with each other.

    Args:
        fields: All fields of a `ModelCard`, by name.

    Raises:
        ValueError: A field is wrong. The message names it.
    """
    for field, rule in RULES.items():
        rule(field, fields[field])
    _check_channels(fields)
    _check_heads(fields)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a table of pairs; repeated keys are an error."""
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {reprlib.repr(repeated)} is repeated in one table")
    return table


def _check_channels(fields: Mapping[str, Any]) -> None:
    """Check that colour, mean and std have the same number of channels."""
    colour = fields["colour"]
    if colour not in CHANNELS:
        raise ValueError(f"colour must be one of {', '.join(CHANNELS)}, but is {colour!r}")
    channels = CHANNELS[colour]
    if len(fields["mean"]) != channels or len(fields["std"]) != channels:
        raise ValueError(f"mean and std need {channels} numbers for the colour {colour}")


def _check_heads(fields: Mapping[str, Any]) -> None:
    """Check that fields by head name existing heads only."""
    heads = fields["heads"]
    if fields["default_head"] not in heads:
        raise ValueError(f"default_head: the default head {fields['default_head']!r} is not among {', '.join(heads)}")
    for field in ("temperature", "prior", "balance", "certain"):
        unknown = [head for head in fields[field] if head not in heads]
        if unknown:
            raise ValueError(f"{field} names {unknown[0]!r}, which is not one of the heads {', '.join(heads)}")
    _check_points(fields["operating_point"], fields)
    for head, shares in fields["prior"].items():
        if len(shares) != len(heads[head]):
            raise ValueError(f"prior.{head} must have {len(heads[head])} shares, one per label, but has {len(shares)}")


def _check_points(points: Mapping[str, Any], fields: Mapping[str, Any]) -> None:
    """Check that operating points pool heads that exist, with priors and with labels that the first head knows."""
    heads = fields["heads"]
    for head, point in points.items():
        for name in (head, point["second"]):
            if name not in heads or name not in fields["prior"]:
                raise ValueError(f"operating_point.{head} needs the head {name!r} and its prior")
        if not set(heads[point["second"]]) <= set(heads[head]):
            raise ValueError(
                f"operating_point.{head} pools {point['second']!r}, which has labels that {head!r} has not"
            )


def _text(field: str, value: Any) -> None:
    """Accept a text that is safe to print: no escape or control characters except spaces and new lines."""
    if not isinstance(value, str) or not "".join(value.split()).isprintable():
        raise _wrong(field, "text without control characters", value)


def _word(field: str, value: Any) -> None:
    """Accept a name: a short line of text."""
    if not (isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= LONGEST_WORD):
        raise _wrong(field, f"a line of printable text of at most {LONGEST_WORD} characters", value)


def _number(low: float, high: float) -> Rule:
    """Return a rule for numbers in a range."""

    def check(field: str, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise _wrong(field, f"a number from {low:g} to {high:g}", value)

    return check


def _list(rule: Rule, *, least: int = 0, most: int = LONGEST_CARD) -> Rule:
    """Return a rule for lists, with a rule for the entries."""

    def check(field: str, value: Any) -> None:
        if not isinstance(value, list | tuple) or not least <= len(value) <= most:
            raise _wrong(field, "a list" if least < most else f"a list of {least}", value)
        for entry in value:
            rule(field, entry)

    return check


def _table(rule: Rule, *, least: int = 0) -> Rule:
    """Return a rule for tables, with a rule for the values."""

    def check(field: str, value: Any) -> None:
        if not isinstance(value, Mapping) or len(value) < least:
            raise _wrong(field, "a table" if not least else f"a table of at least {least}", value)
        for key, entry in value.items():
            _word(f"a name in {field}", key)
            rule(f"{field}.{key}", entry)

    return check


def _labels(field: str, value: Any) -> None:
    """Accept a list of unique, printable labels."""
    if not isinstance(value, list | tuple) or not value:
        raise _wrong(field, "a list of labels", value)
    try:
        check_labels(value)
    except ValueError as error:
        raise ValueError(f"{field}: {error}") from None


def _side(field: str, value: Any) -> None:
    """Accept an integer number of pixels."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_SIDE:
        raise _wrong(field, f"two whole numbers from 1 to {LARGEST_SIDE}", value)


def _shares(field: str, value: Any) -> None:
    """Accept shares that add up to 1 and are above 0, because their logarithm is taken."""
    _list(_number(0, 1))(field, value)
    if min(value, default=0) <= 0 or abs(sum(value) - 1) > SUM_TOLERANCE:
        raise _wrong(field, "a list of shares above 0 that add up to 1", value)


def _point(field: str, value: Any) -> None:
    """Accept an operating point: all of its entries, each in its range."""
    if not isinstance(value, Mapping) or set(value) != set(POINT):
        raise _wrong(field, f"a table of {', '.join(POINT)}", value)
    for key, rule in POINT.items():
        rule(f"{field}.{key}", value[key])


def _crop(field: str, value: Any) -> None:
    """Accept a crop that has an area and is at most five boxes wide, so that no card needs gigabytes.

    A face's landmarks have a size (the root mean square of their distances) of about a third of the box, so their crop
    has larger numbers: a tile in which the face is small has those below -2.
    """
    low, high = (-6, 6) if field.endswith(".landmarks") else (-2, 3)
    _list(_number(low, high), least=4, most=4)(field, value)
    left, top, right, bottom = value
    if left >= right or top >= bottom:
        raise _wrong(field, "left, top, right, bottom with left < right and top < bottom", value)


def _free(field: str, value: Any, *, depth: int = 0) -> None:
    """Accept any JSON value that is finite, printable and not nested too deeply."""
    if depth > DEEPEST:
        raise ValueError(f"{field}: tables and lists are nested too deeply; expected at most {DEEPEST} levels")
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
        raise ValueError(f"{field} must have finite numbers, but has {reprlib.repr(value)}")


def _is_finite(value: float) -> bool:
    """Return whether a number is neither NaN nor infinite, and fits into 64 bits if it is an integer."""
    return abs(value) < LARGEST_NUMBER if isinstance(value, int) else math.isfinite(value)


def _wrong(field: str, expected: str, value: Any) -> ValueError:
    """Return the error that names a field, what was expected, and its value, shortened."""
    return ValueError(f"{field} must be {expected}, but is {reprlib.repr(value)}")


POINT: dict[str, Rule] = {
    "second": _word,
    "weight": _number(0, 1),
    "strength": _number(0, 10),
    "temperature": _number(0.01, 100),
    "certain": _number(0, 1),
}
"""The rule of each entry of an operating point."""

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
    "operating_point": _table(_point),
    "framing": _table(_crop),
    "description": _text,
    "version": _text,
    "licence": _text,
    "trained_on": _table(_free),
    "metrics": _table(_free),
    "limits": _list(_text),
    "task": _word,
}
"""The rule of each field. Standard deviations and temperatures are divisors, so they may not be near 0."""
