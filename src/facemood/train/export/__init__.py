"""Export a training run as a model: ONNX, calibration, crop framing, figures, and a card with all of them."""

from facemood.train.export.export_run import export, reframe

__all__ = ["export", "reframe"]
