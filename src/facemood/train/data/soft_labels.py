"""Soft labels: the logits of teachers for each training image, in a small file for distillation."""

from __future__ import annotations

import hashlib
import json
import reprlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.array_files import check_array, read_arrays, text_of
from facemood.atomic import replacing
from facemood.errors import DatasetError
from facemood.stages.classify import softmax

CHECKOUT = Path(__file__).parents[4]
"""The source tree that the code runs from, with ``soft_labels/``; an installed package has none."""

PREFIX = "logits_"
"""How the names of the arrays begin that hold a head's logits."""

STEPS = 64
"""Steps per unit of the stored logits; the error of a probability is below 0.01."""


UNSEEN = "out_of_fold_accuracy"
"""Key of the accuracy of cross-fitted teachers, on images that they were not trained on."""

SEEN = "in_sample_accuracy"
"""Key of the accuracy of teachers on images that they were trained on."""


@dataclass(frozen=True, slots=True)
class SoftLabels:
    """A teacher's logits for images, which are identified by their pixels, so that their order does not matter.

    Attributes:
        keys: (N,) uint64, `pixel_keys` of the images, in ascending order.
        logits: (N, K) float32 for each head.
        about: Facts on the teachers: heads with their labels, recipe and figures.
    """

    keys: NDArray[np.uint64]
    logits: Mapping[str, NDArray[np.float32]]
    about: Mapping[str, Any]

    def find(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Return the row of each image (N, h, w), or -1 if it is unknown.

        Example:
            >>> tiles = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
            >>> soft = SoftLabels(np.sort(pixel_keys(tiles[:1])), {}, {})
            >>> soft.find(tiles).tolist()
            [0, -1]
        """
        wanted = pixel_keys(images)
        row = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        return np.where(self.keys[row] == wanted, row, -1)

    @property
    def teachers_of_an_image(self) -> int:
        """How many teachers' logits were averaged for each image: one of cross-fitted teachers, else all of them."""
        groups = teachers_of(self.about)
        return sum(1 if group.get("cross-fitted") else group["count"] for group in groups) or 1

    def distribution(self, head: str, rows: NDArray[np.int64], *, temperature: float = 1.0) -> NDArray[np.float32]:
        """Return a head's probabilities (M, K) for rows from `find`."""
        return softmax(self.logits[head][rows], temperature=temperature)


def teachers_of(about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return who labelled the images of some soft labels, as a model's card names them.

    Args:
        about: The facts on the teachers.

    Returns:
        For each group of teachers the name of their recipe, how many they are, the dataset that they learned from,
        whether they are cross-fitted, and the pretrained weights that they started from, as far as it is known.

    Example:
        >>> teachers_of({"dataset": "fer2013", "teachers": {"count": 3, "recipe": {"name": "default"}}})
        [{'recipe': 'default', 'count': 3, 'dataset': 'fer2013'}]
    """
    told = about.get("teachers")
    told = told if isinstance(told, dict) else {}
    recipe, count = told.get("recipe"), told.get("count")
    group = {
        "recipe": str(recipe.get("name", "unknown")) if isinstance(recipe, dict) else "unknown",
        "count": count if type(count) is int and count > 0 else 1,
        "dataset": str(about.get("dataset", "unknown")),
        **({"cross-fitted": True} if UNSEEN in about else {}),
        **({"weights": told["weights"]} if told.get("weights") else {}),
    }
    added = about.get("added")
    return [group, *(teachers_of(added) if isinstance(added, dict) else [])]


def pixel_keys(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a 64-bit key of each image's pixels: the first 8 bytes of BLAKE2b.

    Args:
        images: (N, h, w) uint8.
    """
    digests = b"".join(hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def write_soft_labels(file: Path, soft: SoftLabels) -> None:
    """Write the file: keys, logits in steps of 1/64, and the facts on the teachers.

    Raises:
        OutputError: The file cannot be written.
    """
    arrays = {}
    for head, logits in soft.logits.items():
        steps = np.round(np.clip(logits * STEPS, -(2**15), 2**15 - 1)).astype(np.int16)  # finer steps do not compress
        arrays[f"{PREFIX}{head}"] = to_planes(steps.T)
    arrays["keys"] = to_planes(np.diff(soft.keys, prepend=np.uint64(0)))
    arrays["about"] = np.array(json.dumps(dict(soft.about)))
    with replacing(file, "wb") as whole, zipfile.ZipFile(whole, "w", zipfile.ZIP_LZMA) as archive:
        for name, array in arrays.items():  # as numpy.savez does, but smaller
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, array)


def to_planes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Group the bytes of numbers by significance (byte planes): high bytes are similar, and compress well.

    Args:
        values: (...,) integers of several bytes.

    Returns:
        (bytes, ...) uint8, the lowest bytes first.

    Example:
        >>> to_planes(np.array([1, 256], np.uint16)).tolist()
        [[1, 0], [0, 1]]
    """
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return np.moveaxis(little.view(np.uint8).reshape(*values.shape, values.dtype.itemsize), -1, 0)


def from_planes(planes: NDArray[np.uint8], kind: str) -> NDArray[Any]:
    """Return the numbers of byte planes, the inverse of `to_planes`.

    Args:
        planes: (bytes, ...) uint8.
        kind: Type of the numbers, such as ``"<u8"``.
    """
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view(kind)[..., 0]


def find_soft_labels(name: str) -> Path:
    """Return the file of soft labels that a recipe names.

    Args:
        name: Its path. A relative one is looked for in the working directory first, then in the source tree.

    Raises:
        DatasetError: There is no such file.
    """
    for file in (Path(name), CHECKOUT / name):
        if file.is_file():
            return file
    raise DatasetError(
        f"{name}: there is no such file of soft labels. An installed package has none: run from a clone of the "
        "repository, copy its folder soft_labels here, or make the file with facemood soft-labels. To train without "
        "soft labels, add --set distill.labels="
    )


def read_soft_labels(name: str) -> SoftLabels:
    """Read the file of soft labels that a recipe names (`find_soft_labels`).

    Raises:
        DatasetError: There is no such file, or it is damaged.
    """
    file = find_soft_labels(name)
    try:
        return _checked(read_arrays(file, needed=("keys", "about")))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: is not a file of soft labels, or is damaged: {error}") from error


def _checked(arrays: Mapping[str, NDArray[Any]]) -> SoftLabels:
    """Make soft labels of a file's arrays.

    Raises:
        ValueError: One is not what `write_soft_labels` writes.
    """
    about = _read_about(text_of("about", arrays["about"]))
    check_array("keys", arrays["keys"], kind=np.uint8, shape=(8, None))
    keys = np.cumsum(from_planes(arrays["keys"], "<u8"), dtype=np.uint64)
    if not len(keys) or (keys[1:] <= keys[:-1]).any():
        raise ValueError("the array 'keys' must rise, with one key at least")
    logits = {}
    for head, words in about["heads"].items():
        name = f"{PREFIX}{head}"
        if name not in arrays:
            raise ValueError(f"the array {name!r} is missing")
        check_array(name, arrays[name], kind=np.uint8, shape=(2, len(words), len(keys)))
        logits[head] = (from_planes(arrays[name], "<i2").T / STEPS).astype(np.float32)
    return SoftLabels(keys, logits, about)


def _read_about(text: str) -> Mapping[str, Any]:
    """Read what is known of the teachers, and make sure that it names heads with their labels."""
    try:
        loaded = json.loads(text)
    except RecursionError:
        raise ValueError("about: its tables and lists are nested too deep") from None
    except ValueError as error:
        raise ValueError(f"about: it is no JSON ({error})") from None
    about: Mapping[str, Any] = loaded if isinstance(loaded, dict) else {}
    heads = about.get("heads")
    if not isinstance(heads, dict) or not heads:
        raise ValueError("about.heads must be a table of heads with their labels")
    for head, words in heads.items():
        if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
            raise ValueError(f"about.heads.{head} must be a list of labels, but is {reprlib.repr(words)}")
    return about
