"""OpenCV's YuNet face detector, from a file that the user has."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError
from facemood.schema import Face, Image
from facemood.stages.detect.detect_options import DetectOptions


class YuNetDetector:
    """YuNet (Wu et al. 2023) from an ONNX file, by OpenCV's FaceDetectorYN; it gives five landmarks.

    Args:
        file: Such as ``face_detection_yunet_2023mar.onnx`` of the OpenCV model zoo.
        options: Which faces count.

    Raises:
        ModelError: The file is missing or is not a YuNet model.
    """

    name = "yunet"
    """Key of the crop framing on a model's card."""

    THRESHOLD = 0.6
    """Default for `DetectOptions.threshold`: OpenCV's own default for YuNet."""

    SURE = 0.85
    """Score from which a face counts that is found in a picture only when it is turned."""

    def __init__(self, file: Path, options: DetectOptions | None = None) -> None:
        self.options: DetectOptions = options or DetectOptions()
        if not file.is_file():
            raise ModelError(f"{file}: there is no such file; expected YuNet's ONNX model from the OpenCV model zoo")
        try:
            self._detector = cv2.FaceDetectorYN.create(
                str(file), "", (320, 320), self.options.threshold_or(self.THRESHOLD)
            )
        except cv2.error as error:
            raise ModelError(f"{file}: OpenCV cannot load it as a YuNet model ({str(error).strip()})") from error

    def __call__(self, image: Image) -> list[Face]:
        """Detect the faces of an (H, W, 3) uint8 BGR image."""
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        _, rows = self._detector.detect(image)  # (F, 15): x y w h, five points, score; or None
        found = np.zeros((0, 15), np.float32) if rows is None else np.asarray(rows, np.float32)
        return [_yunet_face(row) for row in found]


def _yunet_face(row: NDArray[np.float32]) -> Face:
    """Make a Face of one of YuNet's rows."""
    x, y, width, height = row[:4]
    box = np.array([x, y, x + width, y + height], np.float32)
    return Face(box=box, score=float(row[14]), landmarks=row[4:14].reshape(5, 2))
