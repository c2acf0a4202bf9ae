"""What the numbers and names of a recipe may be. A recipe comes out of a file that anyone may have made."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 1e6
"""Epochs, images of a batch, weights of a loss and the like at most: beyond what anyone trains with."""

LARGEST_SIDE = 4096
"""Pixels of an image's side at most."""

LARGEST_SEED = 2**32 - 1
"""NumPy takes no larger one."""

SHARE = (0.0, 1.0)
"""The range of a probability or share."""

AUGMENT_RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("upright", "mirror", "shift", "overexpose", "blur", "low_resolution"), SHARE),
    **dict.fromkeys(("noise", "jpeg", "erase", "mixup"), SHARE),
    "overexposure": (1, 100),
    "rotation": (0, 180),
    "scale": (0.01, 100),
    "shear": (0, 80),
    "brightness": (0.01, 100),
    "gamma": (0.01, 100),
    "noise_level": (0, 255),
    "jpeg_quality": (1, 100),
    "mixup_alpha": (0.001, 1000),
}
"""The ranges of the keys of an augmentation."""

VIEWS = ("augment", "degraded")
"""The augmentations of a recipe."""

RANGES: dict[str, tuple[float, float]] = {
    "data.test_share": SHARE,
    "data.folds": (0, 1000),
    "data.fold": (0, 1000),
    "input.size": (0, LARGEST_SIDE),
    "network.widths": (1, 4096),
    "network.blocks": (1, 64),
    "network.stem_stride": (1, 2),
    "network.dropout": SHARE,
    "network.stage_dropout": SHARE,
    "network.dense": (1, 65536),
    **{f"{view}.{name}": limits for view in VIEWS for name, limits in AUGMENT_RANGES.items()},
    "loss.gamma": (0, 100),
    "loss.alpha": (0, MOST),
    "distill.label_share": SHARE,
    "distill.vote_share": SHARE,
    "distill.temperature": (0.01, 100),
    "train.epochs": (1, MOST),
    "train.fine_epochs": (0, MOST),
    "train.freeze_epochs": (0, MOST),
    "train.cached_versions": (0, 1000),
    "train.fine_tune_rate": (0, MOST),
    "train.l1": (0, MOST),
    "train.crop": (0, LARGEST_SIDE),
    "train.batch_size": (2, MOST),
    "train.learning_rate": (0, MOST),
    "train.warmup": (0, MOST),
    "train.momentum": SHARE,
    "train.weight_decay": (0, MOST),
    "train.label_smoothing": SHARE,
    "train.ferplus_weight": (0, MOST),
    "train.consistency": SHARE,
    "train.ema": SHARE,
    "train.seed": (0, LARGEST_SEED),
    "stop.patience": (0, MOST),
    "stop.min_delta": (0, MOST),
}
"""The least and the greatest number of each key, or of each entry where it holds several."""

MOST_STAGES = 16
"""Stages of a network, and dense layers, at most."""

LONGEST_NAME = 100
"""Characters of a recipe's name at most."""


def check_numbers(recipe: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the numbers of a recipe, as `Recipe.to_dict` gives it."""
    for key, (low, high) in RANGES.items():
        section, _, name = key.partition(".")
        value = recipe[section][name]
        entries = (
            value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else [value]
        )
        if not all(low <= entry <= high for entry in entries):  # NaN is in no range
            yield f"{key} must be {low:g}..{high:g}, but is {show(value)}"
    for key in ("widths", "dense"):
        if len(recipe["network"][key]) > MOST_STAGES:
            yield f"network.{key} must have {MOST_STAGES} entries at most, but has {len(recipe['network'][key])}"
    for view in VIEWS:
        scale = recipe[view]["scale"]
        if len(scale) != 2 or scale[0] > scale[1]:
            yield f"{view}.scale must be the smallest and the largest factor, but is {show(scale)}"


def check_name(name: str) -> Iterator[str]:
    """Yield what is wrong with a recipe's name, which also names the folder of its runs.

    Example:
        >>> list(check_name("default")), len(list(check_name("../default")))
        ([], 1)
    """
    plain = name.isprintable() and not set(name) & set("/\\:") and name.strip(". ") != ""
    if not plain or len(name) > LONGEST_NAME:
        yield f"name must be the name of a folder, of {LONGEST_NAME} characters at most, but is {show(name)}"


def show(value: Any) -> str:
    """Write a value for a message, shortened.

    Example:
        >>> show(16**5000)
        'a number of too many digits'
    """
    try:
        return reprlib.repr(value)
    except ValueError:
        return "a number of too many digits"
