"""Models: their cards, the registry of the package's models, and sessions that run them."""

from facemood.defaults import DEFAULT_MODEL
from facemood.models.card import ModelCard
from facemood.models.registry import APPEARANCE, FINDER, LANDMARKS, find_model, list_models, list_parts
from facemood.models.session import ModelSession, session_of
from facemood.models.test_time_augmentation import SHIFTS, check_views, run_views

__all__ = [
    "APPEARANCE",
    "DEFAULT_MODEL",
    "FINDER",
    "LANDMARKS",
    "SHIFTS",
    "ModelCard",
    "ModelSession",
    "check_views",
    "find_model",
    "list_models",
    "list_parts",
    "run_views",
    "session_of",
]
