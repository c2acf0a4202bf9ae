"""Face detection: our own finder, and other detectors by the same protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from facemood.defaults import DEFAULT_DETECTOR, FP32, MIN_FACE
from facemood.errors import ModelError, did_you_mean
from facemood.stages.detect.detect_options import DetectOptions, Detector, select_faces
from facemood.stages.detect.finder import FinderDetector
from facemood.stages.detect.given_boxes import GivenBoxes
from facemood.stages.detect.hog import HogDetector
from facemood.stages.detect.yunet import YuNetDetector

__all__ = [
    "DEFAULT_DETECTOR",
    "DETECTORS",
    "MIN_FACE",
    "DetectOptions",
    "Detector",
    "FinderDetector",
    "GivenBoxes",
    "HogDetector",
    "YuNetDetector",
    "open_detector",
    "select_faces",
]

DETECTORS: dict[str, Callable[[str, DetectOptions, int | None, str], Detector]] = {
    "finder": lambda _, options, threads, precision: FinderDetector(options, threads=threads, precision=precision),
    "hog": lambda _, options, threads, precision: HogDetector(options),
    "yunet": lambda path, options, threads, precision: YuNetDetector(Path(path).expanduser(), options),
}
"""Functions that make a detector, by its name. Arguments: the text after the colon, options, threads, precision."""


def open_detector(spec: str, options: DetectOptions, *, threads: int | None = None, precision: str = FP32) -> Detector:
    """Open a detector by a text such as ``"finder"``, ``"hog"`` or ``"yunet:models/yunet.onnx"``.

    Args:
        spec: The detector's name; for yunet followed by a colon and its file.
        options: Which faces count.
        threads: Threads per run of a network; None for one per core that may be used.
        precision: ``"fp32"`` or ``"int8"``, for the finder's landmark network.

    Raises:
        ModelError: The name is unknown, or its file is missing or damaged.
        MissingExtraError: The detector needs a package that is not installed.
    """
    name, _, path = spec.partition(":")
    if name not in DETECTORS:
        raise ModelError(
            f"unknown detector {name!r}; expected finder, hog, or yunet:FILE.onnx.{did_you_mean(name, DETECTORS)}"
        )
    if name == "yunet" and not path:
        raise ModelError("the detector yunet needs its file; write yunet:FILE.onnx")
    return DETECTORS[name](path, options, threads, precision)
