"""Numbers, times, lists and tables as text, for messages, pages and reports."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any


def percent(probability: float) -> str:
    """Format a probability in whole per cent, as the page does: halves are rounded up.

    It never says 0% or 100%, because no prediction is certain.

    Args:
        probability: 0..1.

    Example:
        >>> percent(0.9997), percent(0.42), percent(0.001)
        ('>99%', '42%', '<1%')
    """
    if probability >= 0.995:
        return ">99%"
    return "<1%" if probability <= 0.005 else f"{math.floor(100 * probability + 0.5)}%"


def share_percent(share: float) -> str:
    """Format a counted share in whole per cent. Only none is 0%, and only all is 100%.

    Args:
        share: 0..1.

    Example:
        >>> share_percent(0.0), share_percent(0.004), share_percent(0.42), share_percent(0.9996), share_percent(1.0)
        ('0%', '<1%', '42%', '>99%', '100%')
    """
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "<1%"
    return ">99%" if whole == 100 and share < 1 else f"{whole}%"


def share_range(interval: Sequence[float]) -> str:
    """Format the interval of a counted share in whole per cent.

    Args:
        interval: Its lower and upper bound, 0..1.

    Example:
        >>> share_range((0.118, 0.71))
        '12-71%'
    """
    low, high = (round(100 * end) for end in interval)
    return f"{low}-{high}%"


def exact_percent(share: float | None) -> str:
    """Format a measured share in per cent with one decimal, or a dash for None.

    Args:
        share: 0..1.

    Example:
        >>> exact_percent(0.6842), exact_percent(None)
        ('68.4%', '-')
    """
    return "-" if share is None else f"{share:.1%}"


def with_interval(share: float, interval: Sequence[float]) -> str:
    """Format a measured share in per cent with the interval that it lies in.

    Args:
        share: 0..1.
        interval: Its lower and upper bound, 0..1.

    Example:
        >>> with_interval(0.6842, (0.67, 0.7))
        '68.4% (67.0 to 70.0)'
    """
    return f"{exact_percent(share)} ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def count(number: int, noun: str, plural: str = "") -> str:
    """Format a number with its noun in the singular or the plural.

    Args:
        number: How many.
        noun: The singular.
        plural: The plural, where it is not the singular with an s.

    Example:
        >>> count(1, "face"), count(2000, "face"), count(2, "person", "people")
        ('1 face', '2,000 faces', '2 people')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def joined(words: Sequence[str], *, last: str = "and") -> str:
    """Join words to a list as in a sentence.

    Args:
        words: The items.
        last: The word before the last item.

    Example:
        >>> joined(["a", "b", "c"]), joined(["blur", "box"], last="or"), joined(["a"]), joined([])
        ('a, b and c', 'blur or box', 'a', '')
    """
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def person_name(number: int | None, participants: Sequence[str] = ()) -> str:
    """Return how a person is called on drawn videos, in tables for people and in reports alike.

    Args:
        number: Track ID; None for a person without one.
        participants: Who of a study this is.

    Example:
        >>> person_name(3), person_name(3, ["p01"]), person_name(None, ["p01"]), person_name(None)
        ('3', '3 (p01)', 'p01', '')
    """
    names, first = joined(participants, last="or"), "" if number is None else str(number)
    return f"{first} ({names})" if first and names else first or names


def clock(seconds: float, *, decimals: int = 0) -> str:
    """Format a time as minutes and seconds, with hours from one hour on.

    Example:
        >>> clock(75.25), clock(75.25, decimals=2), clock(3605)
        ('1:15', '1:15.25', '1:00:05')
    """
    units = round(seconds * 10**decimals)
    whole, rest = divmod(abs(units), 10**decimals)
    minutes, hours = whole // 60 % 60, whole // 3600
    text = f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
    return ("-" if units < 0 else "") + text + (f".{rest:0{decimals}}" if decimals else "")


def parse_seconds(text: str) -> float:
    """Parse a time such as 70, 1:10 or 0:01:10.5 into seconds.

    Raises:
        ValueError: The text is not a time.

    Example:
        >>> parse_seconds("70"), parse_seconds("1:10"), parse_seconds("0:01:10.5")
        (70.0, 70.0, 70.5)
    """
    total = 0.0
    for part in text.strip().split(":"):
        if not re.fullmatch(r"\d+(\.\d*)?", part):
            raise ValueError(f"expected a time such as 70 or 1:10, but got {text!r}")
        total = 60 * total + float(part)
    return total


def markdown_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Format rows with the same keys as a Markdown table; without rows it is the word None.

    Example:
        >>> print(markdown_table([{"split": "test", "n": 3}]))
        | split | n |
        |---|---|
        | test | 3 |
    """
    if not rows:
        return "None."
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    body = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([body[0], "|" + "---|" * len(rows[0]), *body[1:]])


def fill_template(text: str, values: Mapping[str, str]) -> str:
    """Replace the ``{{names}}`` of a template by their values.

    Example:
        >>> fill_template("{{n}} faces", {"n": "43"})
        '43 faces'
    """
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    return text
