"""The first part of a report on several videos: all people in one table, and the curves of a study side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath

import numpy as np

from facemood.languages import Say
from facemood.participants import Period
from facemood.sinks.report.chart_parts import HEIGHT, WIDTH, Span, svg, time_axis, to_x
from facemood.sinks.report.html_parts import mostly, open_table
from facemood.sinks.report.line_charts import measure_path, steps_of
from facemood.sinks.report.portraits import Portrait
from facemood.text import clock, share_percent
from facemood.timeline import Summary, downsample

THUMBNAIL = 48
"""Side of a portrait in the overview, in CSS pixels."""

POINTS = 150
"""Most points of a curve among those of a study: about one for every second pixel."""

NOTABLE = 0.05
"""An expression has a line in the curves of a study if its mean probability reaches this in some segment."""


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A person in a segment of a study, or in a video, for a report.

    Attributes:
        summary: The numbers.
        portrait: The portrait of the most frequent expression; None without one.
        place: HTML id of the video's section; empty for photos.
        baseline: Start and end of the person's neutral baseline in seconds; None without one.
        say: Returns the word for a label.
    """

    summary: Summary
    portrait: Portrait | None = None
    place: str = ""
    baseline: Period | None = None
    say: Say = str

    @property
    def name(self) -> str:
        """Participant of the study, or the person's number."""
        segment = self.summary.segment
        return segment.participant if segment else f"Person {self.summary.track.name}"

    @property
    def words(self) -> tuple[str, str, str]:
        """Condition, session and segment of the study; empty without a plan."""
        segment = self.summary.segment
        return (segment.condition, segment.session, segment.segment) if segment else ("", "", "")


def overview_table(rows: Sequence[SummaryRow], places: Mapping[str, str]) -> str:
    """Return the table of all people in all segments, each with a portrait, the time in sight and the main shares.

    Args:
        rows: The people, in the order of the table. Those of photos have no time in sight.
        places: HTML id of each participant's curves, by name; a name without curves is no link.
    """
    named = [
        name for at, name in enumerate(("condition", "session", "segment")) if len({row.words[at] for row in rows}) > 1
    ]
    based = any(row.baseline for row in rows)
    pictures = any(row.portrait for row in rows)
    head = [
        *(["portrait"] if pictures else []), "who", *named, "source", "seconds in sight", "missing", "certain",
        *(["neutral baseline"] if based else []), "mostly",
    ]  # fmt: skip
    lines = [_line(row, named, places, based=based, pictures=pictures) for row in rows]
    return f'<div class="people">{open_table(head, lines, heading=int(pictures))}</div>'


def curves(rows: Sequence[SummaryRow], places: Mapping[str, str], *, level: int) -> str:
    """Return the curves of each participant in each condition, all with the same axes; photos have none.

    Args:
        rows: The segments of the study.
        places: HTML id of each participant's curves, by name.
        level: Level of the headings, 1..6.
    """
    shown = [row for row in rows if not row.summary.photos]
    if not shown:
        return ""
    length = max(row.summary.seconds for row in shown) or 1e-3
    labels = _notable(shown)
    conditions = list(dict.fromkeys(row.words[0] for row in shown))
    parts = []
    for name in dict.fromkeys(row.name for row in shown):
        own = [row for row in shown if row.name == name]
        cells = "".join(_cell(condition, own, labels, length) for condition in conditions)
        parts.append(
            f'<section class="participant"><h{level} id="{places[name]}">{escape(name)}</h{level}>'
            f'<div class="multiples" style="--columns:{min(len(conditions), 4)}">{cells}</div></section>'
        )
    return "".join(parts)


def _line(
    row: SummaryRow, named: Sequence[str], places: Mapping[str, str], *, based: bool, pictures: bool
) -> list[str]:
    """Return a line of the overview."""
    summary, words = row.summary, dict(zip(("condition", "session", "segment"), row.words, strict=True))
    name, source = escape(row.name), escape(PurePath(summary.source).name or "several photos")
    certain = summary.certain
    return [
        *([_thumbnail(row)] if pictures else []),
        f'<a href="#{places[row.name]}">{name}</a>' if row.name in places else name,
        *(escape(words[column]) for column in named),
        f'<a href="#{row.place}">{source}</a>' if row.place else source,
        "" if summary.photos else f"{summary.track.seconds:.1f}",
        share_percent(summary.missing),
        "" if certain is None else share_percent(certain),
        *([_baseline(row)] if based else []),
        escape(mostly(summary.track, row.say)) if len(summary.track) else "not in sight",
    ]


def _thumbnail(row: SummaryRow) -> str:
    """Return the small portrait of a person; empty without one."""
    if row.portrait is None:
        return ""
    alt = escape(f"{row.name}, {row.say(row.portrait.label)}")
    return f'<img src="{row.portrait.address}" width="{THUMBNAIL}" height="{THUMBNAIL}" alt="{alt}">'


def _baseline(row: SummaryRow) -> str:
    """Return when a person's neutral baseline is, and whether they were seen then."""
    if row.baseline is None:
        return "none"
    return "-".join(clock(time) for time in row.baseline) if row.summary.changes else "not seen"


def _notable(rows: Sequence[SummaryRow]) -> list[str]:
    """Return the labels that have a line in the curves: those that are not rare everywhere, at least one."""
    means: dict[str, float] = {}
    for row in rows:
        for label, mean in row.summary.means.items():
            means[label] = max(mean, means.get(label, 0.0))
    return [label for label, mean in means.items() if mean >= NOTABLE]


def _cell(condition: str, rows: Sequence[SummaryRow], labels: Sequence[str], length: float) -> str:
    """Return the curves of a participant in a condition, one below the other if there are several segments."""
    own = [row for row in rows if row.words[0] == condition]
    title = escape(condition) or "all"
    if not own:
        return f'<div class="multiple none"><p class="title">{title}</p><p class="soft">no segment</p></div>'
    parts = []
    for row in own:
        more = " ".join(filter(None, [row.words[1], f"segment {row.words[2]}" if len(own) > 1 else ""]))
        note = f' <span class="soft">{escape(more)}</span>' if more else ""
        parts.append(f'<p class="title">{title}{note}</p>{_lines(row, labels, length)}')
    return f'<div class="multiple">{"".join(parts)}</div>'


def _lines(row: SummaryRow, labels: Sequence[str], length: float) -> str:
    """Return a segment over time: a line for each label and each derived measure, with its mean at the end."""
    summary = row.summary
    if not len(summary.track):
        return '<p class="soft">not in sight</p>'
    span = (summary.start, summary.start + length)
    drawn = downsample(summary.track, points=POINTS)
    base = _marked(row.baseline, span)
    lines = []
    for label in labels:
        column = drawn.labels.index(label)
        path = steps_of(drawn, drawn.probabilities[:, column], span, faint=0.0)
        shape = f'{base}<path class="c{column}" d="{path}"/>'
        lines.append(_one_line(row, row.say(label), shape, share_percent(summary.means[label])))
    for name, (mean, _, _) in summary.measures.items():
        shape = f'{base}<path class="derived" d="{measure_path(name, drawn.measures[name], drawn, span)}"/>'
        lines.append(_one_line(row, name, shape, f"{mean:.2f}"))
    axis = time_axis((0.0, length), most=4)
    return f'<div class="lines">{"".join(lines)}<span></span>{axis}<span class="mean soft">mean</span></div>'


def _one_line(row: SummaryRow, name: str, shapes: str, mean: str) -> str:
    """Return one line of a segment: its name, its curve and its mean."""
    words = f"{row.name}, {row.words[0]}: {name} over time, {mean} on average"
    drawn = svg(shapes, words)
    return f'<span>{escape(name)}</span><div class="line">{drawn}</div><span class="mean">{escape(mean)}</span>'


def _marked(baseline: Period | None, span: Span) -> str:
    """Return the neutral baseline as a shape in a curve; empty if it lies elsewhere."""
    if baseline is None or baseline[0] >= span[1] or baseline[1] <= span[0]:
        return ""
    start, end = to_x(np.clip(np.array(baseline), *span), span).tolist()
    return f'<path class="base" d="M{start} 0H{min(end, WIDTH)}V{HEIGHT}H{start}Z"/>'
