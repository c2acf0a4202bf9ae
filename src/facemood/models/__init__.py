"""Models: what is known about weights (card), where they are (registry), and how they run (session)."""

from facemood.models.card import ModelCard
from facemood.models.registry import DEFAULT_MODEL, find_model, list_models
from facemood.models.session import ModelSession

__all__ = ["DEFAULT_MODEL", "ModelCard", "ModelSession", "find_model", "list_models"]
