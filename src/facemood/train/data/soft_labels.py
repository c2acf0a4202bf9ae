"""Soft labels: what cross-fitted teachers said of each training image, in a small file that students learn from."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
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
    heads = {f"logits_{head}": _rounded(logits) for head, logits in soft.logits.items()}
    about = np.array(json.dumps(dict(soft.about)))
    with replacing(file, "wb") as whole:
        np.savez_compressed(whole, keys=soft.keys, about=about, **heads)  # type: ignore[arg-type]


def _rounded(logits: NDArray[np.float32]) -> NDArray[np.float16]:
    """Round to steps of 1/64 in half precision: what is rounded away would not compress."""
    return (np.round(logits * 64) / 64).astype(np.float16)


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
            logits = {key.removeprefix("logits_"): arrays[key].astype(np.float32) for key in arrays if "logits_" in key}
            return SoftLabels(arrays["keys"], logits, json.loads(str(arrays["about"])))
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"{name}: is no file of soft labels, or damaged ({error})") from None


def list_soft_labels() -> list[str]:
    """Name the soft labels inside the package."""
    return sorted(Path(item.name).stem for item in FOLDER.iterdir() if item.name.endswith(".npz"))
