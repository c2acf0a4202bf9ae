"""Line charts of a report: action units, blinks, derived measures and expressions over time, one line each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.affect import VALENCE
from facemood.facs import KEYS, NAMES
from facemood.sinks.report.chart_parts import HEIGHT, WIDTH, Span, svg, time_axis, to_x
from facemood.timeline import INSTANT, Blink, Track, downsample

FAINT = 0.1
"""Intensity of action units and derived measures below which nothing is drawn, 0..1."""


def unit_chart(track: Track, units: Sequence[str], blinks: Sequence[Blink], span: Span) -> str:
    """Return the intensities of a person's action units over time, one line each, and a line with the blinks.

    Args:
        track: The person.
        units: Codes of the units to draw.
        blinks: The person's blinks.
        span: The time axis.
    """
    drawn = downsample(track)
    assert drawn.units is not None or not units
    lines = [
        _line(f"{code} {NAMES[code]}", steps_of(drawn, drawn.units[:, KEYS.index(code)], span), "line")
        for code in units
        if drawn.units is not None
    ]
    if blinks:
        middles = to_x(np.array([(blink.start + blink.end) / 2 for blink in blinks]), span).tolist()
        lines.append(_line("blinks", "".join(f"M{x} 0V{HEIGHT}" for x in middles), "line ticks"))
    return f'<div class="units">{"".join(lines)}<span></span>{time_axis(span)}</div>' if lines else ""


def measure_chart(track: Track, span: Span) -> str:
    """Return the derived measures of a person over time, one line each; valence is drawn up and down from the middle.

    Args:
        track: The person.
        span: The time axis.
    """
    drawn = downsample(track)
    lines = [_line(name, measure_path(name, values, drawn, span), "line") for name, values in drawn.measures.items()]
    return f'<div class="units">{"".join(lines)}<span></span>{time_axis(span)}</div>' if lines else ""


def measure_path(name: str, values: NDArray[np.floating[Any]], track: Track, span: Span) -> str:
    """Return a derived measure over time as an SVG path; valence goes up and down from a line in the middle.

    Args:
        name: The measure.
        values: (T,) its values.
        track: The person.
        span: The time axis.
    """
    if name != VALENCE:
        return steps_of(track, values, span)
    zero = f"M0 {HEIGHT // 2}H{WIDTH}V{HEIGHT // 2 + 1}H0Z"
    return steps_of(track, values / 2, span, base=0.5) + zero


def _line(name: str, path: str, kind: str) -> str:
    """Return a chart of one line: its name and its path."""
    drawn = svg(f'<path d="{path}"/>', f"{name} over time")
    return f'<span>{escape(name)}</span><div class="{kind}">{drawn}</div>'


def steps_of(
    track: Track, values: NDArray[np.floating[Any]], span: Span, *, base: float = 0.0, faint: float = FAINT
) -> str:
    """Return the outline of values over time, as steps from a base; empty where they are unknown or faint.

    Args:
        track: The person.
        values: (T,) values, -1..1.
        span: The time axis.
        base: Height of the value 0 above the bottom of the line, 0..1.
        faint: Values below this are not drawn, 0..1.
    """
    ground = round(HEIGHT * (1 - base))
    xs, ends = to_x(track.timestamps, span).tolist(), to_x(track.ends, span).tolist()
    ys = np.rint(HEIGHT * (1 - base - np.nan_to_num(values))).astype(int)
    unknown = np.diff(np.isnan(values).astype(np.int8)) != 0
    gaps = track.timestamps[1:] > track.ends[:-1] + INSTANT
    changes = np.flatnonzero(unknown | gaps | (np.diff(ys) != 0)) + 1
    bounds = [0, *changes.tolist(), len(track)]
    return "".join(
        f"M{xs[first]} {ground}V{ys[first]}H{max(ends[end - 1], xs[first] + 1)}V{ground}Z"
        for first, end in itertools.pairwise(bounds)
        if abs(values[first]) >= faint * (1 - base)
    )
