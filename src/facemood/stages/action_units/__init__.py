"""Action units: how active each facial muscle is, by pose-free landmarks and by the pixels around them."""

from facemood.stages.action_units.estimate import (
    MAX_PITCH,
    MAX_YAW,
    UnitPrediction,
    is_covered,
    predict_units,
    with_units,
)

__all__ = ["MAX_PITCH", "MAX_YAW", "UnitPrediction", "is_covered", "predict_units", "with_units"]
