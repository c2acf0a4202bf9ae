"""Frame and Face, the two values of the pipeline, and the conventions of the whole package.

* Images are (H, W, 3) uint8 **BGR** (OpenCV's order); public functions also accept grey (H, W) arrays.
* Boxes are ``x1 y1 x2 y2`` in float32 pixels, origin at the top left; points are ``(x, y)``.
* Probabilities and scores are 0..1; times are in seconds.
* Angles are in degrees. The head pose is yaw (positive: turned to the right of the image), pitch (positive: up) and
  roll (positive: clockwise in the image), all 0 for a face that looks into the camera.
* Labels are in the order of `facemood.labels.EXPRESSIONS`.
* Left and right are the subject's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.facs import describe
from facemood.geometry import eye_aspect_ratio
from facemood.imaging import AnyImage, as_image
from facemood.participants import Segment
from facemood.table import (
    ANGLE_COLUMNS,
    PIXEL_DECIMALS,
    SHARE_DECIMALS,
    UNIT_DECIMALS,
    Column,
    RowSource,
    face_columns,
)
from facemood.text import percent

Image = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One image of a source.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        source: Name of the source, such as a path.
        index: Number of the frame in the source, from 0.
        timestamp: Time in seconds from the start of the source; None for a single image.
        reduced_from: Width and height in pixels of the source, if the image was decoded at a fraction of its size;
            None if it has them. The faces of a result are in pixels of the source.
        video_end: Time at which its video ends, in seconds from the start; None if that is unknown.

    Example:
        >>> Frame(np.zeros((480, 640, 3), np.uint8), source="photo.jpg").size
        (640, 480)
    """

    image: Image = field(repr=False)
    source: str = "image"
    index: int = 0
    timestamp: float | None = None
    reduced_from: tuple[int, int] | None = None
    video_end: float | None = field(default=None, compare=False)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in pixels."""
        return self.image.shape[1], self.image.shape[0]

    @property
    def full_size(self) -> tuple[int, int]:
        """Width and height of the source in pixels."""
        return self.reduced_from or self.size

    @property
    def reduction(self) -> int:
        """By how much the sides of the source were reduced; 1 if they were not."""
        return round(max(self.full_size) / max(self.size))


class ActivationMap(NamedTuple):
    """Class activation map of a face: which parts of it are evidence for its label.

    Attributes:
        box: (4,) float32 ``x1 y1 x2 y2``, the square of the frame that the map covers, in pixels, before it is turned.
        values: (rows, columns) float32, -1..1; positive for evidence for the label, negative for evidence against it.
        tilt: Rotation of the square about its centre in degrees, clockwise in the frame.
    """

    box: NDArray[np.float32]
    values: NDArray[np.float32]
    tilt: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers: pixels and degrees with 1 decimal, values with 2."""
        return {
            "box": _rounded(self.box, PIXEL_DECIMALS),
            "values": _rounded(self.values, 2),
            "tilt": round(self.tilt, 1),
        }


class FaceParts(NamedTuple):
    """Mask and parts of a face, as measured by `facemood.ferc`.

    Attributes:
        outline: (P, 2) float32 pixels of the frame, the edge of the face mask.
        lines: (24, 2, 2) float32 pixels of the frame, the two ends of each distance, in the order of
            `facemood.ferc.PAIRS`.
        vector: (24,) float32, the expressional vector: the distances relative to the size of the face.
    """

    outline: NDArray[np.float32]
    lines: NDArray[np.float32]
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Face:
    """A face in a frame, with its landmarks and predictions.

    Attributes:
        box: (4,) float32 ``x1 y1 x2 y2`` in pixels of the frame; it may reach beyond the frame.
        score: Detection score, 0..1.
        landmarks: (68, 2) float32 points in pixels, in iBUG order, from the landmark network; (5, 2) from YuNet. None
            if unknown.
        labels: The labels of `probabilities`; empty without a prediction.
        probabilities: (K,) float32, sums to 1; empty without a prediction.
        track_id: Number of the person in a video; None for single images.
        pose: (3,) float32 yaw, pitch and roll of the head in degrees; None if unknown.
        raw_probabilities: (K,) float32, the prediction for this single frame, if `probabilities` are smoothed over
            time; None otherwise.
        change: (K,) float32, log-odds of each label minus their mean during the person's neutral baseline; None without
            a baseline.
        display_label: Steady label for display: it changes when another label has led for some time (hysteresis). Empty
            without smoothing.
        certain: Whether the confidence reaches the level at which 9 of 10 predictions were right on held-out images
            (selective prediction). In videos False if `emotion`, `display_label` and the prediction from the single
            frame differ. None without a prediction, and if the model has no such level.
        activation_map: Which parts of the face speak for the label and against it, for drawing; None if not requested.
        action_units: Intensities 0..1 by the keys of `facemood.facs.KEYS`, such as ``AU12`` and its sides ``AU12R`` and
            ``AU12L``; empty if unknown. In videos they are relative to the person's neutral baseline.
        openness: Openness of the subject's right and left eye, measured at the edges of the iris. It is comparable only
            with other frames of the same person. None if unknown.
        parts: Mask and parts of the face; None if not requested, or if they cannot be measured.
        segment: The participant of a study that this is, in a condition; None without a plan, and outside of its
            segments.
        measures: Derived measures by name: ``valence`` (-1..1) and ``arousal`` (0..1) if they were asked for, and own
            expressions (0..1); those that cannot be measured are left out (`facemood.derived`).

    Example:
        >>> box, probabilities = np.float32([10, 20, 50, 60]), np.float32([0.8, 0.2])
        >>> face = Face(box, score=0.9, labels=("happy", "sad"), probabilities=probabilities)
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
    activation_map: ActivationMap | None = None
    action_units: Mapping[str, float] = field(default_factory=dict)
    openness: tuple[float, float] | None = None
    parts: FaceParts | None = None
    segment: Segment | None = None
    measures: Mapping[str, float] = field(default_factory=dict)

    def __repr__(self) -> str:
        box = ", ".join(f"{value:.0f}" for value in self.box.tolist())
        who = "" if self.track_id is None else f" {self.track_id}"
        label, share = self.reported
        said = f"{label} {percent(share)}" if label else "no prediction"
        return f"<Face{who}: {said}, box ({box}), score {self.score:.2f}>"

    @property
    def emotion(self) -> str:
        """The most probable label; an empty string without a prediction."""
        return self.labels[int(self.probabilities.argmax())] if self.labels else ""

    @property
    def confidence(self) -> float:
        """The probability of `emotion`, 0..1; 0 without a prediction."""
        return float(self.probabilities.max()) if self.labels else 0.0

    @property
    def reported(self) -> tuple[str, float]:
        """The label to report and its probability, 0..1: `display_label` in videos, `emotion` otherwise."""
        label = self.display_label or self.emotion
        return label, self.emotions.get(label, 0.0)

    @property
    def emotions(self) -> dict[str, float]:
        """The probability of each label, in the order of `labels`."""
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
        """Eye aspect ratio of the subject's right and left eye: height over width; None without 68 landmarks."""
        if self.landmarks is None or len(self.landmarks) != 68:
            return None
        return eye_aspect_ratio(self.landmarks)

    @property
    def angles(self) -> dict[str, float]:
        """Yaw, pitch and roll of the head by name, in degrees with 1 decimal; empty if unknown."""
        return dict(_by_path(ANGLE_COLUMNS, RowSource(self)).get("pose", {}))

    def moved(self, move: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Face:
        """Return the face with its box, its points, its parts and its activation map in other coordinates.

        Args:
            move: Turns points (..., 2) float32 x and y into others of the same shape. Boxes stay upright.

        Example:
            >>> Face(np.float32([10, 20, 30, 60]), score=1.0).moved(lambda points: 2 * points).box.tolist()
            [20.0, 40.0, 60.0, 120.0]
        """
        shown, parts = self.activation_map, self.parts
        return replace(
            self,
            box=_moved_box(self.box, move),
            landmarks=None if self.landmarks is None else move(self.landmarks),
            activation_map=None if shown is None else shown._replace(box=_moved_box(shown.box, move)),
            parts=None if parts is None else parts._replace(outline=move(parts.outline), lines=move(parts.lines)),
        )

    def facs(self) -> str:
        """Return a sentence on the action units that support the reported label, and those that oppose it."""
        return describe(self.reported[0], self.action_units)

    def top(self, k: int = 3) -> list[tuple[str, float]]:
        """Return the k most probable labels with their probabilities, highest first.

        After `emotion`, labels whose probabilities are equal in the table, with 4 decimals, are in the order of
        `labels`, so that the table, the JSON and the page can be ranked alike.
        """
        best = self.emotion
        return sorted(self.emotions.items(), key=lambda item: (item[0] != best, -round(item[1], SHARE_DECIMALS)))[:k]

    def crop(self, image: AnyImage, *, margin: float = 0.0) -> Image:
        """Crop the face from its frame.

        Args:
            image: The frame, (H, W, 3) BGR or (H, W) grey, uint8; or a Pillow image.
            margin: Margin on each side, as a share of the box's width and height.

        Returns:
            (h, w, 3) uint8 BGR, clipped at the edges of the frame; of a BGR array a view of its memory.

        Raises:
            ImageError: The frame is something else, such as a path.
        """
        width, height = self.size
        grow = np.array([-width, -height, width, height]) * margin
        x1, y1, x2, y2 = np.rint(self.box + grow).astype(int).clip(0).tolist()
        return as_image(image)[y1:y2, x1:x2]

    def to_dict(self, number: int | None = None, timestamp: float | None = None) -> dict[str, Any]:
        """Return the face as in the JSON: the columns of `facemood.table`, and values without a column.

        Args:
            number: Index of the face in its frame, from 0.
            timestamp: Time of the frame in seconds, for the time since the start of the segment; None for a photo.

        Returns:
            Pixels and degrees with 1 decimal, probabilities with 4, action units with 3. Unknown values are left out.
        """
        known = _by_path(face_columns(self.labels), RowSource(self, number))
        if self.landmarks is not None:
            known["landmarks"] = _rounded(self.landmarks, PIXEL_DECIMALS)
        if self.action_units:
            known["action_units"] = {key: round(value, UNIT_DECIMALS) for key, value in self.action_units.items()}
        if self.measures:
            known["measures"] = {name: round(value, SHARE_DECIMALS) for name, value in self.measures.items()}
        if self.activation_map is not None:
            known["map"] = self.activation_map.to_dict()
        if self.parts is not None:
            known["vector"] = _rounded(self.parts.vector, SHARE_DECIMALS)
        if self.segment is not None:
            values = self.segment.values(timestamp)
            known["segment"] = {name: value for name, value in values.items() if value is not None}
        return known

    def _repr_png_(self) -> bytes | None:
        """Display the probabilities as bars in a notebook."""
        from facemood.render import draw_profile, encode_png

        return encode_png(draw_profile(self)) if self.labels else None


def _by_path(columns: Iterable[Column], source: RowSource) -> dict[str, Any]:
    """Return the values of columns nested by their paths in a face: objects of numbers, and the box as a list."""
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


def _moved_box(
    box: NDArray[np.float32], move: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the upright box around the moved corners of a box (4,) x1 y1 x2 y2."""
    corners = move(box.reshape(2, 2))
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)]).astype(np.float32)


def _rounded(values: NDArray[np.float32], decimals: int) -> Any:
    """Return an array as lists of rounded numbers, as float64: float32 would print more decimals."""
    return np.round(values.astype(float), decimals).tolist()
