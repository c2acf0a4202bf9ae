"""Action units over time: from when to when each is active, where it is strongest, and how often a person blinks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemood.facs import ABSENT, ACTIVE, KEYS, UNITS
from facemood.timeline.tracks import INSTANT, Times, Track

BRIEF = 0.2
"""Shorter events of units are left out unless they are asked for; one frame alone is little to rely on."""

OPEN, NEARBY = 60.0, 2.0
"""The percentile of how open a person's eyes look that stands for open eyes, and within how many seconds before and
after it is taken: a smile and a turn of the head change it slowly."""

SHUT, REOPENED = 0.65, 0.78
"""Eyes are shut below this share of that; a blink ends where they are open by this share again."""

LONGEST_BLINK = 0.5
"""Seconds from which on eyes are closed, or look down, and do not blink (blinks last 0.1 to 0.4 s: Stern, Walrath &
Goldstein 1984)."""

COARSEST = 0.07
"""Seconds from frame to frame above which blinks fall between frames, and are not counted: below 15 frames a second."""


@dataclass(frozen=True, slots=True)
class UnitEvent:
    """A stretch of time in which an action unit of a person is active.

    Attributes:
        source: The video.
        track_id: The person's number within it.
        unit: The unit's code, such as ``AU12``.
        onset: Seconds at which it begins to rise.
        apex: Seconds of the frame in which it is strongest.
        offset: Seconds at which it is gone.
        peak: Its intensity at the apex, 0..1.
        asymmetry: How much stronger the subject's left side is than the right one at the apex, -1..1; None for a unit
            without sides.
    """

    source: str
    track_id: int
    unit: str
    onset: float
    apex: float
    offset: float
    peak: float
    asymmetry: float | None

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.offset - self.onset


@dataclass(frozen=True, slots=True)
class Blink:
    """A moment in which both eyes are shut.

    Attributes:
        start: Seconds at which the eyes are shut.
        end: Seconds at which they are open again.
    """

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Blinking:
    """How often a person blinks.

    Attributes:
        blinks: Each of them, in the order of time.
        seconds: For how long the eyes were seen, without the time in which they stayed closed.
    """

    blinks: tuple[Blink, ...]
    seconds: float

    @property
    def rate(self) -> float:
        """Blinks a minute."""
        return 60 * len(self.blinks) / self.seconds if self.seconds > 0 else 0.0


def find_unit_events(track: Track, *, least: float = ACTIVE, min_seconds: float = BRIEF) -> list[UnitEvent]:
    """Return from when to when the units of a person are active, unit by unit, each in the order of time.

    An event is a stretch in which a unit stays above `facs.ABSENT` and reaches `least` somewhere. It ends where the
    unit is not read, and where the person is out of sight.

    Args:
        track: The person.
        least: The intensity 0..1 that an event reaches.
        min_seconds: Events that are shorter are left out; 0 keeps all.

    Raises:
        ValueError: A limit is out of its range.

    Example:
        >>> times, rows = np.arange(5.0), np.full((5, len(KEYS)), np.nan, np.float32)
        >>> rows[:, KEYS.index("AU26")] = 0.1, 0.4, 0.8, 0.3, 0.1
        >>> sure, nowhere = np.ones((5, 1), np.float32), np.zeros((5, 4), np.float32)
        >>> track = Track("a.mp4", 1, ("happy",), times, times + 1, sure, sure.argmax(1), nowhere, rows)
        >>> [(event.unit, event.onset, event.apex, event.offset) for event in find_unit_events(track)]
        [('AU26', 1.0, 2.0, 4.0)]
    """
    if not (ABSENT <= least <= 1 and min_seconds >= 0):
        raise ValueError(f"expected least {ABSENT:g}..1 and min_seconds >= 0, but got {least:g} and {min_seconds:g}")
    if track.units is None:
        return []
    return [
        event
        for unit in UNITS
        for first, end in _stretches(track, track.units[:, KEYS.index(unit.code)] >= ABSENT)
        if (event := _event(track, track.units[first:end], unit.keys, first, end)).peak >= least
        and event.seconds >= min_seconds - INSTANT
    ]


def find_blinks(track: Track) -> Blinking | None:
    """Return how often a person blinks, against the openness of their own eyes.

    Args:
        track: The person.

    Returns:
        None where the eyes are not known, or frames are further apart than `COARSEST`, so that blinks fall between
        them.
    """
    steps = np.diff(track.timestamps)
    if track.eyes is None or len(track) < 2 or float(np.median(steps)) > COARSEST:
        return None
    wider = track.eyes.max(axis=1).astype(np.float64)  # a blink shuts both eyes, a wink does not
    known = ~np.isnan(wider)
    if not known.any():
        return None
    share = np.where(known, wider / _usual(track.timestamps, wider), 1.0)
    stretches = [
        (float(track.timestamps[first]), float(track.ends[end - 1]))
        for first, end in _stretches(track, share < REOPENED)
        if float(share[first:end].min()) < SHUT
    ]
    blinks = tuple(Blink(start, end) for start, end in stretches if end - start <= LONGEST_BLINK)
    closed = sum(end - start for start, end in stretches if end - start > LONGEST_BLINK)
    return Blinking(blinks, float(track.durations[known].sum()) - closed)


def _usual(times: Times, values: Times) -> Times:
    """Return what is usual about each time, (T,): a percentile of the values within some seconds, twice a second."""
    known = ~np.isnan(values)
    times_known, values_known = times[known], values[known]
    knots = np.arange(times_known[0], times_known[-1] + NEARBY / 4, NEARBY / 4)
    firsts = np.searchsorted(times_known, knots - NEARBY)
    ends = np.searchsorted(times_known, knots + NEARBY, "right")
    pairs = [
        (knot, np.percentile(values_known[first:end], OPEN))
        for knot, first, end in zip(knots, firsts, ends, strict=True)
        if end > first
    ]
    places, usual = np.array(pairs).T
    return np.asarray(np.maximum(np.interp(times, places, usual), 1e-6))


def _stretches(track: Track, there: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield where something is there (T,) in frames that follow each other: first and end."""
    apart = track.timestamps[1:] > track.ends[:-1] + INSTANT
    changes = np.flatnonzero(apart | (np.diff(there.astype(np.int8)) != 0)) + 1
    bounds = [0, *changes.tolist(), len(track)] if len(track) else []
    yield from ((first, end) for first, end in itertools.pairwise(bounds) if there[first])


def _event(track: Track, rows: NDArray[np.float32], keys: tuple[str, ...], first: int, end: int) -> UnitEvent:
    """Return what a unit does from a frame of a track up to but not including another; rows are (end - first, U)."""
    columns = rows[:, [KEYS.index(key) for key in keys]].astype(np.float64)
    top = int(columns[:, 0].argmax())
    sides = columns[top, 1:].tolist()
    return UnitEvent(
        track.source,
        track.track_id,
        keys[0],
        onset=float(track.timestamps[first]),
        apex=float(track.timestamps[first + top]),
        offset=float(track.ends[end - 1]),
        peak=float(columns[top, 0]),
        asymmetry=sides[1] - sides[0] if sides else None,
    )
