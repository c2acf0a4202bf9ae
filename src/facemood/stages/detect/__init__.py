"""Find faces: the Detector protocol, dlib's HOG and OpenCV's YuNet."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError, did_you_mean
from facemood.schema import Face, Image

MIN_FACE, THRESHOLD = 36.0, 0.52
"""The defaults. The smallest faces for which HOG enlarges twice; just above the weak hits that are no faces."""


class Detector(Protocol):
    """Anything that finds faces. `name` keys the crop framing in a model's card."""

    name: str

    def __call__(self, image: Image) -> list[Face]:
        """Return the faces of an (H, W, 3) uint8 BGR image with box and score, in any order."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class DetectOptions:
    """Which faces count.

    Attributes:
        min_size: Smallest face, the shorter side of its box in pixels of the image.
        threshold: Smallest score 0..1.
        max_faces: How many at most, the largest first; None for all.
    """

    min_size: float = MIN_FACE
    threshold: float = THRESHOLD
    max_faces: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1 or self.min_size <= 0 or (self.max_faces is not None and self.max_faces < 1):
            raise ValueError(
                "expected min_size > 0, threshold 0..1 and max_faces >= 1 or None, but got "
                f"{self.min_size}, {self.threshold} and {self.max_faces}"
            )


def select_faces(faces: list[Face], options: DetectOptions) -> list[Face]:
    """Keep the faces that count, largest first."""
    kept = [face for face in faces if face.score >= options.threshold and min(face.size) >= options.min_size]
    kept.sort(key=lambda face: -face.area)
    return kept[: options.max_faces]


class HogDetector:
    """dlib's frontal-face detector: histograms of oriented gradients and a linear classifier (Dalal & Triggs 2005).

    It sees upright, frontal faces whose box is at least `WINDOW` pixels wide; the image is enlarged so that faces of
    `min_size` reach that, but never worked on at more than `WORK_PIXELS`, which bounds time and memory.
    """

    name = "hog"
    WINDOW = 72
    WORK_PIXELS = 4_000_000

    def __init__(self, options: DetectOptions | None = None) -> None:
        import dlib

        self.options = options or DetectOptions()
        self._detector = dlib.get_frontal_face_detector()

    def __call__(self, image: Image) -> list[Face]:
        """Find faces in an (H, W, 3) uint8 BGR image. The score is the logistic of dlib's margin."""
        scale = self.scale(image)
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        work = cv2.resize(grey, (width, height), interpolation=interpolation)
        boxes, margins, _ = self._detector.run(work, 0, _margin(self.options.threshold))
        found = zip(boxes, margins, strict=True)
        return [Face(box=_corners(box) / np.float32(scale), score=1 / (1 + math.exp(-margin))) for box, margin in found]

    def scale(self, image: Image) -> float:
        """Return by how much an image is enlarged or shrunk before the search."""
        height, width = image.shape[:2]
        return min(self.WINDOW / self.options.min_size, math.sqrt(self.WORK_PIXELS / (height * width)))


class YuNetDetector:
    """YuNet (Wu et al. 2023) from a user's ONNX file, through OpenCV's FaceDetectorYN; it gives five landmarks.

    Args:
        file: Such as ``face_detection_yunet_2023mar.onnx`` of the OpenCV model zoo.
        options: Which faces count.

    Raises:
        ModelError: The file is missing or no YuNet model.
    """

    name = "yunet"

    def __init__(self, file: Path, options: DetectOptions | None = None) -> None:
        self.options = options or DetectOptions()
        if not file.is_file():
            raise ModelError(f"{file}: there is no such file; expected YuNet's ONNX model from the OpenCV model zoo")
        try:
            self._detector = cv2.FaceDetectorYN.create(str(file), "", (320, 320), self.options.threshold)
        except cv2.error as error:
            raise ModelError(f"{file}: OpenCV cannot load it as a YuNet model ({str(error).strip()})") from error

    def __call__(self, image: Image) -> list[Face]:
        """Find faces in an (H, W, 3) uint8 BGR image."""
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        _, rows = self._detector.detect(image)  # (F, 15): x y w h, five points, score; or None
        found = np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)
        return [_yunet_face(row) for row in found]


DETECTORS: dict[str, Callable[[str, DetectOptions], Detector]] = {
    "hog": lambda _, options: HogDetector(options),
    "yunet": lambda path, options: YuNetDetector(Path(path).expanduser(), options),
}
"""A new detector is a new line here: the text behind the colon and the options make it."""


def open_detector(spec: str, options: DetectOptions) -> Detector:
    """Make a detector from a text such as ``"hog"`` or ``"yunet:models/yunet.onnx"``.

    Raises:
        ModelError: The name is unknown, or its file is missing or damaged.
    """
    name, _, path = spec.partition(":")
    if name not in DETECTORS:
        raise ModelError(f"unknown detector {name!r}; expected hog, or yunet:FILE.onnx.{did_you_mean(name, DETECTORS)}")
    if name == "yunet" and not path:
        raise ModelError("the detector yunet needs its file: yunet:FILE.onnx")
    return DETECTORS[name](path, options)


def _margin(threshold: float) -> float:
    """Turn a score threshold 0..1 into dlib's margin: the inverse of the logistic."""
    clipped = min(max(threshold, 0.01), 0.99)
    return math.log(clipped / (1 - clipped))


def _corners(rectangle: object) -> NDArray[np.float32]:
    """Read dlib's rectangle, whose right and bottom pixels are inside, as x1 y1 x2 y2."""
    left, top, right, bottom = (getattr(rectangle, side)() for side in ("left", "top", "right", "bottom"))
    return np.array([left, top, right + 1, bottom + 1], np.float32)


def _yunet_face(row: NDArray[np.float32]) -> Face:
    """Make a Face of one of YuNet's rows."""
    x, y, width, height = row[:4]
    box = np.array([x, y, x + width, y + height], np.float32)
    return Face(box=box, score=float(row[14]), landmarks=row[4:14].reshape(5, 2))
