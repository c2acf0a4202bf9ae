"""The part of a report that tells of one video: its frames, how many faces they have, and each of its people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from facemood.facs import CODES, NAMES
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

MOST_PEOPLE = 12
"""How many people of a video are told of at length, those longest in sight; the others have a line each."""

MOST_LINES = 1000
"""How many lines a table has at most; the tables that other sinks write have them all."""

SHORT = 12
"""Tables of more lines than that are folded."""

BRIEF = 0.25
"""People who come and go within that share of a video have a time axis of their own."""

FACES = 5
"""Pictures of a person that are shown at most."""

FREQUENT = 0.03
"""Share of the time from which on an expression has a picture."""


@dataclass(frozen=True, slots=True)
class VideoSection:
    """What a report knows of a video.

    Attributes:
        timeline: Its frames and people.
        portraits: Pictures of people by their numbers; empty where faces are not to be shown.
    """

    timeline: Timeline
    portraits: Mapping[int, Portraits]

    @property
    def span(self) -> charts.Span:
        """The seconds at which its first frame begins and its last one ends."""
        start, end = float(self.timeline.timestamps[0]), float(self.timeline.ends[-1])
        return start, max(end, start + 1e-3)  # frames of one and the same time have a width all the same

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.span[1] - self.span[0]


def video_section(video: VideoSection, *, name: str, level: int) -> str:
    """Return what a report tells of a video.

    Args:
        video: The video.
        name: What the page's addresses of its people begin with.
        level: Of its headings, 1..6.
    """
    people = sorted(video.timeline.tracks, key=lambda track: -track.seconds)
    shown = sorted(people[:MOST_PEOPLE], key=lambda track: track.track_id)
    several = [_overview(shown, video, name=name, level=level)] if len(shown) > 1 else []
    parts = [
        facts(_facts(video)),
        f"<h{level}>Faces in the picture</h{level}>",
        charts.head_chart(video.timeline, video.span),
        *several,
        *(_person(track, video, name=name, level=level) for track in shown),
        _others(people[MOST_PEOPLE:], level=level),
        _unfollowed(video.timeline),
    ]
    return "\n".join(part for part in parts if part)


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Return names and values as a list.

    Example:
        >>> facts([("frames", 25)])
        '<dl class="facts"><div><dt>frames</dt><dd>25</dd></div></dl>'
    """
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{items}</dl>'


def table(head: Sequence[str], lines: Sequence[Sequence[str]], *, caption: str) -> str:
    """Return a table whose lines each begin with a heading; a long one is folded, a very long one is cut and says so.

    Args:
        head: The names of its columns.
        lines: Its lines, as HTML.
        caption: What it lists, as it stands above it.
    """
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    rows = "".join(
        f'<tr><th scope="row">{line[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in line[1:]) + "</tr>"
        for line in lines[:MOST_LINES]
    )
    cut = f'<p class="soft">The first {MOST_LINES:,} of them.</p>' if len(lines) > MOST_LINES else ""
    whole = f'<div class="wide"><table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>{cut}'
    unfolded = "" if len(lines) > SHORT else " open"
    return f"<details{unfolded}><summary>{escape(caption)}</summary>{whole}</details>"


def portrait_row(portraits: Iterable[Portrait], *, whose: str) -> str:
    """Return pictures of faces side by side, each with what it shows."""
    pictures = "".join(
        f'<figure><img src="{portrait.address}" width="{SIDE}" height="{SIDE}" alt="{escape(whose)}, '
        f'{escape(portrait.label)}">'
        f"<figcaption><b>{escape(portrait.label)}</b> {escape(percent(portrait.probability))}{_doubt(portrait)}<br>"
        f"<span>{escape(portrait.place)}</span></figcaption></figure>"
        for portrait in portraits
    )
    return f'<div class="portraits">{pictures}</div>' if pictures else ""


def _facts(video: VideoSection) -> list[tuple[str, object]]:
    """Return what was read of a video, in numbers."""
    timeline = video.timeline
    steps = np.diff(timeline.timestamps)
    return [
        ("source", timeline.source),
        ("length", f"{clock(video.seconds, decimals=1)} ({video.seconds:.1f} s)"),
        ("frames read", f"{len(timeline.heads):,}" + (f", one every {np.median(steps):.3g} s" if len(steps) else "")),
        ("frames without a face", f"{int((timeline.heads == 0).sum()):,}"),
        ("most faces at once", int(timeline.heads.max())),
        ("people followed", len(timeline.tracks)),
    ]


def _overview(people: Sequence[Track], video: VideoSection, *, name: str, level: int) -> str:
    """Return what all people show, one below the other."""
    rows = "".join(
        f'<a href="#{name}-person-{track.track_id}">Person {track.track_id}</a>{charts.strip(track, video.span)}'
        for track in people
    )
    return (
        f'<h{level}>Who shows what, and when</h{level}><div class="overview">{rows}<span></span>'
        f"{charts.time_axis(video.span)}</div>"
    )


def _person(track: Track, video: VideoSection, *, name: str, level: int) -> str:
    """Return the section of one person."""
    title, shares, kept = f"Person {track.track_id}", track.shares, video.portraits.get(track.track_id, {})
    seconds = {label: f"{share * track.seconds:.1f}" for label, share in shares.items()}
    frequent = sorted((label for label in kept if shares[label] >= FREQUENT), key=lambda label: -shares[label])
    pictures = [kept[label] for label in frequent[:FACES]]
    span = _span(track, video)
    close = "" if span == video.span else " The chart shows this time alone."
    return (
        f'<section class="person"><h{level} id="{name}-person-{track.track_id}">{title}</h{level}>'
        f"<p>In sight for {track.seconds:.1f} s between {clock(track.timestamps[0], decimals=1)} and "
        f"{clock(track.ends[-1], decimals=1)}. Shown mostly: {escape(charts.mostly(shares))}.{close}</p>"
        f"{portrait_row(pictures, whose=title)}{charts.area_chart(track, span, title=title)}"
        '<div class="beside">'
        f"{charts.share_table(shares, seconds, caption='Share of the time in sight', unit='seconds')}"
        f"{_episode_table(find_episodes(track))}</div>{_units(track, span, level=level)}</section>"
    )


def _units(track: Track, span: charts.Span, *, level: int) -> str:
    """Return the section of a person's action units and blinks; nothing where units were never read."""
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
    """Say how often a person blinks."""
    if blinking is None:
        return "Blinks were not counted: the frames are too far apart, or the eyes were not seen."
    seconds = f"in {blinking.seconds:.1f} s in which the eyes were seen"
    if not blinking.blinks:
        return f"No blink {seconds}."
    return f"{count(len(blinking.blinks), 'blink')} {seconds}: {blinking.rate:.0f} a minute."


def _event_table(events: Sequence[UnitEvent]) -> str:
    """Return when units are active, in the order of time."""
    if not events:
        return '<p class="soft">No action unit is active for long enough to be listed.</p>'
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
    head = ("onset", "apex", "offset", "seconds", "unit", "peak", "left less right")
    return f'<div class="episodes">{table(head, lines, caption=count(len(lines), "event") + " of action units")}</div>'


def _span(track: Track, video: VideoSection) -> charts.Span:
    """Return the time axis of a person's chart: the video's, or for those who are there briefly their own."""
    start, end = float(track.timestamps[0]), float(track.ends[-1])
    return video.span if end - start > BRIEF * video.seconds else (start, max(end, start + 1e-3))


def _episode_table(episodes: Sequence[Episode]) -> str:
    """Return the episodes of a person in the order of time."""
    if not episodes:
        return f'<p class="soft">No expression is shown for {MIN_SECONDS:g} s or longer.</p>'
    lines = [
        (
            clock(episode.start, decimals=2),
            clock(episode.end, decimals=2),
            f"{episode.seconds:.2f}",
            escape(episode.label),
            escape(percent(episode.peak)),
            clock(episode.peak_time, decimals=2),
        )
        for episode in episodes
    ]
    head = ("start", "end", "seconds", "expression", "peak", "at")
    return f'<div class="episodes">{table(head, lines, caption=count(len(lines), "episode"))}</div>'


def _others(people: Sequence[Track], *, level: int) -> str:
    """Return a line for each of the people who are not told of at length."""
    if not people:
        return ""
    lines = [
        (
            f"Person {track.track_id}",
            clock(track.timestamps[0], decimals=1),
            clock(track.ends[-1], decimals=1),
            f"{track.seconds:.1f}",
            escape(charts.mostly(track.shares)),
        )
        for track in sorted(people, key=lambda track: track.track_id)
    ]
    head = ("person", "first seen", "last seen", "seconds in sight", "mostly")
    told = table(head, lines, caption=f"{count(len(people), 'person', 'people')} who are in sight for less time")
    return f"<h{level}>Others</h{level}>{told}"


def _unfollowed(timeline: Timeline) -> str:
    """Say how many faces belong to nobody, as far as there are any."""
    lonely = int(timeline.heads.sum()) - sum(map(len, timeline.tracks))
    if lonely <= 0:
        return ""
    return (
        f'<p class="soft">{count(lonely, "face")} of {int(timeline.heads.sum()):,} could not be given to a person who '
        "was followed from frame to frame; they count in the number of faces alone.</p>"
    )


def _doubt(portrait: Portrait) -> str:
    """Mark a reading of which the model is not certain, as pictures do."""
    return '<abbr title="the model is not certain">?</abbr>' if portrait.certain is False else ""
