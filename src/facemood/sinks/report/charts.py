"""The charts of a report, as HTML with inline SVG: stacked areas, strips, face counts, action units, bars.

Shapes are SVG, which stretches with the page. Texts are HTML, which does not.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.affect import VALENCE
from facemood.facs import KEYS, NAMES
from facemood.languages import Say
from facemood.render.palette import hex_of
from facemood.render.plots import stacking_order, time_ticks, visible_spans
from facemood.spacing import evenly_spaced
from facemood.text import clock, share_percent, share_range
from facemood.timeline import INSTANT, MAX_POINTS, Blink, Timeline, Track, downsample, find_episodes

Span = tuple[float, float]
"""Start and end of a video's time axis in seconds."""

WIDTH = MAX_POINTS
"""Width of a chart in SVG units: one for each point."""

HEIGHT = 300
"""Height of a chart in SVG units. Coordinates are rounded to integers, which keeps the file small."""

MIN_VISIBLE = 0.005
"""A label whose probability never exceeds this value has no area; it would be less than 2 units high."""

DENSE = 500
"""Number of points above which a chart has no lines between its areas; they would cover the colours."""

CROWDED = 120
"""Number of episodes above which a strip has no lines between them."""

MIN_LABELLED = 0.03
"""Smallest share of the time axis for which an episode in a strip has its label written on it."""

FAINT = 0.1
"""Intensity of action units and derived measures below which nothing is drawn, 0..1."""


def colour_rules(labels: Sequence[str]) -> str:
    """Return the CSS rules with the colour of each label."""
    return "".join(f".c{number}{{--colour:{hex_of(label)}}}" for number, label in enumerate(labels))


def legend(labels: Sequence[str], *, say: Say = str) -> str:
    """Return the legend: the words for labels with their colours, in the order of the stacked areas from the top."""
    order = reversed(stacking_order(labels))
    keys = "".join(f'<li><span class="key c{labels.index(label)}"></span>{escape(say(label))}</li>' for label in order)
    return f'<ul class="legend" aria-label="Colours">{keys}</ul>'


def area_chart(track: Track, span: Span, *, title: str, say: Say = str) -> str:
    """Return a person's probabilities over time as stacked areas, with the strip of the most probable labels below.

    Args:
        track: The person.
        span: The time axis.
        title: Name of the person.
        say: Returns the word for a label.
    """
    description = f"{title}: probabilities of the expressions over time, stacked. Mostly {mostly(track, say)}."
    drawn = downsample(track)
    areas = "".join(f'<path class="c{number}" d="{path}"/>' for number, path in _areas(drawn, span))
    grid = "".join(f'<path class="grid" d="M0 {y}H{WIDTH}"/>' for y in (HEIGHT // 4, HEIGHT // 2, HEIGHT * 3 // 4))
    levels = _levels({"100%": 1.0, "50%": 0.5, "0%": 0.0})
    series = {
        **_times(drawn.timestamps, drawn.ends),
        "names": list(map(say, drawn.labels)),
        "rows": np.rint(drawn.probabilities * 100).astype(int).T.tolist(),
    }
    kind = "areas dense" if len(drawn) > DENSE else "areas"
    return _figure(kind, _svg(areas + grid, description) + levels, span, series, below=strip(track, span, say))


def face_count_chart(timeline: Timeline, span: Span) -> str:
    """Return the number of faces over time, as steps. A long video is downsampled to the maximum in each bin."""
    times, ends, counts = _downsampled_counts(timeline)
    most = int(counts.max(initial=1))
    xs, ys = _to_x(np.append(times, ends[-1]), span), np.rint(HEIGHT * (1 - counts / most)).astype(int)
    steps = "".join(f"V{y}H{x}" for x, y in zip(xs[1:].tolist(), ys.tolist(), strict=True))
    description = f"Number of faces over time: from {counts.min()} to {counts.max()}."
    area = f'<path class="face-counts" d="M{xs[0]} {HEIGHT}{steps}V{HEIGHT}Z"/>'
    series = {**_times(times, ends), "counts": counts.tolist()}
    return _figure("counts", _svg(area, description) + _levels({str(most): 1.0, "0": 0.0}), span, series)


def strip(track: Track, span: Span, say: Say = str) -> str:
    """Return a person's most probable labels over time as a coloured strip, with words where they fit."""
    episodes = list(_strip_episodes(downsample(track), span, say))
    kind = "strip dense" if len(episodes) > CROWDED else "strip"
    return f'<div class="{kind}" aria-hidden="true">{"".join(episodes)}</div>'


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
        _line(f"{code} {NAMES[code]}", _steps(drawn, drawn.units[:, KEYS.index(code)], span), "line")
        for code in units
        if drawn.units is not None
    ]
    if blinks:
        middles = _to_x(np.array([(blink.start + blink.end) / 2 for blink in blinks]), span).tolist()
        lines.append(_line("blinks", "".join(f"M{x} 0V{HEIGHT}" for x in middles), "line ticks"))
    return f'<div class="units">{"".join(lines)}<span></span>{time_axis(span)}</div>' if lines else ""


def measure_chart(track: Track, span: Span) -> str:
    """Return the derived measures of a person over time, one line each; valence is drawn up and down from the middle.

    Args:
        track: The person.
        span: The time axis.
    """
    drawn = downsample(track)
    zero = f"M0 {HEIGHT // 2}H{WIDTH}V{HEIGHT // 2 + 1}H0Z"
    lines = []
    for name, values in drawn.measures.items():
        signed = name == VALENCE
        path = _steps(drawn, values / 2, span, base=0.5) + zero if signed else _steps(drawn, values, span)
        lines.append(_line(name, path, "line"))
    return f'<div class="units">{"".join(lines)}<span></span>{time_axis(span)}</div>' if lines else ""


def time_axis(span: Span) -> str:
    """Return the time axis below a chart, with round times."""
    ticks = time_ticks(*span, most=7)
    late = span[0] + 0.9 * (span[1] - span[0])  # later texts are put before their marks, to stay inside the page
    marks = "".join(
        f'<span{" class=late" if time > late else ""} style="left:{_left(time, span)}">{text}</span>'
        for time, text in ticks.items()
    )
    return f'<div class="axis" aria-hidden="true">{marks}</div>'


def share_table(
    shares: Mapping[str, float],
    numbers: Mapping[str, str],
    *,
    caption: str,
    unit: str,
    intervals: Mapping[str, tuple[float, float]],
    say: Say = str,
) -> str:
    """Return shares as a table with bars, largest first. A line below lists the labels with share 0.

    Args:
        shares: Share of each label, 0..1.
        numbers: The absolute number for each label, such as its seconds.
        caption: Title of the table.
        unit: Heading of the column of numbers.
        intervals: The sampling interval of each share, 0..1.
        say: Returns the word for a label.
    """
    order = sorted((label for label in shares if shares[label] > 0), key=lambda label: -shares[label])
    labels = list(shares)
    rows = "".join(
        f'<tr><th scope="row"><span class="key c{labels.index(label)}"></span>{escape(say(label))}</th>'
        f'<td class="bar"><span class="c{labels.index(label)}" style="width:{100 * shares[label]:.1f}%"></span></td>'
        f"<td>{escape(share_percent(shares[label]))}</td>"
        f"<td>{escape(share_range(intervals[label]))}</td><td>{escape(numbers[label])}</td></tr>"
        for label in order
    )
    sampling = '<th scope="col"><abbr title="95% sampling interval">interval</abbr></th>'
    never = [label for label in labels if label not in order]
    missing = f'<p class="soft">Never: {escape(", ".join(map(say, never)))}.</p>' if never and order else ""
    return (
        f'<div class="shares"><table><caption>{escape(caption)}</caption><thead><tr><th scope="col">expression</th>'
        f'<th scope="col" class="bar"></th><th scope="col">share</th>{sampling}<th scope="col">{escape(unit)}</th></tr>'
        "</thead>"
        f"<tbody>{rows}</tbody></table>{missing}</div>"
    )


def mostly(track: Track, say: Say = str) -> str:
    """Return a person's two largest shares in words, with their intervals: ``happy (60%, 41-77%) and ...``."""
    shares, intervals = track.shares, track.share_intervals
    order = sorted((label for label in shares if shares[label] >= 0.05), key=lambda label: -shares[label])
    return " and ".join(
        f"{say(label)} ({share_percent(shares[label])}, {share_range(intervals[label])})" for label in order[:2]
    )


def _areas(track: Track, span: Span) -> Iterator[tuple[int, str]]:
    """Yield the index of each label and the outline of its area, from the top to the bottom of the stack.

    Each area reaches down to 0 and the next one is drawn over it, so only the upper edges need points.
    """
    order = [track.labels.index(label) for label in stacking_order(track.labels)]
    tops = track.probabilities[:, order].cumsum(axis=1)  # (T, K)
    tops[:, -1] = 1  # rounding errors must not leave a gap at the top
    xs, ends = _to_x(track.timestamps, span), _to_x(track.ends, span)
    ys = np.rint(HEIGHT * (1 - tops.clip(0, 1))).astype(int)
    parts = visible_spans(track.timestamps, track.ends)
    for layer in reversed(range(len(order))):
        if track.probabilities[:, order[layer]].max(initial=0) > MIN_VISIBLE:
            path = "".join(_outline(xs[a:b], ys[a:b, layer], int(ends[b - 1])) for a, b in parts)
            yield order[layer], path


def _line(name: str, path: str, kind: str) -> str:
    """Return a chart of one line: its name and its path."""
    drawn = _svg(f'<path d="{path}"/>', f"{name} over time")
    return f'<span>{escape(name)}</span><div class="{kind}">{drawn}</div>'


def _steps(track: Track, values: NDArray[np.floating[Any]], span: Span, *, base: float = 0.0) -> str:
    """Return the outline of values over time, as steps from a base; empty where they are unknown or faint.

    Args:
        track: The person.
        values: (T,) values, -1..1.
        span: The time axis.
        base: Height of the value 0 above the bottom of the line, 0..1.
    """
    ground = round(HEIGHT * (1 - base))
    xs, ends = _to_x(track.timestamps, span).tolist(), _to_x(track.ends, span).tolist()
    ys = np.rint(HEIGHT * (1 - base - np.nan_to_num(values))).astype(int)
    unknown = np.diff(np.isnan(values).astype(np.int8)) != 0
    gaps = track.timestamps[1:] > track.ends[:-1] + INSTANT
    changes = np.flatnonzero(unknown | gaps | (np.diff(ys) != 0)) + 1
    bounds = [0, *changes.tolist(), len(track)]
    return "".join(
        f"M{xs[first]} {ground}V{ys[first]}H{max(ends[end - 1], xs[first] + 1)}V{ground}Z"
        for first, end in itertools.pairwise(bounds)
        if abs(values[first]) >= FAINT * (1 - base)
    )


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
        place = f"left:{_left(episode.start, span)};width:{100 * share:.2f}%"
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


def _figure(kind: str, drawn: str, span: Span, series: dict[str, Any], *, below: str = "") -> str:
    """Return a chart with its time axis, and the numbers that the script shows at the pointer."""
    data = json.dumps({"span": [round(1000 * time) for time in span], **series}, separators=(",", ":"))
    safe = data.replace("<", "\\u003c")  # a label must not end the script
    return (
        f'<div class="chart {kind}"><p class="read" role="status"></p><div class="ground" tabindex="-1">{drawn}</div>'
        f'{below}{time_axis(span)}<script type="application/json">{safe}</script></div>'
    )


def _times(timestamps: NDArray[np.float64], ends: NDArray[np.float64]) -> dict[str, list[int]]:
    """Return start and end of frames in whole milliseconds."""
    return {name: np.rint(1000 * of).astype(int).tolist() for name, of in (("times", timestamps), ("ends", ends))}


def _svg(shapes: str, description: str) -> str:
    """Return shapes as an SVG that stretches with the page, with a description for screen readers."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{escape(description)}">'
        f"{shapes}</svg>"
    )


def _levels(levels: Mapping[str, float]) -> str:
    """Return the labels of the vertical axis, each at its height 0..1."""
    marks = "".join(f'<span style="bottom:{100 * height:g}%">{text}</span>' for text, height in levels.items())
    return f'<div class="levels" aria-hidden="true">{marks}</div>'


def _to_x(times: NDArray[np.float64], span: Span) -> NDArray[np.int64]:
    """Convert times in seconds to x in SVG units."""
    return np.rint(WIDTH * (times - span[0]) / (span[1] - span[0])).astype(np.int64)


def _left(time: float, span: Span) -> str:
    """Return the position of a time in per cent of the axis."""
    return f"{100 * (time - span[0]) / (span[1] - span[0]):.2f}%"
