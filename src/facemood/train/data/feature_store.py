"""Features on disk: the output of a network's frozen part for several augmented versions of each image, as float16.

Each version is a file ``0.npy`` of (images, ...) numbers that is mapped into memory. ``features.json`` says what they
were computed from, and how many images of each version are done, so that a killed run goes on where it was.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from facemood.atomic import replacing
from facemood.errors import OutputError, RecipeError
from facemood.text import joined

logger: logging.Logger = logging.getLogger("facemood")

ABOUT = "features.json"
"""File that says what the features are of, and how many are done."""

LARGEST = float(np.finfo(np.float16).max)
"""The largest number that float16 has."""


class FeatureStore:
    """Features of a set of images in a folder, in several versions.

    Args:
        folder: The folder; it is created.
        versions: Names of the versions, and the number of images of each.
        shape: The shape of an image's features.
        origin: What the features are computed from, as JSON; features of another origin are refused.

    Raises:
        RecipeError: The folder holds features of another origin, or is damaged.
        OutputError: There is not enough space on the disk.
    """

    folder: Path
    versions: dict[str, int]
    shape: tuple[int, ...]
    origin: dict[str, Any]

    def __init__(
        self, folder: Path, versions: Mapping[str, int], shape: tuple[int, ...], origin: Mapping[str, Any]
    ) -> None:
        self.folder, self.versions, self.shape = folder, dict(versions), shape
        self.origin = {"shape": list(shape), **origin}
        self._open: dict[str, NDArray[np.float16]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.done: dict[str, int] = self._read_about()
        self._state_size()

    def fill(self, version: str, compute: Callable[[int, int], Tensor], *, step: int = 256, save: int = 2048) -> None:
        """Compute the features of a version that are not done yet.

        Args:
            version: Its name.
            compute: Gives the features (stop - start, ...) of the images from start to stop. It must give the same
                again, however often it was interrupted.
            step: Images at a time.
            save: Images after which it is noted that they are done.

        Raises:
            RecipeError: A feature is too large for float16.
        """
        count, begin = self.versions[version], self.done.get(version, 0)
        if begin >= count:
            return
        table = self._table(version, writing=True)
        for start in range(begin, count, step):
            stop = min(start + step, count)
            features = compute(start, stop).float()
            if not bool((features.abs() <= LARGEST).all()):  # NaN is not either
                raise RecipeError(
                    f"train.cached_versions: a feature is {features.abs().max():.3g}, but float16 has at most "
                    f"{LARGEST:g}; freeze the network up to another module, or set train.cached_versions=0"
                )
            table[start:stop] = features.numpy()
            if stop == count or stop % save < step:
                table.flush()  # type: ignore[attr-defined]
                self.done[version] = stop
                self._write_about()
        logger.info("features of version %s: %d images", version, count)
        del self._open[version]

    def read(self, version: str, rows: Tensor) -> Tensor:
        """Return the features of some images, (N, ...) float32.

        Args:
            version: Its name; it must be filled.
            rows: (N,) int64, the places of the images.
        """
        return torch.from_numpy(self._table(version, writing=False)[rows.numpy()].astype(np.float32))

    def _table(self, version: str, *, writing: bool) -> NDArray[np.float16]:
        """Map the file of a version into memory."""
        if version not in self._open:
            file = self.folder / f"{version}.npy"
            shape = (self.versions[version], *self.shape)
            if writing and not self.done.get(version):
                self._open[version] = np.lib.format.open_memmap(file, "w+", np.float16, shape)
            else:
                self._open[version] = self._mapped(file, shape, "r+" if writing else "r")
        return self._open[version]

    def _mapped(self, file: Path, shape: tuple[int, ...], mode: Any) -> NDArray[np.float16]:
        """Map a file of features that should be there.

        Raises:
            RecipeError: It is missing or damaged.
        """
        try:
            table = np.lib.format.open_memmap(file, mode)
        except (OSError, ValueError) as error:
            raise RecipeError(f"{file}: is missing or damaged ({error}); delete the folder, and go on") from error
        if table.shape != shape or table.dtype != np.float16:
            raise RecipeError(f"{file}: has {table.dtype} {table.shape}, but float16 {shape} is expected; delete it")
        return table

    def _read_about(self) -> dict[str, int]:
        """Return how many images of each version are done, and check that the features have this origin."""
        file = self.folder / ABOUT
        if not file.exists():
            return {}
        try:
            table = json.loads(file.read_text(encoding="utf-8"))
            done = {str(name): int(count) for name, count in table["done"].items()}
            before = dict(table["origin"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RecipeError(f"{file}: is damaged ({error}); delete the folder, and go on") from error
        other = [key for key in self.origin if json.dumps(before.get(key)) != json.dumps(self.origin[key])]
        if other:
            raise RecipeError(
                f"{self.folder}: holds features with another {joined(other)}; name another folder, or delete this one"
            )
        return done

    def _write_about(self) -> None:
        """Note what is done."""
        with replacing(self.folder / ABOUT, encoding="utf-8") as text:
            json.dump({"origin": self.origin, "done": self.done}, text, indent=1)

    def _state_size(self) -> None:
        """Say how large the features will be, and make sure that there is space for them.

        Raises:
            OutputError: There is not.
        """
        row = 2 * math.prod(self.shape)
        whole = row * sum(self.versions.values())
        left = row * sum(count - self.done.get(name, 0) for name, count in self.versions.items())
        free = shutil.disk_usage(self.folder).free
        logger.info("features: %.2f GB in %s, %.2f GB of them to come", whole / 1e9, self.folder, left / 1e9)
        if left > free:
            raise OutputError(
                f"{self.folder}: the features need {left / 1e9:.1f} GB, but {free / 1e9:.1f} GB are free; lower "
                "train.cached_versions, or put them elsewhere with --features FOLDER"
            )
