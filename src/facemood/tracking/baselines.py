"""Baselines of a video: of each person, in each baseline period."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from facemood.participants import Period
from facemood.schema import Face
from facemood.tracking.baseline import ExpressionBaseline
from facemood.tracking.unit_baseline import UnitBaseline

SHORTEST_FRAME = 1e-3
"""Shortest time, in seconds, for which a frame counts in a unit baseline, so that the first frame counts too."""


class Baselines:
    """The baselines of expressions and action units of the people in one video.

    Mostly there is one baseline period. In a study, each segment can have one of its own.

    Args:
        periods: The baseline periods, each as start and end in seconds; empty without one.

    Attributes:
        periods: The periods, each once, in order.
    """

    periods: tuple[Period, ...]

    def __init__(self, periods: Sequence[Period] = ()) -> None:
        self.periods = tuple(sorted(set(periods)))
        self._running = UnitBaseline()
        self._expressions = {period: ExpressionBaseline() for period in self.periods}
        self._units = {period: UnitBaseline(self._running) for period in self.periods}

    @property
    def end(self) -> float:
        """Second at which the last period ends; 0 without one."""
        return max((end for _, end in self.periods), default=0.0)

    def people(self, period: Period) -> tuple[Hashable, ...]:
        """Return who has a baseline from a period."""
        return self._expressions[period].people

    def learn(self, faces: Sequence[Face], keys: Sequence[Hashable], *, now: float, seconds: float) -> None:
        """Add the faces of one frame to the periods that it lies in.

        Args:
            faces: The faces; one stands several times if it may be several people.
            keys: Who each of them is.
            now: Time of the frame in seconds.
            seconds: Its duration.
        """
        for period in self.periods:
            if period[0] <= now < period[1]:
                self._expressions[period].add(faces, keys)
                self._units[period].learn(faces, keys, seconds=max(seconds, SHORTEST_FRAME))

    def compare(
        self, faces: Sequence[Face], keys: Sequence[Hashable], periods: Sequence[Period | None], *, seconds: float
    ) -> list[Face]:
        """Return the faces of one frame compared with their baselines.

        Args:
            faces: The faces.
            keys: Who each of them is.
            periods: The baseline period of each of them; None without one.
            seconds: Duration of the frame.
        """
        self._running.follow(faces, keys, seconds=seconds)
        return [self._compare(*one) for one in zip(faces, keys, periods, strict=True)]

    def _compare(self, face: Face, key: Hashable, period: Period | None) -> Face:
        """Return one face compared with its baselines."""
        if period is None:
            return self._running.compare([face], [key])[0]
        return self._expressions[period].compare(self._units[period].compare([face], [key]), [key])[0]
