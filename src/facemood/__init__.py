"""facemood reads apparent facial expressions from images, videos and cameras, and trains and measures its networks.

    from facemood import EmotionRecognizer

    for face in EmotionRecognizer().analyze_image("photo.jpg"):
        print(face.emotion, face.confidence, face.box)

The names below load on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facemood.analysis import Analysis
    from facemood.datasets import ExpressionDataset, open_dataset
    from facemood.errors import (
        DatasetError,
        DeviceError,
        ExplanationError,
        FacemoodError,
        ImageError,
        MissingExtraError,
        ModelError,
        OptionError,
        OutputConflictError,
        OutputError,
        RecipeError,
        SourceError,
        VideoError,
    )
    from facemood.explain import Explanation
    from facemood.labels import EXPRESSIONS
    from facemood.loading import open_recognizer
    from facemood.models import ModelCard, list_models
    from facemood.recognizer import EmotionRecognizer
    from facemood.results import Result
    from facemood.schema import Face, Frame
    from facemood.timeline import find_episodes

    __version__: str

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
"""ONNX Runtime sends telemetry by default from 1.29 on. It reads this variable once, when it is first imported."""

_HOMES = {
    "Analysis": "analysis",
    "DatasetError": "errors",
    "DeviceError": "errors",
    "EXPRESSIONS": "labels",
    "EmotionRecognizer": "recognizer",
    "Explanation": "explain",
    "ExplanationError": "errors",
    "ExpressionDataset": "datasets",
    "Face": "schema",
    "FacemoodError": "errors",
    "Frame": "schema",
    "ImageError": "errors",
    "MissingExtraError": "errors",
    "ModelCard": "models",
    "ModelError": "errors",
    "OptionError": "errors",
    "OutputConflictError": "errors",
    "OutputError": "errors",
    "RecipeError": "errors",
    "Result": "results",
    "SourceError": "errors",
    "VideoError": "errors",
    "find_episodes": "timeline",
    "list_models": "models",
    "open_dataset": "datasets",
    "open_recognizer": "loading",
}

__all__ = [
    "EXPRESSIONS",
    "Analysis",
    "DatasetError",
    "DeviceError",
    "EmotionRecognizer",
    "Explanation",
    "ExplanationError",
    "ExpressionDataset",
    "Face",
    "FacemoodError",
    "Frame",
    "ImageError",
    "MissingExtraError",
    "ModelCard",
    "ModelError",
    "OptionError",
    "OutputConflictError",
    "OutputError",
    "RecipeError",
    "Result",
    "SourceError",
    "VideoError",
    "__version__",
    "find_episodes",
    "list_models",
    "open_dataset",
    "open_recognizer",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a public name from its module when it is first asked for."""
    if name == "__version__":
        value: Any = _find_version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(f"facemood.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'facemood' has no attribute {name!r}")
    globals()[name] = value
    return value


def _find_version() -> str:
    """The version of the installed package; a source tree that was never installed has none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("facemood")
    except PackageNotFoundError:
        return "0+unknown"


def __dir__() -> list[str]:
    """List the public names."""
    return list(__all__)
