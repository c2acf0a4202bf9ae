"""Evaluation: metrics on values, the protocols that say what is measured on which images, and reports."""

from facemood.evaluation.protocol import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
