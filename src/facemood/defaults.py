"""Defaults of the recognizer that the command line's help also shows. This module imports nothing."""

DEFAULT_MODEL = "default"
"""Name of the model that is used unless another is named."""

DEFAULT_DETECTOR = "finder"
"""Name of the face detector that is used unless another is named; docs/detection.md compares it with others."""

MIN_FACE = 24.0
"""Shorter side, in pixels, of the smallest face to detect. Expressions of faces below 30 are predicted poorly."""

SMOOTH = 0.4
"""Time constant, in seconds, with which a person's probabilities are smoothed in videos."""

FP32 = "fp32"
"""Networks compute in single precision."""

DEFAULT_PRECISION = FP32
"""In which numbers networks compute, where the user chooses nothing."""
