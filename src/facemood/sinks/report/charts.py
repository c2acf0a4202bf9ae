"""The charts of a report, as HTML with inline SVG: stacked areas, strips, head counts, action units, bars.

The shapes are SVG that stretches with the page, the texts are HTML that does not.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.facs import KEYS, NAMES
from facemood.render.palette import hex_of
from facemood.render.plots import in_sight, stacked, time_ticks
from facemood.spacing import evenly_spaced
from facemood.text import clock, share_percent
from facemood.timeline import INSTANT, POINTS, Blink, Timeline, Track, find_episodes, thin

Span = tuple[float, float]
"""The seconds at which a video's time axis begins and ends."""

ACROSS = POINTS
"""Units of a chart's width."""

HIGH = 300
"""Units of a chart's height; whole numbers keep the page small."""

VISIBLE = 0.005
"""A label that never is more probable than that has no area of its own."""

DENSE = 500
"""A chart of more points has no lines between its areas, which would cover the colours."""

CROWDED = 120
"""A strip of more stretches has no lines between them."""

WORDY = 0.03
"""Share of the axis from which on a stretch of a strip has its word written on it, where that fits."""


FAINT = 0.1
"""Action units that are weaker are not drawn."""


def colour_rules(labels: Sequence[str]) -> str:
    """Return the CSS that gives each label's class its colour."""
    return "".join(f".c{number}{{--colour:{hex_of(label)}}}" for number, label in enumerate(labels))


def legend(labels: Sequence[str]) -> str:
    """Return the labels with their colours, in the order in which areas are stacked, from the top."""
    order = reversed(stacked(labels))
    keys = "".join(f'<li><span class="key c{labels.index(label)}"></span>{escape(label)}</li>' for label in order)
    return f'<ul class="legend" aria-label="Colours">{keys}</ul>'


def area_chart(track: Track, span: Span, *, title: str) -> str:
    """Return a person's probabilities over the video's time as stacked areas, with the strip of what is shown below.

    Args:
        track: The person.
        span: The time axis.
        title: Who it is.
    """
    said = f"{title}: probabilities of the expressions over time, stacked. Mostly {mostly(track.shares)}."
    drawn = thin(track)
    areas = "".join(f'<path class="c{number}" d="{path}"/>' for number, path in _layers(drawn, span))
    grid = "".join(f'<path class="grid" d="M0 {y}H{ACROSS}"/>' for y in (HIGH // 4, HIGH // 2, HIGH * 3 // 4))
    levels = _levels({"100%": 1.0, "50%": 0.5, "0%": 0.0})
    series = {
        **_times(drawn.timestamps, drawn.ends),
        "names": list(drawn.labels),
        "rows": np.rint(drawn.probabilities * 100).astype(int).T.tolist(),
    }
    kind = "areas dense" if len(drawn) > DENSE else "areas"
    return _figure(kind, _svg(areas + grid, said) + levels, span, series, below=strip(track, span))


def head_chart(timeline: Timeline, span: Span) -> str:
    """Return how many faces a video's frames have over its time, as steps; of a long video the most in each bin."""
    times, ends, heads = _thin_heads(timeline)
    most = int(heads.max(initial=1))
    xs, ys = _across(np.append(times, ends[-1]), span), np.rint(HIGH * (1 - heads / most)).astype(int)
    steps = "".join(f"V{y}H{x}" for x, y in zip(xs[1:].tolist(), ys.tolist(), strict=True))
    said = f"Faces in the picture over time: from {heads.min()} to {heads.max()}."
    area = f'<path class="heads" d="M{xs[0]} {HIGH}{steps}V{HIGH}Z"/>'
    series = {**_times(times, ends), "counts": heads.tolist()}
    return _figure("counts", _svg(area, said) + _levels({str(most): 1.0, "0": 0.0}), span, series)


def strip(track: Track, span: Span) -> str:
    """Return what a person shows over the video's time, as a band of colours with words where there is room."""
    stretches = list(_stretches(thin(track), span))
    kind = "strip dense" if len(stretches) > CROWDED else "strip"
    return f'<div class="{kind}" aria-hidden="true">{"".join(stretches)}</div>'


def unit_chart(track: Track, units: Sequence[str], blinks: Sequence[Blink], span: Span) -> str:
    """Return how strong some action units of a person are over the video's time, a line each, and when they blink.

    Args:
        track: The person.
        units: The units' codes.
        blinks: The person's blinks.
        span: The time axis.
    """
    drawn = thin(track)
    lines = [_line(f"{code} {NAMES[code]}", _unit_area(drawn, code, span), "line") for code in units]
    if blinks:
        middles = _across(np.array([(blink.start + blink.end) / 2 for blink in blinks]), span).tolist()
        lines.append(_line("blinks", "".join(f"M{x} 0V{HIGH}" for x in middles), "line ticks"))
    return f'<div class="units">{"".join(lines)}<span></span>{time_axis(span)}</div>' if lines else ""


def time_axis(span: Span) -> str:
    """Return the round times below a chart."""
    ticks = time_ticks(*span, most=7)
    late = span[0] + 0.9 * (span[1] - span[0])  # beyond that a word would reach out of the page, so it stands before
    marks = "".join(
        f'<span{" class=late" if time > late else ""} style="left:{_left(time, span)}">{text}</span>'
        for time, text in ticks.items()
    )
    return f'<div class="axis" aria-hidden="true">{marks}</div>'


def share_table(shares: Mapping[str, float], numbers: Mapping[str, str], *, caption: str, unit: str) -> str:
    """Return shares as bars with their numbers, largest first; those without any are named in a line below.

    Args:
        shares: For each label its share, 0..1.
        numbers: For each label what stands behind the share, such as its seconds.
        caption: What is shared.
        unit: What heads the numbers.
    """
    order = sorted((label for label in shares if shares[label] > 0), key=lambda label: -shares[label])
    labels = list(shares)
    rows = "".join(
        f'<tr><th scope="row"><span class="key c{labels.index(label)}"></span>{escape(label)}</th>'
        f'<td class="bar"><span class="c{labels.index(label)}" style="width:{100 * shares[label]:.1f}%"></span></td>'
        f"<td>{escape(share_percent(shares[label]))}</td><td>{escape(numbers[label])}</td></tr>"
        for label in order
    )
    never = [label for label in labels if label not in order]
    missing = f'<p class="soft">Without any: {escape(", ".join(never))}.</p>' if never and order else ""
    return (
        f'<div class="shares"><table><caption>{escape(caption)}</caption><thead><tr><th scope="col">expression</th>'
        f'<th scope="col" class="bar"></th><th scope="col">share</th><th scope="col">{escape(unit)}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{missing}</div>"
    )


def mostly(shares: Mapping[str, float]) -> str:
    """Say the two largest shares in words.

    Example:
        >>> mostly({"happy": 0.6, "sad": 0.0, "neutral": 0.4})
        'happy (60%) and neutral (40%)'
    """
    order = sorted((label for label in shares if shares[label] >= 0.05), key=lambda label: -shares[label])
    return " and ".join(f"{label} ({share_percent(shares[label])})" for label in order[:2])


def _layers(track: Track, span: Span) -> Iterator[tuple[int, str]]:
    """Yield the number of each label and the outline of its area, the topmost first.

    Each area goes down to the ground, and the next is laid over it; so only its upper edge needs points.
    """
    order = [track.labels.index(label) for label in stacked(track.labels)]
    tops = track.probabilities[:, order].cumsum(axis=1)  # (T, K)
    tops[:, -1] = 1  # rounding must not leave a slit
    xs, ends = _across(track.timestamps, span), _across(track.ends, span)
    ys = np.rint(HIGH * (1 - tops.clip(0, 1))).astype(int)
    parts = in_sight(track.timestamps, track.ends)
    for layer in reversed(range(len(order))):
        if track.probabilities[:, order[layer]].max(initial=0) > VISIBLE:
            path = "".join(_outline(xs[a:b], ys[a:b, layer], int(ends[b - 1])) for a, b in parts)
            yield order[layer], path


def _line(name: str, path: str, kind: str) -> str:
    """Return a name and what is drawn next to it."""
    drawn = _svg(f'<path d="{path}"/>', f"{name} over time")
    return f'<span>{escape(name)}</span><div class="{kind}">{drawn}</div>'


def _unit_area(track: Track, code: str, span: Span) -> str:
    """Return the outline of a unit's intensity over time, as steps; nothing where it was not read."""
    assert track.units is not None
    values = track.units[:, KEYS.index(code)]
    xs, ends = _across(track.timestamps, span).tolist(), _across(track.ends, span).tolist()
    ys = np.rint(HIGH * (1 - np.nan_to_num(values))).astype(int)
    apart = np.diff(np.isnan(values).astype(np.int8)) != 0
    hidden = track.timestamps[1:] > track.ends[:-1] + INSTANT
    changes = np.flatnonzero(apart | hidden | (np.diff(ys) != 0)) + 1
    bounds = [0, *changes.tolist(), len(track)]
    return "".join(
        f"M{xs[first]} {HIGH}V{ys[first]}H{max(ends[end - 1], xs[first] + 1)}V{HIGH}Z"
        for first, end in itertools.pairwise(bounds)
        if values[first] >= FAINT
    )


def _outline(xs: NDArray[np.int64], ys: NDArray[np.int64], end: int) -> str:
    """Return the outline of one area (N,) (N,), held to its end, in steps from point to point."""
    steps = "".join(
        f"l{x} {y}" if x else f"v{y}" for x, y in zip(np.diff(xs).tolist(), np.diff(ys).tolist(), strict=True) if x or y
    )
    return f"M{xs[0]} {HIGH}V{ys[0]}{steps}H{max(end, int(xs[-1]) + 1)}V{HIGH}Z"


def _stretches(track: Track, span: Span) -> Iterator[str]:
    """Yield the stretches of a strip."""
    for episode in find_episodes(track, min_seconds=0):
        share = episode.seconds / (span[1] - span[0])
        label = escape(episode.label)
        times = f"{clock(episode.start, decimals=1)} to {clock(episode.end, decimals=1)}"
        place = f"left:{_left(episode.start, span)};width:{100 * share:.2f}%"
        word = f"<b>{label}</b>" if share >= WORDY else ""
        yield f'<i class="c{track.labels.index(episode.label)}" style="{place}" title="{label}, {times}">{word}</i>'


def _thin_heads(timeline: Timeline) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]]:
    """Return times, ends and heads where these change, or at most `POINTS` bins with the most heads in each."""
    changes = np.flatnonzero(np.diff(timeline.heads, prepend=-1))
    if len(changes) > POINTS:
        changes = evenly_spaced(len(timeline.heads), POINTS)
    heads = np.maximum.reduceat(timeline.heads, changes)
    times = timeline.timestamps[changes]
    return times, np.append(times[1:], timeline.ends[-1]), heads


def _figure(kind: str, drawn: str, span: Span, series: dict[str, Any], *, below: str = "") -> str:
    """Put a chart together with its time axis, and the numbers that a pointer reads out."""
    data = json.dumps({"span": [round(1000 * time) for time in span], **series}, separators=(",", ":"))
    safe = data.replace("<", "\\u003c")  # so that no label can end the script
    return (
        f'<div class="chart {kind}"><p class="read" role="status"></p><div class="ground" tabindex="-1">{drawn}</div>'
        f'{below}{time_axis(span)}<script type="application/json">{safe}</script></div>'
    )


def _times(timestamps: NDArray[np.float64], ends: NDArray[np.float64]) -> dict[str, list[int]]:
    """Return when frames begin and end in whole milliseconds."""
    return {name: np.rint(1000 * of).astype(int).tolist() for name, of in (("times", timestamps), ("ends", ends))}


def _svg(shapes: str, said: str) -> str:
    """Return shapes as a picture that stretches, with words for those who do not see it."""
    return (
        f'<svg viewBox="0 0 {ACROSS} {HIGH}" preserveAspectRatio="none" role="img" aria-label="{escape(said)}">'
        f"{shapes}</svg>"
    )


def _levels(levels: Mapping[str, float]) -> str:
    """Return the words of the upright axis, each at its height 0..1."""
    marks = "".join(f'<span style="bottom:{100 * height:g}%">{text}</span>' for text, height in levels.items())
    return f'<div class="levels" aria-hidden="true">{marks}</div>'


def _across(times: NDArray[np.float64], span: Span) -> NDArray[np.int64]:
    """Return where times stand in a chart, in its units."""
    return np.rint(ACROSS * (times - span[0]) / (span[1] - span[0])).astype(np.int64)


def _left(time: float, span: Span) -> str:
    """Return where a time stands, in per cent of the axis."""
    return f"{100 * (time - span[0]) / (span[1] - span[0]):.2f}%"
