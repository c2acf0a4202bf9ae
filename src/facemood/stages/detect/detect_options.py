"""The protocol of detectors, and the options that select faces."""

from __future__ import annotations

import dataclasses
import math
from numbers import Integral, Real
from typing import Protocol

from facemood.defaults import MIN_FACE
from facemood.errors import OptionError
from facemood.schema import Face, Image


class Detector(Protocol):
    """A face detector. `name` is the key of its crop framing on a model's card."""

    name: str

    def __call__(self, image: Image) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 BGR image with box and score, in any order."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class DetectOptions:
    """Which detected faces count.

    Attributes:
        min_size: Smallest face: the shorter side of its box, in pixels of the image. Users know it as ``min_face``.
        threshold: Smallest score, 0..1; None for the detector's default, because scores of detectors differ.
        max_faces: Largest number of faces, largest faces first; None for all.
    """

    min_size: float = MIN_FACE
    threshold: float | None = None
    max_faces: int | None = None

    def __post_init__(self) -> None:
        if not _is_number(self.min_size) or not 0 < self.min_size < math.inf:
            raise OptionError(f"min_face must be a number of pixels above 0, but is {self.min_size!r}")
        if self.threshold is not None and (not _is_number(self.threshold) or not 0 <= self.threshold <= 1):
            raise OptionError(f"threshold must be a number from 0 to 1 or None, but is {self.threshold!r}")
        if self.max_faces is not None and (not isinstance(self.max_faces, Integral) or self.max_faces < 1):
            raise OptionError(f"max_faces must be a whole number from 1 on or None, but is {self.max_faces!r}")

    def threshold_or(self, usual: float) -> float:
        """Return the given threshold, or a detector's default."""
        return usual if self.threshold is None else self.threshold


def _is_number(value: object) -> bool:
    """Return whether a value is a number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


def select_faces(faces: list[Face], options: DetectOptions) -> list[Face]:
    """Keep the faces that count, largest first."""
    least = 0.0 if options.threshold is None else options.threshold
    kept = [face for face in faces if face.score >= least and min(face.size) >= options.min_size]
    kept.sort(key=lambda face: -face.area)
    return kept[: options.max_faces]
