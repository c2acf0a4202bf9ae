"""Start from a facemood model: load the weights of an ONNX file into a trainable network.

In the file each batch norm is folded into the convolution before it. The network gets the folded weights and a batch
norm that changes nothing. Then it is run once on training images, and each batch norm is set to their mean and standard
deviation: the network gives the same outputs as before, and normalizes during training.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facemood.errors import ModelError, RecipeError
from facemood.models import ModelSession, find_model
from facemood.numpy_cnn.onnx_weights import read_weights
from facemood.numpy_cnn.pretrained import HALF, PREFIX
from facemood.train.norms import adopt_norms
from facemood.train.recipe import Recipe
from facemood.train.recipe_file import list_recipes

logger: logging.Logger = logging.getLogger("facemood")

FIRST = "stem.0.weight"
"""The first weight of our networks: (filters, 1, f, f)."""


def read_start(name: str) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a model's file, by their names in the network.

    Args:
        name: A model's name or file.

    Raises:
        RecipeError: There is no such model, or it is not an se-resnet.
    """
    try:
        file = find_model(name)
    except ModelError as error:
        stage = Path(name).parent.name
        how = f" (facemood train {stage} --data ...)" if stage in list_recipes() else ""
        raise RecipeError(
            f"network.start: {error}; first train the model that the recipe starts from{how}, or give its file: "
            "--set network.start=FILE"
        ) from None
    try:
        found = read_weights(file)
    except ModelError as error:
        raise RecipeError(f"network.start: {error}") from error
    weights = {
        weight.removeprefix(PREFIX).removesuffix(HALF): values
        for weight, values in found.items()
        if weight.startswith(PREFIX)
    }
    if FIRST not in weights or not all(weights[key].ndim == 4 for key in (FIRST, "stem.3.weight") if key in weights):
        raise RecipeError(f"network.start={name!r}: expected a model with a network of kind se-resnet, such as default")
    return weights


def shape_of(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, Any]:
    """Return stem, widths and blocks of the network of some weights; a stage begins at a shortcut with a projection."""
    deep = "stem.3.weight" in weights
    widths, blocks = [len(weights["stem.3.weight" if deep else "stem.0.weight"])], [0]
    index = 0
    while (block := weights.get(f"stages.{index}.body.0.weight")) is not None:
        if f"stages.{index}.shortcut.1.weight" in weights:
            widths.append(len(block))
            blocks.append(0)
        blocks[-1] += 1
        index += 1
    return {"stem": "deep" if deep else "single", "widths": tuple(widths), "blocks": tuple(blocks)}


def with_shape_of_start(recipe: Recipe) -> Recipe:
    """Return a recipe whose network has the shape of the model that it starts from, if it starts from one."""
    if not recipe.network.start:
        return recipe
    return replace(recipe, network=replace(recipe.network, **shape_of(read_start(recipe.network.start))))


def check_heads(name: str, heads: Mapping[str, tuple[str, ...]]) -> None:
    """Check that a model has heads for the same labels in the same order.

    Args:
        name: The model's name or file.
        heads: The wanted heads and their labels.

    Raises:
        RecipeError: It has others.
    """
    found = ModelSession(find_model(name), device="cpu").card.heads
    if dict(found) != dict(heads):
        there, wanted = (
            "; ".join(f"{head} ({', '.join(labels)})" for head, labels in some.items()) for some in (found, heads)
        )
        raise RecipeError(
            f"network.start_heads: the heads of {name!r} are for {there}, not for {wanted}; set "
            "network.start_heads=false to begin with new ones"
        )


@torch.no_grad()
def load_start(
    network: nn.Module, weights: dict[str, NDArray[np.float32]], images: Tensor, *, heads: bool = False
) -> None:
    """Load a model's weights into a network of the same shape.

    Args:
        network: The network.
        weights: The weights, from `read_start`.
        images: (N, 1, h, w) float, a few hundred training images, on which the batch norms are set.
        heads: Whether the heads are loaded too; otherwise the network's own, which are random, stay.

    Raises:
        RecipeError: A weight belongs to no part of the network, or has another shape.
    """
    norms: dict[str, nn.BatchNorm2d] = {}
    for name, values in weights.items():
        owner, _, key = name.rpartition(".")
        if owner.startswith("heads.") and not heads:
            continue
        if key == "weight_bias":  # the shift of the batch norm after this convolution
            norm = _part(network, name, _next(owner))
            if not isinstance(norm, nn.BatchNorm2d):
                raise RecipeError(f"network.start: no batch norm follows the weight {name!r}")
            norm.reset_parameters()
            norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
            norms[_next(owner)] = norm
            _copy(norm, "bias", name, values)
        else:
            _copy(_part(network, name, owner), key, name, values)
    adopt_norms(network, list(norms.values()), images)
    network.train()
    logger.info("started from %d weights", len(weights))


def _part(network: nn.Module, name: str, owner: str) -> nn.Module:
    """Return the part of a network that a weight belongs to."""
    try:
        return network.get_submodule(owner)
    except AttributeError:
        raise RecipeError(f"network.start: the network has no part for the weight {name!r}") from None


def _copy(part: nn.Module, key: str, name: str, values: NDArray[np.float32]) -> None:
    """Copy a weight into a part of a network."""
    target = getattr(part, key, None)
    if not isinstance(target, Tensor) or target.shape != values.shape:
        wanted = tuple(target.shape) if isinstance(target, Tensor) else "none"
        raise RecipeError(f"network.start: the weight {name!r} has the shape {values.shape}, the network's {wanted}")
    target.copy_(torch.from_numpy(values))


def _next(name: str) -> str:
    """Return the name of the next layer of a sequence.

    Example:
        >>> _next("stages.0.body.3")
        'stages.0.body.4'
    """
    sequence, _, index = name.rpartition(".")
    return f"{sequence}.{int(index) + 1}" if index.isdecimal() else name
