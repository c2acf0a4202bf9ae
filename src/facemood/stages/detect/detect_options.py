"""The protocol of detectors, and the options that select faces."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from facemood.schema import Face, Image

MIN_FACE = 24.0
"""Default size of the smallest face, in pixels. Expressions of faces below 30 pixels are predicted poorly."""


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
        min_size: Smallest face: the shorter side of its box, in pixels of the image.
        threshold: Smallest score, 0..1; None for the detector's default, because scores of detectors differ.
        max_faces: Largest number of faces, largest faces first; None for all.
    """

    min_size: float = MIN_FACE
    threshold: float | None = None
    max_faces: int | None = None

    def __post_init__(self) -> None:
        known = (self.threshold is None or 0 <= self.threshold <= 1) and self.min_size > 0
        if not known or (self.max_faces is not None and self.max_faces < 1):
            raise ValueError(
                "expected min_size > 0, threshold 0..1 or None, and max_faces >= 1 or None, but got "
                f"{self.min_size}, {self.threshold} and {self.max_faces}"
            )

    def threshold_or(self, usual: float) -> float:
        """Return the given threshold, or a detector's default."""
        return usual if self.threshold is None else self.threshold


def select_faces(faces: list[Face], options: DetectOptions) -> list[Face]:
    """Keep the faces that count, largest first."""
    least = 0.0 if options.threshold is None else options.threshold
    kept = [face for face in faces if face.score >= least and min(face.size) >= options.min_size]
    kept.sort(key=lambda face: -face.area)
    return kept[: options.max_faces]
