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
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from facemood.errors import ModelError, RecipeError
from facemood.models import find_model
from facemood.numpy_cnn.pretrained import HALF, PREFIX
from facemood.train.norms import adopt_norms
from facemood.train.recipe import Recipe
from facemood.train.recipe_file import list_recipes

logger: logging.Logger = logging.getLogger("facemood")


def read_start(name: str) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a model's file, by their names in the network.

    Args:
        name: A model's name or file.

    Raises:
        RecipeError: There is no such model, or it is not an se-resnet.
    """
    weights = {}
    try:
        file = find_model(name)
    except ModelError as error:
        stage = Path(name).parent.name
        how = f" (facemood train {stage} --data ...)" if stage in list_recipes() else ""
        raise RecipeError(
            f"network.start: {error}; first train the model that the recipe starts from{how}, or give its file: "
            "--set network.start=FILE"
        ) from None
    for weight in onnx.load(file).graph.initializer:
        if weight.name.startswith(PREFIX):
            values = numpy_helper.to_array(weight).astype(np.float32)
            weights[weight.name.removeprefix(PREFIX).removesuffix(HALF)] = values
    if "stem.0.weight" not in weights:
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


@torch.no_grad()
def load_start(network: nn.Module, weights: dict[str, NDArray[np.float32]], images: Tensor) -> None:
    """Load a model's weights, except those of its heads, into a network of the same shape.

    Args:
        network: The network; its random heads stay.
        weights: The weights, from `read_start`.
        images: (N, 1, h, w) float, a few hundred training images, on which the batch norms are set.
    """
    modules: dict[str, nn.Module] = dict(network.named_modules())
    norms: dict[str, nn.BatchNorm2d] = {}
    for name, values in weights.items():
        owner, _, key = name.rpartition(".")
        if owner.startswith("heads."):
            continue
        if key == "weight_bias":  # the shift of the batch norm after this convolution
            norm = modules[_next(owner)]
            assert isinstance(norm, nn.BatchNorm2d)
            norm.reset_parameters()
            norm.running_var.fill_(1 - norm.eps)  # type: ignore[union-attr]
            norm.bias.copy_(torch.from_numpy(values))
            norms[_next(owner)] = norm
        else:
            getattr(modules[owner], key).copy_(torch.from_numpy(values))
    adopt_norms(network, list(norms.values()), images)
    network.train()
    logger.info("started from %d weights", len(weights))


def _next(name: str) -> str:
    """Return the name of the next layer of a sequence.

    Example:
        >>> _next("stages.0.body.3")
        'stages.0.body.4'
    """
    sequence, _, index = name.rpartition(".")
    return f"{sequence}.{int(index) + 1}"
