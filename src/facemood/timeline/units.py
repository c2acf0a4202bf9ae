"""Action units over time: onset, apex and offset of each event, and blinks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemood.facs import ABSENT, ACTIVE, KEYS, UNITS
from facemood.timeline.tracks import INSTANT, Times, Track

MIN_EVENT = 0.2
"""Shortest event by default, in seconds. A single frame is not reliable."""

OPEN_PERCENTILE = 60.0
"""Percentile of a person's eye openness, over some seconds, that is taken as the openness of open eyes."""

NEARBY = 2.0
"""Seconds before and after a frame for that percentile. Smiles and head turns change the openness slowly."""

SHUT = 0.65
"""Eyes are shut below this share of the openness of open eyes."""

REOPENED = 0.78
"""A blink lasts while the eyes are below this share of the openness of open eyes. Above `SHUT`, as hysteresis."""

LONGEST_BLINK = 0.5
"""Longest blink in seconds. Eyes that are shut for longer are closed or look down. Blinks last 0.1 to 0.4 s (Stern,
Walrath & Goldstein 1984)."""

MAX_INTERVAL = 0.07
"""Longest median time between frames, in seconds, at which blinks are counted. At longer intervals (below about 15
frames per second) a blink can fall between two frames."""


@dataclass(frozen=True, slots=True)
class UnitEvent:
    """A period in which an action unit of a person is active.

    Attributes:
        source: The video.
        track_id: The person's track ID.
        unit: The unit's code, such as ``AU12``.
        onset: Time in seconds at which the unit appears.
        apex: Time in seconds of the frame with the highest intensity.
        offset: Time in seconds at which the unit has disappeared.
        peak: Intensity at the apex, 0..1.
        asymmetry: Intensity of the subject's left side minus the right side at the apex, -1..1; None for a unit without
            sides.
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
        """Duration in seconds."""
        return self.offset - self.onset


@dataclass(frozen=True, slots=True)
class Blink:
    """A blink of both eyes.

    Attributes:
        start: Time in seconds at which the eyes close.
        end: Time in seconds at which they are open again.
    """

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Blinking:
    """The blinks of a person.

    Attributes:
        blinks: The blinks in order.
        seconds: Seconds in which the eyes were visible and not closed for longer than a blink.
    """

    blinks: tuple[Blink, ...]
    seconds: float

    @property
    def rate(self) -> float:
        """Blinks per minute."""
        return 60 * len(self.blinks) / self.seconds if self.seconds > 0 else 0.0


def find_unit_events(track: Track, *, least: float = ACTIVE, min_seconds: float = MIN_EVENT) -> list[UnitEvent]:
    """Find the events of a person's action units, unit by unit, each in order.

    In an event, the intensity of a unit stays at or above `facs.ABSENT` and reaches `least` at least once. An event
    ends when the unit has no value, or when the person is out of sight.

    Args:
        track: The person.
        least: Lowest peak intensity of an event, 0..1.
        min_seconds: Shorter events are left out; 0 keeps all.

    Raises:
        ValueError: A limit is out of its range.

    Example:
        >>> times, rows = np.arange(5.0), np.full((5, len(KEYS)), np.nan, np.float32)
        >>> rows[:, KEYS.index("AU26")] = 0.1, 0.4, 0.8, 0.3, 0.1
        >>> happy, boxes = np.ones((5, 1), np.float32), np.zeros((5, 4), np.float32)
        >>> track = Track("a.mp4", 1, ("happy",), times, times + 1, happy, happy.argmax(1), boxes, rows)
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
        for first, end in _periods(track, track.units[:, KEYS.index(unit.code)] >= ABSENT)
        if (event := _event(track, track.units[first:end], unit.keys, first, end)).peak >= least
        and event.seconds >= min_seconds - INSTANT
    ]


def find_blinks(track: Track) -> Blinking | None:
    """Find a person's blinks, relative to the openness of the same eyes in the seconds around them.

    Args:
        track: The person.

    Returns:
        The blinks; None if the eyes are unknown, or if the frames are more than `MAX_INTERVAL` apart.
    """
    steps = np.diff(track.timestamps)
    if track.eyes is None or len(track) < 2 or float(np.median(steps)) > MAX_INTERVAL:
        return None
    wider = track.eyes.max(axis=1).astype(np.float64)  # a blink shuts both eyes, a wink does not
    known = ~np.isnan(wider)
    if not known.any():
        return None
    share = np.where(known, wider / _open_eyes(track.timestamps, wider), 1.0)
    closures = [
        (float(track.timestamps[first]), float(track.ends[end - 1]))
        for first, end in _periods(track, share < REOPENED)
        if float(share[first:end].min()) < SHUT
    ]
    blinks = tuple(Blink(start, end) for start, end in closures if end - start <= LONGEST_BLINK)
    closed = sum(end - start for start, end in closures if end - start > LONGEST_BLINK)
    return Blinking(blinks, float(track.durations[known].sum()) - closed)


def _open_eyes(times: Times, values: Times) -> Times:
    """Return the openness of open eyes at each time, (T,): a running percentile, computed every 0.5 s, interpolated.

    Args:
        times: (T,) seconds.
        values: (T,) openness of the eyes; NaN if unknown.
    """
    known = ~np.isnan(values)
    times_known, values_known = times[known], values[known]
    knots = np.arange(times_known[0], times_known[-1] + NEARBY / 4, NEARBY / 4)
    firsts = np.searchsorted(times_known, knots - NEARBY)
    ends = np.searchsorted(times_known, knots + NEARBY, "right")
    pairs = [
        (knot, np.percentile(values_known[first:end], OPEN_PERCENTILE))
        for knot, first, end in zip(knots, firsts, ends, strict=True)
        if end > first
    ]
    known_times, percentiles = np.array(pairs).T
    return np.asarray(np.maximum(np.interp(times, known_times, percentiles), 1e-6))


def _periods(track: Track, condition: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield the periods without a gap in which a condition (T,) holds, as first frame and end (exclusive)."""
    gaps = track.timestamps[1:] > track.ends[:-1] + INSTANT
    changes = np.flatnonzero(gaps | (np.diff(condition.astype(np.int8)) != 0)) + 1
    bounds = [0, *changes.tolist(), len(track)] if len(track) else []
    yield from ((first, end) for first, end in itertools.pairwise(bounds) if condition[first])


def _event(track: Track, rows: NDArray[np.float32], keys: tuple[str, ...], first: int, end: int) -> UnitEvent:
    """Return the event from one frame of a track to another (exclusive).

    Args:
        track: The person.
        rows: (end - first, U) intensities of all units in these frames.
        keys: The unit's own key, and those of its right and left side if it has sides.
        first: First frame.
        end: Frame after the last.
    """
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
