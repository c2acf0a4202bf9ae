"""Export a training run as a model: ONNX, calibration, crop framing, figures, and a card with all of them."""

from facemood.train.export.export_run import export, reframe
from facemood.train.export.quantize import quantize

__all__ = ["export", "quantize", "reframe"]
