"""Parse times of the command line: frames or seconds, and periods such as 0:00-0:10."""

from __future__ import annotations

import re
from typing import Literal

import typer

from facemood.text import parse_seconds


def parse_every(text: str | None) -> float | Literal["auto"] | None:
    """Parse the sampling interval of a video: frames as int, seconds as float.

    Args:
        text: ``"5"`` for every fifth frame, ``"0.5s"`` or ``"0.5"`` for one frame every half second, ``"auto"`` for
            frames that differ; None for all.

    Raises:
        typer.BadParameter: The text is none of these, or not above 0.

    Example:
        >>> parse_every("5"), parse_every("0.5s"), parse_every("2s")
        (5, 0.5, 2.0)
    """
    if text is None:
        return None
    if text.strip() == "auto":
        return "auto"
    found = re.fullmatch(r"(\d+)|(\d*\.?\d+)\s*s?", text.strip())
    value = 0 if found is None else int(found[1]) if found[1] else float(found[2])
    if not value:
        raise typer.BadParameter(f"--every: expected frames such as 5, seconds such as 0.5s, or auto, but got {text!r}")
    return value


def parse_period(text: str | None) -> tuple[float, float] | None:
    """Parse a period into its start and end in seconds.

    Args:
        text: ``"0:00-0:10"``, ``"5-12.5"`` or ``"1:02:03-1:02:30"``; None for no period.

    Raises:
        typer.BadParameter: The text is not a period, or the period ends before it begins.

    Example:
        >>> parse_period("0:05-1:10")
        (5.0, 70.0)
    """
    if text is None:
        return None
    start, dash, end = text.partition("-")
    try:
        period = (parse_seconds(start), parse_seconds(end))
    except ValueError:
        dash = ""
        period = (0.0, 0.0)
    if not dash or period[1] <= period[0]:
        raise typer.BadParameter(f"--baseline: expected a period such as 0:00-0:10 or 5-15, but got {text!r}")
    return period


UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}
"""Seconds of the units of a duration."""


def parse_segment(text: str | None) -> float | None:
    """Parse the length of the segments of a video into seconds.

    Args:
        text: ``"10m"``, ``"600"``, ``"1h"`` or ``"0:10:00"``; None for whole videos.

    Raises:
        typer.BadParameter: The text is no duration.

    Example:
        >>> parse_segment("10m"), parse_segment("0:10:00"), parse_segment("1.5h")
        (600.0, 600.0, 5400.0)
    """
    if text is None:
        return None
    found = re.fullmatch(r"([\d.:]+)\s*([hms]?)", text.strip())
    try:
        return parse_seconds(found[1]) * UNITS[found[2]] if found else parse_seconds(text)
    except ValueError:
        raise typer.BadParameter(
            f"--segment: expected a duration such as 10m, 600 or 0:10:00, but got {text!r}"
        ) from None
