"""What the charts of a report are made of: SVG shapes that stretch with the page, places on the time axis, axes.

Shapes are SVG, which stretches with the page. Texts are HTML, which does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

from facemood.render.plots import time_ticks
from facemood.timeline import MAX_POINTS

Span = tuple[float, float]
"""Start and end of a video's time axis in seconds."""

WIDTH = MAX_POINTS
"""Width of a chart in SVG units: one for each point."""

HEIGHT = 300
"""Height of a chart in SVG units. Coordinates are rounded to integers, which keeps the file small."""


def time_axis(span: Span, *, most: int = 7) -> str:
    """Return the time axis below a chart, with round times, at most so many."""
    ticks = time_ticks(*span, most=most)
    late = span[0] + 0.9 * (span[1] - span[0])  # later texts are put before their marks, to stay inside the page
    marks = "".join(
        f'<span{" class=late" if time > late else ""} style="left:{left_of(time, span)}">{text}</span>'
        for time, text in ticks.items()
    )
    return f'<div class="axis" aria-hidden="true">{marks}</div>'


def svg(shapes: str, description: str) -> str:
    """Return shapes as an SVG that stretches with the page, with a description for screen readers."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{escape(description)}">'
        f"{shapes}</svg>"
    )


def levels_axis(levels: Mapping[str, float]) -> str:
    """Return the labels of the vertical axis, each at its height 0..1."""
    marks = "".join(f'<span style="bottom:{100 * height:g}%">{text}</span>' for text, height in levels.items())
    return f'<div class="levels" aria-hidden="true">{marks}</div>'


def to_x(times: NDArray[np.float64], span: Span) -> NDArray[np.int64]:
    """Convert times in seconds to x in SVG units."""
    return np.rint(WIDTH * (times - span[0]) / (span[1] - span[0])).astype(np.int64)


def left_of(time: float, span: Span) -> str:
    """Return the position of a time in per cent of the axis."""
    return f"{100 * (time - span[0]) / (span[1] - span[0]):.2f}%"


def milliseconds(span: Span) -> list[int]:
    """Return a time axis in whole milliseconds, as the script of the page takes it."""
    return [round(1000 * time) for time in span]
