"""dlib's HOG face detector (extra ``hog``), as an alternative and for comparison."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import require
from facemood.schema import Face, Image
from facemood.stages.detect.detect_options import DetectOptions


class HogDetector:
    """dlib's frontal-face detector: histograms of oriented gradients and a linear classifier (Dalal & Triggs 2005).

    It detects upright, frontal faces whose box is at least `WINDOW` pixels wide. The image is enlarged so that faces of
    `min_size` reach that.
    """

    name = "hog"
    """Key of the crop framing on a model's card."""

    THRESHOLD = 0.52
    """Default for `DetectOptions.threshold`: just above the scores of most false alarms."""

    SURE = 0.75
    """Score from which a face counts that is found in a picture only when it is turned: above that of false alarms."""

    WINDOW = 72
    """Width in pixels of the smallest box that dlib's detector gives."""

    MAX_PIXELS = 4_000_000
    """Pixels of the largest image that is searched, which bounds time and memory; larger ones are shrunk."""

    def __init__(self, options: DetectOptions | None = None) -> None:
        dlib = require("dlib", extra="hog")
        self.options: DetectOptions = options or DetectOptions()
        self._detector = dlib.get_frontal_face_detector()

    def __call__(self, image: Image) -> list[Face]:
        """Detect the faces of an (H, W, 3) uint8 BGR image. The score is the logistic of dlib's margin."""
        scale = self.scale(image)
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        work = cv2.resize(grey, (width, height), interpolation=interpolation)
        boxes, margins, _ = self._detector.run(work, 0, _margin(self.options.threshold_or(self.THRESHOLD)))
        found = zip(boxes, margins, strict=True)
        return [Face(box=_corners(box) / np.float32(scale), score=1 / (1 + math.exp(-margin))) for box, margin in found]

    def scale(self, image: Image) -> float:
        """Return the factor by which an image is resized before detection."""
        height, width = image.shape[:2]
        return min(self.WINDOW / self.options.min_size, math.sqrt(self.MAX_PIXELS / (height * width)))


def _margin(threshold: float) -> float:
    """Turn a score threshold 0..1 into dlib's margin: the inverse of the logistic."""
    clipped = min(max(threshold, 0.01), 0.99)
    return math.log(clipped / (1 - clipped))


def _corners(rectangle: object) -> NDArray[np.float32]:
    """Read dlib's rectangle, whose right and bottom pixels are inside, as x1 y1 x2 y2."""
    left, top, right, bottom = (getattr(rectangle, side)() for side in ("left", "top", "right", "bottom"))
    return np.array([left, top, right + 1, bottom + 1], np.float32)
