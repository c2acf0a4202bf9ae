"""Soft labels: what cross-fitted teachers said of each training image, in a small file that students learn from."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.errors import DatasetError, did_you_mean
from facemood.stages.classify import softmax

FOLDER = importlib.resources.files("facemood.train.data") / "labels"

STEPS = 64
"""Logits are kept in steps of 1/64: a per cent of a probability at most."""


@dataclass(frozen=True, slots=True)
class SoftLabels:
    """A teacher's logits for images that are known by their pixels, in whatever order a copy of the dataset has them.

    Attributes:
        keys: (N,) uint64, `pixel_keys` of the images, rising.
        logits: For each head (N, K) float32.
        about: Who labelled: heads with their labels, the teachers' recipe and figures.
    """

    keys: NDArray[np.uint64]
    logits: Mapping[str, NDArray[np.float32]]
    about: Mapping[str, Any]

    def find(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the row of each image (N, h, w), or -1 where it is unknown.

        Example:
            >>> tiles = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
            >>> soft = SoftLabels(np.sort(pixel_keys(tiles[:1])), {}, {})
            >>> soft.find(tiles).tolist()
            [0, -1]
        """
        wanted = pixel_keys(images)
        row = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        return np.where(self.keys[row] == wanted, row, -1)

    def distribution(self, head: str, rows: NDArray[np.int64], *, temperature: float = 1.0) -> NDArray[np.float32]:
        """Return a head's probabilities (M, K) for rows that `find` gave."""
        return softmax(self.logits[head][rows], temperature=temperature)


def pixel_keys(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a 64-bit key of each image's pixels: the first 8 bytes of BLAKE2b.

    Args:
        images: (N, h, w) uint8.
    """
    digests = b"".join(hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def write_soft_labels(file: Path, soft: SoftLabels) -> None:
    """Write the file: keys, logits in steps of 1/64 (a per cent of a probability), what is known of the teachers.

    Raises:
        OutputError: The file cannot be written to.
    """
    arrays = {f"logits_{head}": to_planes(_to_steps(logits).T) for head, logits in soft.logits.items()}
    arrays["keys"] = to_planes(np.diff(soft.keys, prepend=np.uint64(0)))
    arrays["about"] = np.array(json.dumps(dict(soft.about)))
    with replacing(file, "wb") as whole, zipfile.ZipFile(whole, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():  # as numpy.savez does, but smaller
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)


def _to_steps(logits: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return logits in steps of 1 / `STEPS`: what is rounded away would not compress."""
    return np.round(np.clip(logits * STEPS, -(2**15), 2**15 - 1)).astype(np.int16)


def to_planes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Lay the lowest bytes of numbers side by side, then the next ones: the high ones are much alike, and compress.

    Args:
        values: (...,) whole numbers of some bytes each.

    Returns:
        (bytes, ...) uint8, the lowest bytes first.

    Example:
        >>> to_planes(np.array([1, 256], np.uint16)).tolist()
        [[1, 0], [0, 1]]
    """
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return np.moveaxis(little.view(np.uint8).reshape(*values.shape, values.dtype.itemsize), -1, 0)


def from_planes(planes: NDArray[np.uint8], kind: str) -> NDArray[Any]:
    """Return the numbers of `to_planes`.

    Args:
        planes: (bytes, ...) uint8.
        kind: Their type, such as ``"<u8"``.
    """
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view(kind)[..., 0]


def read_soft_labels(name: str) -> SoftLabels:
    """Read soft labels of the package by name, or a file by path.

    Raises:
        DatasetError: There are none of that name, or the file is damaged.
    """
    known = list_soft_labels()
    source = FOLDER / f"{name}.npz" if name in known else Path(name)
    if not source.is_file():
        raise DatasetError(
            f"there are no soft labels {name!r}: expected one of {', '.join(known) or '(none)'}, or the path of a file "
            f"made by facemood soft-labels.{did_you_mean(name, known)}"
        )
    try:
        with source.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            heads = [name for name in arrays if name.startswith("logits_")]
            steps = {name.removeprefix("logits_"): from_planes(arrays[name], "<i2").T for name in heads}
            logits = {head: (values / STEPS).astype(np.float32) for head, values in steps.items()}
            keys = np.cumsum(from_planes(arrays["keys"], "<u8"), dtype=np.uint64)
            return SoftLabels(keys, logits, json.loads(str(arrays["about"])))
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{name}: is no file of soft labels, or damaged ({error})") from None


def list_soft_labels() -> list[str]:
    """Name the soft labels inside the package."""
    return sorted(Path(item.name).stem for item in FOLDER.iterdir() if item.name.endswith(".npz"))
