"""Backbones of timm (extra ``backbones``), by name."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from typing import Any

import torch
from torch import nn

from facemood.errors import RecipeError, did_you_mean, require
from facemood.train.networks.weights_file import WeightsFile, load_weights

logger: logging.Logger = logging.getLogger("facemood")

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
"""The signature of the two operators that torchvision looks for."""

_kept: list[Any] = []


def declare_operators() -> None:
    """Allow torchvision's GPU wheel to be imported with a CPU-only torch.

    timm needs torchvision, whose wheel looks for two operators that are only loaded if torch has CUDA. They are
    declared here, so that they are found; nothing calls them. This must run before anything imports torchvision.
    """
    if _kept or torch.version.cuda is not None or importlib.util.find_spec("torchvision") is None:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        with contextlib.suppress(RuntimeError):  # it exists already
            library.define(f"{name}{SCHEMA}")  # type: ignore[no-untyped-call]
    _kept.append(library)  # keeps the declarations alive


def timm_trunk(
    name: str,
    *,
    channels: int,
    pretrained: bool,
    size: int | None = None,
    weights: WeightsFile | None = None,
    features_only: bool = False,
) -> tuple[nn.Module, int]:
    """Build a backbone without its head.

    Args:
        name: Its name in timm, such as ``"mobilenetv1_100"``.
        channels: Channels of the images.
        pretrained: Start from pretrained weights.
        size: Side of the images in pixels, for Vision Transformers and others that are built for one size; None for
            the size that timm builds them for. Backbones that take any size ignore it.
        weights: These weights; None for those that timm publishes, which are downloaded on first use.
        features_only: Whether a VGG ends at its last convolution, whose map is averaged.

    Returns:
        The trunk, including pooling, and the length of its vectors.

    Raises:
        MissingExtraError: timm is not installed.
        RecipeError: timm has no such backbone, its weights cannot be downloaded, or the given ones do not fit.
    """
    timm = require("timm", extra="backbones")
    known = timm.list_models()
    if name not in known:
        raise RecipeError(f"timm has no backbone {name!r}.{did_you_mean(name, known)}")
    download = pretrained and weights is None
    sized = {"img_size": size} if size is not None and takes_one_size(name) else {}
    try:
        trunk: nn.Module = timm.create_model(name, pretrained=download, num_classes=0, in_chans=channels, **sized)
    except Exception as error:  # the hub has its own exceptions for no network, no file and no permission
        if not download:
            raise
        raise RecipeError(
            f"the pretrained weights of {name!r} cannot be downloaded ({str(error).splitlines()[0]}); "
            "go online once, give a file of them (network.weights), or train from scratch with --no-pretrained"
        ) from error
    if features_only:
        _end_at_features(name, trunk)
    if pretrained and weights is not None:
        load_weights(trunk, weights)
    logger.info("backbone %s, %s", name, "pretrained" if pretrained else "from scratch")
    return trunk, int(trunk.num_features if features_only else trunk.head_hidden_size)  # type: ignore[arg-type]


def takes_one_size(name: str) -> bool:
    """Return whether a backbone is built for images of one size, as Vision Transformers are; False for unknown names.

    Raises:
        MissingExtraError: timm is not installed.
    """
    settings = require("timm", extra="backbones").get_pretrained_cfg(name)
    return settings is not None and bool(settings.fixed_input_size)


def _end_at_features(name: str, trunk: nn.Module) -> None:
    """Leave out the last pooling of a VGG, which drops the right and lower edge of odd maps, and its dense layers.

    Raises:
        RecipeError: It is no VGG; others have no dense layers behind their last map.
    """
    layers = getattr(trunk, "features", None)
    if not (
        isinstance(layers, nn.Sequential) and isinstance(layers[-1], nn.MaxPool2d) and hasattr(trunk, "pre_logits")
    ):
        raise RecipeError(f"network.features_only is for VGGs, but network.kind is timm:{name}; leave the key out")
    layers[-1] = nn.Identity()
    trunk.pre_logits = nn.Identity()
