"""Backbones of timm (extra ``backbones``), by their names there."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from typing import Any

import torch
from torch import nn

from facemood.errors import RecipeError, did_you_mean, require

logger: logging.Logger = logging.getLogger("facemood")

SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
"""The signature of the two operators that torchvision looks for."""

_kept: list[Any] = []


def declare_operators() -> None:
    """Let torchvision's wheel for GPUs be imported next to a torch without them.

    timm needs torchvision, whose wheel looks for two operators of its own that only load where torch has CUDA; declared
    beforehand they are found, and nothing here calls them. It must run before anything imports torchvision.
    """
    if _kept or torch.version.cuda is not None or importlib.util.find_spec("torchvision") is None:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        with contextlib.suppress(RuntimeError):  # it is there already
            library.define(f"{name}{SCHEMA}")  # type: ignore[no-untyped-call]
    _kept.append(library)  # what it declares is gone when it is


def timm_trunk(name: str, *, channels: int, pretrained: bool) -> tuple[nn.Module, int]:
    """Build a backbone without its head.

    Args:
        name: As timm knows it, such as ``"mobilenetv1_100"``.
        channels: Of the images.
        pretrained: Start from timm's published weights, which are fetched on first use.

    Returns:
        The trunk, which pools, and the length of its vectors.

    Raises:
        MissingExtraError: timm is not installed.
        RecipeError: timm has no such backbone, or its weights cannot be had.
    """
    timm = require("timm", extra="backbones")
    known = timm.list_models()
    if name not in known:
        raise RecipeError(f"timm has no backbone {name!r}.{did_you_mean(name, known)}")
    try:
        trunk: nn.Module = timm.create_model(name, pretrained=pretrained, num_classes=0, in_chans=channels)
    except Exception as error:  # the hub's own classes for no network, no file and no permission
        if not pretrained:
            raise
        raise RecipeError(
            f"the pretrained weights of {name!r} cannot be had ({str(error).splitlines()[0]}); go online once, or "
            "train from scratch with --no-pretrained"
        ) from error
    logger.info("backbone %s, %s", name, "pretrained" if pretrained else "from scratch")
    return trunk, int(trunk.head_hidden_size)  # type: ignore[arg-type]
