"""Gather labelled image files, however a dataset lays them out, into an `ExpressionDataset`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.lazy_images import ImageFiles, Images, load
from facemood.errors import DatasetError
from facemood.labels import ordered

logger: logging.Logger = logging.getLogger("facemood")

LOGGED = 100
"""Unreadable files that are logged one by one; the summary counts all."""


class Entry(NamedTuple):
    """One labelled image file.

    Attributes:
        path: The file.
        word: Its label.
        usage: Its split.
        box: Pixels x1 y1 x2 y2 to cut out; in one dataset all entries have one or none has.
    """

    path: Path
    word: str
    usage: str
    box: tuple[int, int, int, int] | None = None


def gather(
    root: Path,
    entries: Sequence[Entry],
    *,
    name: str,
    size: int,
    colour: str,
    classes: tuple[str, ...] | None = None,
) -> ExpressionDataset:
    """Read labelled files. Those that cannot be read are left out, logged, and listed in `unreadable`.

    Args:
        root: Where the dataset lies, for messages.
        entries: The files, at least one.
        name: What the dataset is called in reports.
        size: Side in pixels to which each image is brought.
        colour: ``"grey"`` or ``"bgr"``.
        classes: The label words in their order; None takes the words that occur.

    Raises:
        DatasetError: No file can be read.
    """
    boxes = None if entries[0].box is None else np.array([entry.box for entry in entries], np.int64)
    images, failed = load(ImageFiles(tuple(entry.path for entry in entries), size, colour, boxes))
    if not len(images):
        raise DatasetError(
            f"{root}: none of the {len(entries)} image files can be read; the first, {entries[0].path}: {failed[0]}"
        )
    return assemble(root, entries, images, failed, name=name, classes=classes)


def assemble(
    root: Path,
    entries: Sequence[Entry],
    images: Images,
    failed: Mapping[int, str],
    *,
    name: str,
    classes: tuple[str, ...] | None = None,
) -> ExpressionDataset:
    """Make a dataset of the entries that could be read, and log those that could not.

    Args:
        root: Where the dataset lies, for messages.
        entries: All files.
        images: The images of those that could be read, in their order.
        failed: Why the others could not, by their place among the entries.
        name: What the dataset is called in reports.
        classes: The label words in their order; None takes the words that occur.
    """
    _log(root, entries, failed)
    kept = [entry for row, entry in enumerate(entries) if row not in failed]
    classes = classes or ordered({entry.word for entry in kept})
    number = {word: index for index, word in enumerate(classes)}
    return ExpressionDataset(
        name=name,
        images=images,
        labels=np.array([number[entry.word] for entry in kept], np.int64),
        classes=classes,
        usage=np.array([entry.usage for entry in kept]),
        unreadable=tuple(f"{entries[row].path}: {reason}" for row, reason in failed.items()),
    )


def _log(root: Path, entries: Sequence[Entry], failed: Mapping[int, str]) -> None:
    """Warn of the files that are left out, and of their number."""
    for row, reason in list(failed.items())[:LOGGED]:
        logger.warning("%s: left out, %s", entries[row].path, reason)
    if failed:
        logger.warning("%s: %d of %d image files cannot be read and are left out", root, len(failed), len(entries))
