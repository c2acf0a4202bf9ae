"""Evaluation of models: metrics, protocols (which images with which labels), and reports."""

from facemood.evaluation.protocol import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
