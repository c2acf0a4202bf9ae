"""The section of a report on one video: the number of faces over time, and each person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from facemood.facs import CODES, NAMES
from facemood.languages import Say
from facemood.sinks.report import charts
from facemood.sinks.report.portraits import SIDE, Portrait, Portraits
from facemood.text import clock, count, percent
from facemood.timeline import (
    MIN_SECONDS,
    Blinking,
    Episode,
    Timeline,
    Track,
    UnitEvent,
    find_blinks,
    find_episodes,
    find_unit_events,
)
from facemood.timeline.tracks import weights_of

MAX_PEOPLE = 12
"""Most people with a section of their own: those longest in sight. The others have one line each."""

MAX_LINES = 1000
"""Most lines of a table, to keep the page small; the tables of other sinks have all lines."""

SHORT = 12
"""Most lines of a table that is unfolded at first."""

BRIEF = 0.25
"""People who are present for up to this share of a video's length have a separate time axis."""

MAX_PORTRAITS = 5
"""Most portraits of a person: one row."""

TIME_IN_SIGHT = "Share of the time in sight"
"""Title of the table of shares."""

FREQUENT = 0.03
"""Smallest share of the time for which an expression has a portrait."""


@dataclass(frozen=True, slots=True)
class VideoSection:
    """The data of a video for a report.

    Attributes:
        timeline: Frames and people of the video.
        portraits: Portraits of people by track ID; empty if faces are hidden.
        say: Returns the word for a label.
    """

    timeline: Timeline
    portraits: Mapping[int, Portraits]
    say: Say = str

    @property
    def span(self) -> charts.Span:
        """Start of the first frame and end of the last, in seconds."""
        start, end = float(self.timeline.timestamps[0]), float(self.timeline.ends[-1])
        return start, max(end, start + 1e-3)  # the span must not be 0, even if all frames have the same time

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.span[1] - self.span[0]


def video_section(video: VideoSection, *, name: str, level: int) -> str:
    """Return the section of a video as HTML.

    Args:
        video: The video.
        name: Prefix of the HTML ids of its people.
        level: Level of the headings, 1..6.
    """
    people = sorted(video.timeline.tracks, key=lambda track: -track.seconds)
    main = sorted(people[:MAX_PEOPLE], key=lambda track: track.track_id)
    several = [_overview(main, video, name=name, level=level)] if len(main) > 1 else []
    parts = [
        facts(_facts(video)),
        f"<h{level}>Number of faces</h{level}>",
        charts.face_count_chart(video.timeline, video.span),
        *several,
        *(_person(track, video, name=name, level=level) for track in main),
        _others(people[MAX_PEOPLE:], video.say, level=level),
        _untracked(video.timeline),
    ]
    return "\n".join(part for part in parts if part)


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Return names and values as an HTML list.

    Example:
        >>> facts([("frames", 25)])
        '<dl class="facts"><div><dt>frames</dt><dd>25</dd></div></dl>'
    """
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{items}</dl>'


def table(head: Sequence[str], lines: Sequence[Sequence[str]], *, caption: str) -> str:
    """Return an HTML table. The first cell of each line is its heading. A long table is folded, a very long one cut.

    Args:
        head: Names of the columns.
        lines: Cells of each line, as HTML.
        caption: Title of the table.
    """
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    rows = "".join(
        f'<tr><th scope="row">{line[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in line[1:]) + "</tr>"
        for line in lines[:MAX_LINES]
    )
    cut = f'<p class="soft">Only the first {MAX_LINES:,} are listed.</p>' if len(lines) > MAX_LINES else ""
    whole = f'<div class="wide"><table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>{cut}'
    unfolded = "" if len(lines) > SHORT else " open"
    return f"<details{unfolded}><summary>{escape(caption)}</summary>{whole}</details>"


def portrait_row(portraits: Iterable[Portrait], *, whose: str, say: Say = str) -> str:
    """Return portraits in a row, each with its expression, probability and place."""
    figures = "".join(
        f'<figure><img src="{portrait.address}" width="{SIDE}" height="{SIDE}" alt="{escape(whose)}, '
        f'{escape(say(portrait.label))}">'
        f"<figcaption><b>{escape(say(portrait.label))}</b> {escape(percent(portrait.probability))}"
        f"{_doubt(portrait)}<br>"
        f"<span>{escape(portrait.place)}</span></figcaption></figure>"
        for portrait in portraits
    )
    return f'<div class="portraits">{figures}</div>' if figures else ""


def _facts(video: VideoSection) -> list[tuple[str, object]]:
    """Return the main numbers of a video."""
    timeline = video.timeline
    steps = np.diff(timeline.timestamps)
    return [
        ("source", timeline.source),
        ("length", f"{clock(video.seconds, decimals=1)} ({video.seconds:.1f} s)"),
        (
            "frames analyzed",
            f"{len(timeline.face_counts):,}" + (f", one every {np.median(steps):.3g} s" if len(steps) else ""),
        ),
        ("frames without a face", f"{int((timeline.face_counts == 0).sum()):,}"),
        ("most faces in a frame", int(timeline.face_counts.max())),
        ("people tracked", len(timeline.tracks)),
    ]


def _overview(people: Sequence[Track], video: VideoSection, *, name: str, level: int) -> str:
    """Return the strips of several people, one below the other."""
    rows = "".join(
        f'<a href="#{name}-person-{track.track_id}">Person {escape(track.name)}</a>'
        f"{charts.strip(track, video.span, video.say)}"
        for track in people
    )
    return (
        f'<h{level}>All people over time</h{level}><div class="overview">{rows}<span></span>'
        f"{charts.time_axis(video.span)}</div>"
    )


def _person(track: Track, video: VideoSection, *, name: str, level: int) -> str:
    """Return the section of one person."""
    title, shares, kept = f"Person {track.name}", track.shares, video.portraits.get(track.track_id, {})
    seconds = {label: f"{share * track.seconds:.1f}" for label, share in shares.items()}
    frequent = sorted((label for label in kept if shares[label] >= FREQUENT), key=lambda label: -shares[label])
    portraits = [kept[label] for label in frequent[:MAX_PORTRAITS]]
    span = _span(track, video)
    note = "" if span == video.span else " The chart shows only this period."
    return (
        f'<section class="person"><h{level} id="{name}-person-{track.track_id}">{escape(title)}</h{level}>'
        f"<p>In sight for {track.seconds:.1f} s between {clock(track.timestamps[0], decimals=1)} and "
        f"{clock(track.ends[-1], decimals=1)}. Mostly {escape(charts.mostly(track, video.say))}.{note}</p>"
        f"{portrait_row(portraits, whose=title, say=video.say)}"
        f"{charts.area_chart(track, span, title=title, say=video.say)}"
        '<div class="columns">'
        f"{_share_table(track, seconds, video.say)}"
        f"{_episode_table(find_episodes(track), video.say)}</div>{_measures(track, span, level=level)}"
        f"{_units(track, span, level=level)}</section>"
    )


def _share_table(track: Track, seconds: Mapping[str, str], say: Say) -> str:
    """Return the shares of the time that a person was in sight, with their seconds."""
    intervals = track.share_intervals
    return charts.share_table(
        track.shares, seconds, caption=TIME_IN_SIGHT, unit="seconds", intervals=intervals, say=say
    )


def _measures(track: Track, span: charts.Span, *, level: int) -> str:
    """Return a person's derived measures: a line each, and their means; nothing without any."""
    if not track.measures:
        return ""
    weights = weights_of(track.durations)
    lines = []
    for name, values in track.measures.items():
        known = ~np.isnan(values)
        numbers = (
            np.average(values[known], weights=weights_of(weights[known])),
            values[known].min(),
            values[known].max(),
        )
        lines.append((escape(name), *(f"{number:.2f}" for number in numbers)))
    means = table(("measure", "mean", "lowest", "highest"), lines, caption=count(len(lines), "derived measure"))
    heading = min(level + 1, 6)
    return f"<h{heading}>Derived measures</h{heading}>{charts.measure_chart(track, span)}{means}"


def _units(track: Track, span: charts.Span, *, level: int) -> str:
    """Return a person's action units and blinks; nothing if no action unit was measured."""
    if track.units is None or np.isnan(track.units).all():
        return ""
    events, blinking = find_unit_events(track), find_blinks(track)
    codes = [code for code in CODES if any(event.unit == code for event in events)]
    blinks = blinking.blinks if blinking else ()
    return (
        f"<h{min(level + 1, 6)}>Action units</h{min(level + 1, 6)}><p>{_blinks(blinking)}</p>"
        f"{charts.unit_chart(track, codes, blinks, span)}{_event_table(events)}"
    )


def _blinks(blinking: Blinking | None) -> str:
    """Return a sentence on a person's blinks."""
    if blinking is None:
        return "Blinks were not counted: the frames are too far apart, or the eyes are not visible."
    seconds = f"in {blinking.seconds:.1f} s with visible eyes"
    if not blinking.blinks:
        return f"No blink {seconds}."
    return f"{count(len(blinking.blinks), 'blink')} {seconds}: {blinking.rate:.0f} per minute."


def _event_table(events: Sequence[UnitEvent]) -> str:
    """Return the events of action units in order."""
    if not events:
        return '<p class="soft">No action unit is active long enough to be listed.</p>'
    lines = [
        (
            clock(event.onset, decimals=2),
            clock(event.apex, decimals=2),
            clock(event.offset, decimals=2),
            f"{event.seconds:.2f}",
            f"{event.unit} {NAMES[event.unit]}",
            f"{event.peak:.2f}",
            "" if event.asymmetry is None else f"{event.asymmetry:+.2f}",
        )
        for event in sorted(events, key=lambda event: event.onset)
    ]
    head = ("onset", "apex", "offset", "seconds", "unit", "peak", "left minus right")
    return f'<div class="episodes">{table(head, lines, caption=count(len(lines), "event") + " of action units")}</div>'


def _span(track: Track, video: VideoSection) -> charts.Span:
    """Return the time axis of a person's chart: the video's, or a separate one for a person who is present briefly."""
    start, end = float(track.timestamps[0]), float(track.ends[-1])
    return video.span if end - start > BRIEF * video.seconds else (start, max(end, start + 1e-3))


def _episode_table(episodes: Sequence[Episode], say: Say) -> str:
    """Return the episodes of a person in order."""
    if not episodes:
        return f'<p class="soft">No expression lasts for {MIN_SECONDS:g} s or longer.</p>'
    lines = [
        (
            clock(episode.start, decimals=2),
            clock(episode.end, decimals=2),
            f"{episode.seconds:.2f}",
            escape(say(episode.label)),
            escape(percent(episode.peak)),
            clock(episode.peak_time, decimals=2),
        )
        for episode in episodes
    ]
    head = ("start", "end", "seconds", "expression", "peak", "at")
    return f'<div class="episodes">{table(head, lines, caption=count(len(lines), "episode"))}</div>'


def _others(people: Sequence[Track], say: Say, *, level: int) -> str:
    """Return a table with one line for each person without a section."""
    if not people:
        return ""
    lines = [
        (
            escape(f"Person {track.name}"),
            clock(track.timestamps[0], decimals=1),
            clock(track.ends[-1], decimals=1),
            f"{track.seconds:.1f}",
            escape(charts.mostly(track, say)),
        )
        for track in sorted(people, key=lambda track: track.track_id)
    ]
    head = ("person", "first frame", "last frame", "seconds in sight", "mostly")
    lines_table = table(head, lines, caption=f"{count(len(people), 'person', 'people')} with less time in sight")
    return f"<h{level}>Others</h{level}>{lines_table}"


def _untracked(timeline: Timeline) -> str:
    """Return a sentence on the faces without a track, if there are any."""
    faces = int(timeline.face_counts.sum())
    untracked = faces - sum(map(len, timeline.tracks))
    if untracked <= 0:
        return ""
    return (
        f'<p class="soft">{count(untracked, "face")} of {faces:,} could not be assigned to a tracked person; they '
        "count only in the number of faces.</p>"
    )


def _doubt(portrait: Portrait) -> str:
    """Return the question mark for a prediction that is not certain, as in annotated images."""
    return '<abbr title="the model is not certain">?</abbr>' if portrait.certain is False else ""
