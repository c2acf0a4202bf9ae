"""Build the network that a recipe names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from facemood.errors import RecipeError
from facemood.train.networks.backbones import takes_one_size, timm_trunk
from facemood.train.networks.pixels import pixel_layer
from facemood.train.networks.plain import TrunkNetwork, plain_trunk
from facemood.train.networks.se_resnet import ExpressionNetwork
from facemood.train.networks.weights_file import find_weights
from facemood.train.recipe import TIMM, Recipe


def build_network(recipe: Recipe, heads: Mapping[str, int], *, size: int, pretrained: bool = True) -> nn.Module:
    """Build the recipe's network for images of a size.

    Args:
        recipe: The recipe, with network and input.
        heads: Number of classes of each head, by name.
        size: Side of the images in pixels.
        pretrained: False if the weights will be loaded from a run anyway.

    Returns:
        A module that maps (N, C, size, size) float images, 0..255, to the logits (N, classes) of each head, and has its
        linear heads in the `torch.nn.ModuleDict` ``heads``.

    Raises:
        RecipeError: There is no such network, or its pretrained weights cannot be found or downloaded.
    """
    config, channels = recipe.network, 1 if recipe.input.colour == "grey" else 3
    if config.kind == "se-resnet":
        return ExpressionNetwork(
            heads,
            widths=config.widths,
            blocks=config.blocks,
            dropout=config.dropout,
            channels=channels,
            stem=config.stem,
            stem_stride=config.stem_stride,
        )
    if config.kind == "cnn":
        trunk, width = plain_trunk(config, channels=channels, size=size)
    elif config.kind.startswith(TIMM):
        wanted = pretrained and config.pretrained
        weights = find_weights(config.weights, sha256=config.weights_sha256) if wanted and config.weights else None
        name = config.kind.removeprefix(TIMM)
        trunk, width = timm_trunk(
            name,
            channels=channels,
            pretrained=wanted,
            size=size,
            weights=weights,
            features_only=config.features_only,
        )
        if 0 < recipe.train.crop < size and takes_one_size(name):
            raise RecipeError(
                f"{config.kind} takes images of {size} pixels only, but train.crop is {recipe.train.crop}: set it to 0"
            )
    else:
        raise RecipeError(f"network.kind must be se-resnet, cnn or timm:NAME, but is {config.kind!r}")
    return TrunkNetwork(pixel_layer(recipe.input.pixels, channels), trunk, width, heads, dropout=config.dropout)
