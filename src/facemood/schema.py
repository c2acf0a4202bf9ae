"""Frame and Face: the two values that travel through the pipeline, and the conventions that hold everywhere.

* Images are (H, W, 3) uint8 **BGR** (OpenCV's order); a grey (H, W) array is accepted where users hand one in.
* Boxes are ``x1 y1 x2 y2`` in float32 pixels, origin at the top left; points are ``(x, y)``.
* Probabilities and scores are 0..1, time is in seconds.
* Angles are in degrees. A head's are yaw (positive: turned to the right of the picture), pitch (positive: looks up) and
  roll (positive: tilted clockwise in the picture), all 0 for a face that looks into the camera.
* Labels stand in the order of `facemood.labels.EXPRESSIONS`.
* Left and right are the subject's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.facs import describe
from facemood.geometry import eye_aspect_ratio
from facemood.table import (
    ANGLE_DECIMALS,
    ANGLES,
    PIXEL_DECIMALS,
    SHARE_DECIMALS,
    UNIT_DECIMALS,
    Column,
    RowSource,
    face_columns,
)

Image = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a source.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        source: The name of where it came from, such as a path.
        index: Position in the source, from 0.
        timestamp: Seconds since the source began; None for a single image.

    Example:
        >>> Frame(np.zeros((480, 640, 3), np.uint8), source="photo.jpg").size
        (640, 480)
    """

    image: Image = field(repr=False)
    source: str = "image"
    index: int = 0
    timestamp: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


class ActivationMap(NamedTuple):
    """Where in a face a network found what it says.

    Attributes:
        box: (4,) float32 ``x1 y1 x2 y2``, the part of the frame that the map lies on, in pixels.
        values: (rows, columns) float32, -1..1, positive where the face speaks for its label.
    """

    box: NDArray[np.float32]
    values: NDArray[np.float32]

    def to_dict(self) -> dict[str, list[Any]]:
        """Return plain numbers: pixels with 1 decimal, values with 2."""
        return {
            "box": _rounded(self.box, PIXEL_DECIMALS),
            "values": _rounded(self.values, 2),
        }


class FaceParts(NamedTuple):
    """A face without its background, and where its parts are, as `facemood.ferc` reads them.

    Attributes:
        outline: (P, 2) float32 pixels of the frame, the edge of the face's mask.
        lines: (24, 2, 2) float32 pixels of the frame, the parts that each distance lies between, in the order of
            `facemood.ferc.PAIRS`.
        vector: (24,) float32, the expressional vector: these distances in units of the face's size.
    """

    outline: NDArray[np.float32]
    lines: NDArray[np.float32]
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face found in a frame, and what was read from it.

    Attributes:
        box: (4,) float32 ``x1 y1 x2 y2`` in pixels of the frame; it may reach beyond the frame's edge.
        score: How sure the detector is that this is a face, 0..1.
        landmarks: (68, 2) float32 points in pixels, in iBUG order, where the landmark network read them; YuNet's own
            are (5, 2). None where there are none.
        labels: The words that `probabilities` stand for; empty before classification.
        probabilities: (K,) float32, sums to 1; empty before classification.
        track_id: The number of the person in a video; None for single images.
        pose: (3,) float32 yaw, pitch and roll of the head in degrees; None where they are not known.
        raw_probabilities: (K,) float32, what was read from this frame alone, where `probabilities` are smoothed over
            time; None where they are not.
        change: (K,) float32, log-odds of each label less those of the person's own resting face; None where that is not
            known.
        display_label: The label that a live display shows: it stays until another leads clearly. Empty where nothing is
            smoothed.
        certain: Whether the model is so sure that it was right 9 times in 10 on images that it did not train on; None
            before classification, and where the model cannot tell.
        activation_map: Which parts of the face speak for the label and against it, for drawing; None if not requested.
        action_units: Intensities 0..1 by the keys of `facemood.facs.KEYS`, such as ``AU12`` and its sides ``AU12R`` and
            ``AU12L``; empty where units are not known. In videos they are told against the person's own rest.
        openness: How open the subject's right and left eye look, by the edges of the iris: to be compared with what the
            same person's eyes have at other times. None where it is not known.
        parts: Its mask, its parts and their distances; None where nobody asked, or where they cannot be told.

    Example:
        >>> box, read = np.float32([10, 20, 50, 60]), np.float32([0.8, 0.2])
        >>> face = Face(box, score=0.9, labels=("happy", "sad"), probabilities=read)
        >>> face.emotion, round(face.confidence, 2), face.size
        ('happy', 0.8, (40.0, 40.0))
    """

    box: NDArray[np.float32]
    score: float
    landmarks: NDArray[np.float32] | None = None
    labels: tuple[str, ...] = ()
    probabilities: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    track_id: int | None = None
    pose: NDArray[np.float32] | None = None
    raw_probabilities: NDArray[np.float32] | None = None
    change: NDArray[np.float32] | None = None
    display_label: str = ""
    certain: bool | None = None
    activation_map: ActivationMap | None = field(default=None, repr=False)
    action_units: Mapping[str, float] = field(default_factory=dict, repr=False)
    openness: tuple[float, float] | None = field(default=None, repr=False)
    parts: FaceParts | None = field(default=None, repr=False)

    @property
    def emotion(self) -> str:
        """The most probable label, or an empty text before classification."""
        return self.labels[int(self.probabilities.argmax())] if self.labels else ""

    @property
    def confidence(self) -> float:
        """The probability of `emotion`, 0..1; 0 before classification."""
        return float(self.probabilities.max()) if self.labels else 0.0

    @property
    def reported(self) -> tuple[str, float]:
        """The label for people to read and its probability, 0..1: `display_label` in videos, `emotion` elsewhere."""
        label = self.display_label or self.emotion
        return label, self.emotions.get(label, 0.0)

    @property
    def emotions(self) -> dict[str, float]:
        """The probability of each label, in their fixed order."""
        return dict(zip(self.labels, self.probabilities.tolist(), strict=True))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the box in pixels."""
        x1, y1, x2, y2 = self.box.tolist()
        return x2 - x1, y2 - y1

    @property
    def area(self) -> float:
        """Width times height of the box in square pixels."""
        width, height = self.size
        return width * height

    @property
    def eye_aspect_ratio(self) -> tuple[float, float] | None:
        """How far the subject's right and left eye are open, height over width; None without 68 landmarks."""
        if self.landmarks is None or len(self.landmarks) != 68:
            return None
        return eye_aspect_ratio(self.landmarks)

    @property
    def angles(self) -> dict[str, float]:
        """The head's yaw, pitch and roll by name, in degrees with 1 decimal; empty where they are not known."""
        if self.pose is None:
            return {}
        return {
            name: round(angle, ANGLE_DECIMALS) + 0.0 for name, angle in zip(ANGLES, self.pose.tolist(), strict=True)
        }

    def facs(self) -> str:
        """Say in words which action units speak for the label that is told, and which against it."""
        return describe(self.reported[0], self.action_units)

    def top(self, k: int = 3) -> list[tuple[str, float]]:
        """Return the k most probable labels with their probabilities, best first."""
        return sorted(self.emotions.items(), key=lambda item: -item[1])[:k]

    def crop(self, image: Image, *, margin: float = 0.0) -> Image:
        """Cut the face out of its frame.

        Args:
            image: The frame, (H, W, 3) uint8 BGR.
            margin: What to add on each side, as a share of the box's size.

        Returns:
            (h, w, 3) uint8 BGR, cut at the frame's edges; it shares the frame's memory.
        """
        width, height = self.size
        grow = np.array([-width, -height, width, height]) * margin
        x1, y1, x2, y2 = np.rint(self.box + grow).astype(int).clip(0).tolist()
        return image[y1:y2, x1:x2]

    def to_dict(self, number: int | None = None) -> dict[str, Any]:
        """Return plain numbers and texts, as in JSON: what the columns of `facemood.table` say, and what has no column.

        Args:
            number: The face's place among those of its frame, from 0.

        Returns:
            Pixels and degrees with 1 decimal, probabilities with 4, units with 3; what is not known is left out.
        """
        known = _by_path(face_columns(self.labels), RowSource(self, number))
        if self.landmarks is not None:
            known["landmarks"] = _rounded(self.landmarks, PIXEL_DECIMALS)
        if self.action_units:
            known["action_units"] = {key: round(value, UNIT_DECIMALS) for key, value in self.action_units.items()}
        if self.activation_map is not None:
            known["map"] = self.activation_map.to_dict()
        if self.parts is not None:
            known["vector"] = _rounded(self.parts.vector, SHARE_DECIMALS)
        return known

    def _repr_png_(self) -> bytes | None:
        """Show the expressions as bars in a notebook."""
        from facemood.render import draw_profile, encode_png

        return encode_png(draw_profile(self)) if self.labels else None


def _by_path(columns: Iterable[Column], source: RowSource) -> dict[str, Any]:
    """Return the values of columns where their paths in a face say: objects of numbers, and the box as a list."""
    known: dict[str, Any] = {}
    for column in columns:
        value, (_, name, *rest) = column.value(source), column.path
        if value is None:
            continue
        if not rest:
            known[str(name)] = value
        elif isinstance(rest[0], str):
            known.setdefault(str(name), {})[rest[0]] = value
        else:
            known.setdefault(str(name), []).append(value)
    return known


def _rounded(values: NDArray[np.float32], decimals: int) -> Any:
    """Return an array as lists of rounded numbers; float64 prints them with so few decimals, float32 would not."""
    return np.round(values.astype(float), decimals).tolist()
