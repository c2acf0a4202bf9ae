"""Turn a training run into a model: ONNX, temperature, crop framing, measured figures, and a card that tells them."""

from facemood.train.export.export_run import export, reframe

__all__ = ["export", "reframe"]
