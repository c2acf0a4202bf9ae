"""How videos, cameras and screens are read: which frames, smoothing, baseline, patience."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

import numpy as np

from facemood.defaults import SMOOTH
from facemood.errors import OptionError
from facemood.switches import check_switches
from facemood.table import CHANGE, RAW, REPEATED
from facemood.tracking.seams import WARM_UP
from facemood.tracking.tracker import PATIENCE

Every: TypeAlias = float | Literal["auto"] | None
"""Which frames are read: a number of frames or of seconds, ``"auto"``, or None for all."""

PeopleOption: TypeAlias = int | Literal["auto"] | None
"""Whether the tracks of one person are joined: by how many people there are, ``"auto"``, or None for not at all."""

AUTO = "auto"
"""Reads the frames that differ from the last one that was read; or finds out how many people there are."""


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """How videos, cameras and screens are read.

    Attributes:
        every: A whole number k reads each k-th frame of a video, a float T one at most every T seconds; None reads all.
            ``"auto"`` reads those that differ from the last one that was read; the others get its faces.
        smooth: Time constant of smoothing in seconds; 0 for none.
        baseline: First and last second of the baseline period, in which people look neutral; None without one.
        patience: Seconds for which a person who is not visible keeps the track ID.
        segment: Seconds after which a video is read anew, so that several processes may read one; None reads it whole.
        people: Joins the tracks of each person in a video: how many people there are, or ``"auto"``. None joins none.
        same_people: Joins the people of all videos of a run, too: the same person has the same number in all of them.
            `people` is how many there are in all videos then; None becomes ``"auto"``.

    Raises:
        OptionError: An option is out of range, or there are segments and a baseline or people.

    Example:
        >>> VideoOptions(baseline=(0, 10)).variants
        ('raw', 'change')
    """

    every: Every = None
    smooth: float = SMOOTH
    baseline: tuple[float, float] | None = None
    patience: float = PATIENCE
    segment: float | None = None
    people: PeopleOption = None
    same_people: bool = False

    def __post_init__(self) -> None:
        number = isinstance(self.every, Real) and not isinstance(self.every, bool)
        if self.every not in (None, AUTO) and (not number or not 0 < float(self.every) < math.inf):
            raise OptionError(f"every must be a number of frames or seconds above 0, or 'auto', but is {self.every!r}")
        if not 0 <= self.smooth < math.inf:
            raise OptionError(f"smooth must be a number of seconds, 0 or more, but is {self.smooth!r}")
        if not 0 <= self.patience < math.inf:
            raise OptionError(f"patience must be a number of seconds, 0 or more, but is {self.patience!r}")
        if self.baseline is not None:
            self._check_baseline(self.baseline)
        number = isinstance(self.people, Integral) and not isinstance(self.people, bool)
        if self.people not in (None, AUTO) and (not number or int(self.people) < 1):
            raise OptionError(f"people must be a number of people from 1 on, or 'auto', but is {self.people!r}")
        check_switches(same_people=self.same_people)
        if self.same_people and self.people is None:
            object.__setattr__(self, "people", AUTO)
        if self.segment is not None:
            self._check_segment(self.segment)

    @staticmethod
    def _check_baseline(baseline: tuple[float, float]) -> None:
        """Check the period of the baseline."""
        if not (
            isinstance(baseline, (Sequence, np.ndarray))
            and len(baseline) == 2
            and all(isinstance(time, Real) for time in baseline)
        ):
            raise OptionError(f"baseline must be its start and end in seconds, such as (0, 10), but is {baseline!r}")
        start, end = baseline
        if not 0 <= start < end < math.inf:
            raise OptionError(
                f"baseline must start at 0 seconds or later and end after its start, but runs from {start:g} to {end:g}"
            )

    def _check_segment(self, segment: float) -> None:
        """Check the length of segments."""
        least = 2 * self.warm_up
        if not least <= segment < math.inf:
            raise OptionError(f"segments must last {least:g} seconds or more, such as 600, but are {segment!r} long")
        if self.baseline is not None:
            raise OptionError("a baseline holds for a whole video; read it without segments, or without a baseline")
        if self.people is not None:
            raise OptionError("people are joined over a whole video; read it without segments, or without people")

    @property
    def step(self) -> float | None:
        """Which frames are decoded, as for `facemood.sources.read_video`; None for all of them."""
        return None if isinstance(self.every, str) else self.every

    @property
    def passes(self) -> int:
        """How often each video is read: twice if the tracks of people are joined."""
        return 1 if self.people is None else 2

    @property
    def warm_up(self) -> float:
        """Seconds that a segment reads before its first frame."""
        seconds = 0.0 if self.step is None or isinstance(self.step, Integral) else 2 * self.step
        return max(WARM_UP, seconds)

    @property
    def variants(self) -> tuple[str, ...]:
        """The values of each label besides its probability, and whether frames that look alike are marked."""
        return self.variants_with(change=self.baseline is not None)

    def variants_with(self, *, change: bool) -> tuple[str, ...]:
        """Return the variants, with or without the change against a baseline."""
        return (RAW, *([CHANGE] if change else []), *([REPEATED] if self.every == AUTO else []))

    def info(self) -> dict[str, Any]:
        """Return the settings for a table's or report's head."""
        baseline = None if self.baseline is None else list(self.baseline)
        info = {
            "every": self.every,
            "smooth": self.smooth,
            "baseline": baseline,
            "patience": self.patience,
            "variants": list(self.variants),
        }
        more = {"segment": self.segment, "people": self.people, "same_people": True if self.same_people else None}
        return {**info, **{name: value for name, value in more.items() if value is not None}}
