"""The charts of a report, as HTML with inline SVG: colours and patterns, stacked areas, strips, face counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.languages import Say
from facemood.render.palette import hex_of
from facemood.render.plots import stacking_order, visible_spans
from facemood.sinks.report.chart_parts import (
    HEIGHT,
    WIDTH,
    Span,
    left_of,
    levels_axis,
    milliseconds,
    svg,
    time_axis,
    to_x,
)
from facemood.sinks.report.html_parts import mostly
from facemood.spacing import evenly_spaced
from facemood.text import clock
from facemood.timeline import MAX_POINTS, Timeline, Track, downsample, find_episodes

MIN_VISIBLE = 0.005
"""A label whose probability never exceeds this value has no area; it would be less than 2 units high."""

DENSE = 500
"""Number of points above which a chart has no lines between its areas; they would cover the colours."""

CROWDED = 120
"""Number of episodes above which a strip has no lines between them."""

MIN_LABELLED = 0.03
"""Smallest share of the time axis for which an episode in a strip has its label written on it."""

MIN_NAMED = 0.2
"""Smallest probability of a label whose name is written into its area."""

PATTERNS = (
    "repeating-linear-gradient(45deg,var(--mark) 0 1px,#0000 1px 5px)",
    "repeating-linear-gradient(0deg,var(--mark) 0 1px,#0000 1px 4px)",
    "radial-gradient(circle,var(--mark) 1.2px,#0000 1.5px) 0 0/6px 6px",
    "repeating-linear-gradient(90deg,var(--mark) 0 2px,#0000 2px 9px)",
    "repeating-linear-gradient(-45deg,var(--mark) 0 1px,#0000 1px 5px)",
    "repeating-linear-gradient(45deg,var(--mark) 0 1px,#0000 1px 6px),"
    "repeating-linear-gradient(-45deg,var(--mark) 0 1px,#0000 1px 6px)",
    "linear-gradient(#0000,#0000)",
    "repeating-linear-gradient(-45deg,var(--mark) 0 3px,#0000 3px 8px)",
)
"""Pattern on the colour of each label, by its place, as a background of elements: for readers who see no colours."""


class Period(NamedTuple):
    """A period that is marked above a chart: a segment of a study, or a neutral baseline.

    Attributes:
        name: What is written on it.
        start: Its start in seconds.
        end: Its end in seconds.
        baseline: Whether it is a neutral baseline, which is marked in the chart too.
    """

    name: str
    start: float
    end: float
    baseline: bool = False


def colour_rules(labels: Sequence[str]) -> str:
    """Return the CSS rules with the colour and the pattern of each label."""
    return "".join(
        f".c{number}{{--colour:{hex_of(label)};--pattern:{PATTERNS[number % len(PATTERNS)]}}}"
        for number, label in enumerate(labels)
    )


def legend(labels: Sequence[str], *, say: Say = str) -> str:
    """Return the legend: the words for labels with their colours, in the order of the stacked areas from the top."""
    order = reversed(stacking_order(labels))
    keys = "".join(f'<li><span class="key c{labels.index(label)}"></span>{escape(say(label))}</li>' for label in order)
    return f'<ul class="legend" aria-label="Colours">{keys}</ul>'


def area_chart(track: Track, span: Span, *, title: str, periods: Sequence[Period] = (), say: Say = str) -> str:
    """Return a person's probabilities over time as stacked areas, with the strip of the most probable labels below.

    Args:
        track: The person.
        span: The time axis.
        title: Name of the person.
        periods: What is marked: segments above the chart, baselines in it too.
        say: Returns the word for a label.
    """
    description = f"{title}: probabilities of the expressions over time, stacked. Mostly {mostly(track, say)}."
    drawn = downsample(track)
    areas = "".join(f'<path class="c{number}" d="{path}"/>' for number, path in _areas(drawn, span))
    grid = "".join(f'<path class="grid" d="M0 {y}H{WIDTH}"/>' for y in (HEIGHT // 4, HEIGHT // 2, HEIGHT * 3 // 4))
    levels = levels_axis({"100%": 1.0, "50%": 0.5, "0%": 0.0})
    series = {
        **_times(drawn.timestamps, drawn.ends),
        "names": list(map(say, drawn.labels)),
        "rows": np.rint(drawn.probabilities * 100).astype(int).T.tolist(),
    }
    kind = "areas dense" if len(drawn) > DENSE else "areas"
    names = "".join(_names(drawn, span, say))
    inside = svg(areas + grid, description) + names + "".join(_baselines(periods, span)) + levels
    return _figure(kind, inside, span, series, above=period_rows(periods, span), below=strip(track, span, say))


def period_rows(periods: Sequence[Period], span: Span) -> str:
    """Return the periods as bars with their names: a row of segments and one of baselines, as far as there are any."""
    rows = []
    for kind in (False, True):
        bars = "".join(
            f'<span style="{_place(one, span)}" title="{escape(one.name)}, {_times_of(one)}">{escape(one.name)}</span>'
            for one in periods
            if one.baseline is kind and _is_inside(one, span)
        )
        rows.append(f'<div class="periods{" baseline" * kind}">{bars}</div>' if bars else "")
    return "".join(rows)


def face_count_chart(timeline: Timeline, span: Span) -> str:
    """Return the number of faces over time, as steps. A long video is downsampled to the maximum in each bin."""
    times, ends, counts = _downsampled_counts(timeline)
    most = int(counts.max(initial=1))
    xs, ys = to_x(np.append(times, ends[-1]), span), np.rint(HEIGHT * (1 - counts / most)).astype(int)
    steps = "".join(f"V{y}H{x}" for x, y in zip(xs[1:].tolist(), ys.tolist(), strict=True))
    description = f"Number of faces over time: from {counts.min()} to {counts.max()}."
    area = f'<path class="face-counts" d="M{xs[0]} {HEIGHT}{steps}V{HEIGHT}Z"/>'
    series = {**_times(times, ends), "counts": counts.tolist()}
    return _figure("counts", svg(area, description) + levels_axis({str(most): 1.0, "0": 0.0}), span, series)


def strip(track: Track, span: Span, say: Say = str) -> str:
    """Return a person's most probable labels over time as a coloured strip, with words where they fit."""
    episodes = list(_strip_episodes(downsample(track), span, say))
    kind = "strip dense" if len(episodes) > CROWDED else "strip"
    return f'<div class="{kind}" aria-hidden="true">{"".join(episodes)}</div>'


def _areas(track: Track, span: Span) -> Iterator[tuple[int, str]]:
    """Yield the index of each label and the outline of its area, from the top to the bottom of the stack.

    Each area reaches down to 0 and the next one is drawn over it, so only the upper edges need points.
    """
    order = [track.labels.index(label) for label in stacking_order(track.labels)]
    tops = track.probabilities[:, order].cumsum(axis=1)  # (T, K)
    tops[:, -1] = 1  # rounding errors must not leave a gap at the top
    xs, ends = to_x(track.timestamps, span), to_x(track.ends, span)
    ys = np.rint(HEIGHT * (1 - tops.clip(0, 1))).astype(int)
    parts = visible_spans(track.timestamps, track.ends)
    for layer in reversed(range(len(order))):
        if track.probabilities[:, order[layer]].max(initial=0) > MIN_VISIBLE:
            path = "".join(_outline(xs[a:b], ys[a:b, layer], int(ends[b - 1])) for a, b in parts)
            yield order[layer], path


def _names(track: Track, span: Span, say: Say) -> Iterator[str]:
    """Yield the name of each label, in the middle of its area where it is thickest for longest."""
    order = [track.labels.index(label) for label in stacking_order(track.labels)]
    rows = track.probabilities[:, order]
    tops = rows.cumsum(axis=1)
    parts = visible_spans(track.timestamps, track.ends)
    for layer, column in enumerate(order):
        thick = rows[:, layer] >= MIN_NAMED
        runs = [run for first, end in parts for run in _runs(thick[first:end], first)]
        if not runs:
            continue
        first, end = max(runs, key=lambda run: track.ends[run[1] - 1] - track.timestamps[run[0]])
        width = (track.ends[end - 1] - track.timestamps[first]) / (span[1] - span[0])
        if width >= MIN_LABELLED:
            middle = (first + end - 1) // 2
            height = float(tops[middle, layer] - rows[middle, layer] / 2)
            place = f"left:{left_of(track.timestamps[first], span)};width:{100 * width:.2f}%;bottom:{100 * height:.0f}%"
            word = escape(say(track.labels[column]))
            yield f'<span class="name" style="{place}" aria-hidden="true"><b>{word}</b></span>'


def _runs(values: NDArray[np.bool_], start: int) -> list[tuple[int, int]]:
    """Return the runs of true values, as index of the first and end (exclusive), counted from a start."""
    edges = np.flatnonzero(np.diff(values, prepend=False, append=False)) + start
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _baselines(periods: Sequence[Period], span: Span) -> Iterator[str]:
    """Yield a mark in the chart for each baseline."""
    for one in periods:
        if one.baseline and _is_inside(one, span):
            yield f'<span class="base" style="{_place(one, span)}"></span>'


def _is_inside(period: Period, span: Span) -> bool:
    """Return whether a part of a period lies on a time axis."""
    return period.start < span[1] and period.end > span[0]


def _place(period: Period, span: Span) -> str:
    """Return left and width of a period, cut to the time axis."""
    start, end = max(period.start, span[0]), min(period.end, span[1])
    return f"left:{left_of(start, span)};width:{100 * (end - start) / (span[1] - span[0]):.2f}%"


def _times_of(period: Period) -> str:
    """Return when a period is, in words."""
    end = "the end" if np.isinf(period.end) else clock(period.end, decimals=1)
    return f"{clock(period.start, decimals=1)} to {end}"


def _outline(xs: NDArray[np.int64], ys: NDArray[np.int64], end: int) -> str:
    """Return the outline of one area as an SVG path.

    Args:
        xs: (N,) x of the points.
        ys: (N,) y of the upper edge.
        end: x at which the last point ends.
    """
    steps = "".join(
        f"l{x} {y}" if x else f"v{y}" for x, y in zip(np.diff(xs).tolist(), np.diff(ys).tolist(), strict=True) if x or y
    )
    return f"M{xs[0]} {HEIGHT}V{ys[0]}{steps}H{max(end, int(xs[-1]) + 1)}V{HEIGHT}Z"


def _strip_episodes(track: Track, span: Span, say: Say) -> Iterator[str]:
    """Yield the HTML of each episode in a strip."""
    for episode in find_episodes(track, min_seconds=0):
        share = episode.seconds / (span[1] - span[0])
        label = escape(say(episode.label))
        times = f"{clock(episode.start, decimals=1)} to {clock(episode.end, decimals=1)}"
        place = f"left:{left_of(episode.start, span)};width:{100 * share:.2f}%"
        word = f"<b>{label}</b>" if share >= MIN_LABELLED else ""
        yield f'<i class="c{track.labels.index(episode.label)}" style="{place}" title="{label}, {times}">{word}</i>'


def _downsampled_counts(timeline: Timeline) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    """Return starts, ends and face counts: one entry per change, or the maxima in `MAX_POINTS` bins if that is less."""
    changes = np.flatnonzero(np.diff(timeline.face_counts, prepend=-1))
    if len(changes) > MAX_POINTS:
        changes = evenly_spaced(len(timeline.face_counts), MAX_POINTS)
    counts = np.maximum.reduceat(timeline.face_counts, changes)
    times = timeline.timestamps[changes]
    return times, np.append(times[1:], timeline.ends[-1]), counts


def _figure(kind: str, drawn: str, span: Span, series: dict[str, Any], *, above: str = "", below: str = "") -> str:
    """Return a chart with its time axis, and the numbers that the script shows at the pointer."""
    data = json.dumps({"span": milliseconds(span), **series}, separators=(",", ":"))
    safe = data.replace("<", "\\u003c")  # a label must not end the script
    return (
        f'<div class="chart {kind}"><p class="read" role="status"></p>{above}'
        f'<div class="ground" tabindex="-1">{drawn}</div>'
        f'{below}{time_axis(span)}<script type="application/json">{safe}</script></div>'
    )


def _times(timestamps: NDArray[np.float64], ends: NDArray[np.float64]) -> dict[str, list[int]]:
    """Return start and end of frames in whole milliseconds."""
    return {name: np.rint(1000 * of).astype(int).tolist() for name, of in (("times", timestamps), ("ends", ends))}
