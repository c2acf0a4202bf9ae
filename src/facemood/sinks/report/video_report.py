"""The section of a report on one video: the number of faces over time, and each person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from facemood.facs import CODES, NAMES
from facemood.languages import Say
from facemood.participants import Period as Seconds
from facemood.participants import Segment
from facemood.sinks.report import charts
from facemood.sinks.report.chart_parts import Span, milliseconds, time_axis
from facemood.sinks.report.html_parts import facts, mostly, portrait_row, share_table, table
from facemood.sinks.report.line_charts import measure_chart, unit_chart
from facemood.sinks.report.player import player
from facemood.sinks.report.portraits import Portrait, Portraits
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
        segments: The segments of the study's plan in the video.
        baseline: Start and end of everybody's neutral baseline in seconds; None without one.
        address: Where a player finds the video; empty without a player.
        say: Returns the word for a label.
    """

    timeline: Timeline
    portraits: Mapping[int, Portraits]
    segments: Sequence[Segment] = ()
    baseline: Seconds | None = None
    address: str = ""
    say: Say = str

    @property
    def span(self) -> Span:
        """Start of the first frame and end of the last, in seconds."""
        start, end = float(self.timeline.timestamps[0]), float(self.timeline.ends[-1])
        return start, max(end, start + 1e-3)  # the span must not be 0, even if all frames have the same time

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.span[1] - self.span[0]

    @property
    def main_people(self) -> list[Track]:
        """The people with a section of their own, by number."""
        people = sorted(self.timeline.tracks, key=lambda track: -track.seconds)
        return sorted(people[:MAX_PEOPLE], key=lambda track: track.track_id)

    def periods_of(self, track: Track) -> list[charts.Period]:
        """Return the segments of a person and their neutral baselines, each once."""
        own = [segment for segment in self.segments if segment.participant in track.participants]
        named = [(segment_name(one, len(track.participants) > 1), one.start, one.end) for one in own]
        baselines = [one.baseline for one in own if one.baseline is not None]
        baselines += [self.baseline] if self.baseline is not None and not baselines else []
        marks = [charts.Period("neutral baseline", *one, baseline=True) for one in baselines]
        return list(dict.fromkeys([*(charts.Period(*one) for one in named), *marks]))


def segment_name(segment: Segment, of_several: bool) -> str:
    """Return what a segment is called: condition, session and number, with the participant if there are several."""
    words = [segment.participant if of_several else "", segment.condition, segment.session]
    return " ".join(filter(None, words)) or f"segment {segment.segment}"


def video_section(video: VideoSection, *, name: str, level: int) -> str:
    """Return the section of a video as HTML.

    Args:
        video: The video.
        name: Prefix of the HTML ids of its people.
        level: Level of the headings, 1..6.
    """
    main = video.main_people
    others = [track for track in video.timeline.tracks if track not in main]
    parts = [
        facts(_facts(video)),
        _overview(main, video, name=name, level=level),
        f"<h{level}>Number of faces</h{level}>",
        charts.face_count_chart(video.timeline, video.span),
        *(_person(track, video, name=name, level=level) for track in main),
        _others(others, video.say, level=level),
        _untracked(video.timeline),
    ]
    return f'<div class="of-video" id="{name}">' + "\n".join(part for part in parts if part) + "</div>"


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
    """Return the player, and below it the strip of each person; nothing for one person without a player."""
    if len(people) < 2 and not (people and video.address):
        return ""
    title = "All people over time" if len(people) > 1 else "Video"
    rows = "".join(
        f'<a href="#{name}-person-{track.track_id}">Person {escape(track.name)}</a>'
        f"{charts.strip(track, video.span, video.say)}"
        for track in people
    )
    return (
        f"<h{level}>{title}</h{level}>{player(video.address)}"
        f'<div class="overview" data-span="{milliseconds(video.span)}">{rows}<span></span>'
        f"{time_axis(video.span)}</div>"
    )


def _person(track: Track, video: VideoSection, *, name: str, level: int) -> str:
    """Return the section of one person."""
    title, shares, kept = f"Person {track.name}", track.shares, video.portraits.get(track.track_id, {})
    seconds = {label: f"{share * track.seconds:.1f}" for label, share in shares.items()}
    portraits = frequent_portraits(kept, shares)[:MAX_PORTRAITS]
    span = _span(track, video)
    note = "" if span == video.span else " The chart shows only this period."
    return (
        f'<section class="person"><h{level} id="{name}-person-{track.track_id}">{escape(title)}</h{level}>'
        f"<p>In sight for {track.seconds:.1f} s between {clock(track.timestamps[0], decimals=1)} and "
        f"{clock(track.ends[-1], decimals=1)}. Mostly {escape(mostly(track, video.say))}.{note}</p>"
        f"{portrait_row(portraits, whose=title, say=video.say)}"
        f"{charts.area_chart(track, span, title=title, periods=video.periods_of(track), say=video.say)}"
        '<div class="columns">'
        f"{_share_table(track, seconds, video.say)}"
        f"{_episode_table(find_episodes(track), video.say)}</div>{_measures(track, span, level=level)}"
        f"{_units(track, span, level=level)}</section>"
    )


def _share_table(track: Track, seconds: Mapping[str, str], say: Say) -> str:
    """Return the shares of the time that a person was in sight, with their seconds."""
    intervals = track.share_intervals
    return share_table(track.shares, seconds, caption=TIME_IN_SIGHT, unit="seconds", intervals=intervals, say=say)


def frequent_portraits(kept: Portraits, shares: Mapping[str, float]) -> list[Portrait]:
    """Return the portraits of the expressions that are not rare, the most frequent first."""
    frequent = sorted((label for label in kept if shares[label] >= FREQUENT), key=lambda label: -shares[label])
    return [kept[label] for label in frequent]


def _measures(track: Track, span: Span, *, level: int) -> str:
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
    return f"<h{heading}>Derived measures</h{heading}>{measure_chart(track, span)}{means}"


def _units(track: Track, span: Span, *, level: int) -> str:
    """Return a person's action units and blinks; nothing if no action unit was measured."""
    if track.units is None or np.isnan(track.units).all():
        return ""
    events, blinking = find_unit_events(track), find_blinks(track)
    codes = [code for code in CODES if any(event.unit == code for event in events)]
    blinks = blinking.blinks if blinking else ()
    return (
        f"<h{min(level + 1, 6)}>Action units</h{min(level + 1, 6)}><p>{_blinks(blinking)}</p>"
        f"{unit_chart(track, codes, blinks, span)}{_event_table(events)}"
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


def _span(track: Track, video: VideoSection) -> Span:
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
            escape(mostly(track, say)),
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
