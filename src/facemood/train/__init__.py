"""Training: recipes, the network, augmentation, Lightning's loop, and export (extra ``train``)."""

from facemood.errors import require

require("torch", extra="train")

from facemood.train.fit import fit, load_trained  # noqa: E402 - torch is asked for first
from facemood.train.recipe import Recipe, list_recipes, load_recipe  # noqa: E402

__all__ = ["Recipe", "fit", "list_recipes", "load_recipe", "load_trained"]
