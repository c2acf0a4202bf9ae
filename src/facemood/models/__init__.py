"""Models: what is known about weights (card), where they are (registry), and how they run (session)."""

from facemood.models.card import ModelCard
from facemood.models.registry import DEFAULT_MODEL, FINDER, LANDMARKS, find_model, list_models, list_parts
from facemood.models.session import ModelSession

__all__ = [
    "DEFAULT_MODEL",
    "FINDER",
    "LANDMARKS",
    "ModelCard",
    "ModelSession",
    "find_model",
    "list_models",
    "list_parts",
]
