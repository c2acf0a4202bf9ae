"""Gather labelled image files of any layout into an `ExpressionDataset`."""

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
"""Largest number of unreadable files that are logged one by one; the summary counts all."""


class Entry(NamedTuple):
    """One labelled image file.

    Attributes:
        path: The file.
        word: Its label.
        usage: Its split.
        box: Crop x1 y1 x2 y2 in pixels; in a dataset either all entries have one or none has.
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
    """Read labelled image files. Unreadable files are left out, logged, and listed in `unreadable`.

    Args:
        root: The dataset's folder, for messages.
        entries: The files, at least one.
        name: The dataset's name in reports.
        size: Side in pixels to which each image is resized.
        colour: ``"grey"`` or ``"bgr"``.
        classes: The labels in their order; None for the labels that occur.

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
    """Make a dataset of the readable entries, and log the others.

    Args:
        root: The dataset's folder, for messages.
        entries: All files.
        images: The images of the readable entries, in their order.
        failed: The reasons for the others, by index in `entries`.
        name: The dataset's name in reports.
        classes: The labels in their order; None for the labels that occur.
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
        files=np.array([_below(root, entry.path) for entry in kept]),
        unreadable=tuple(f"{entries[row].path}: {reason}" for row, reason in failed.items()),
    )


def _below(root: Path, path: Path) -> str:
    """Return the path of a file below a folder, with slashes; the path itself if it lies elsewhere."""
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()


def _log(root: Path, entries: Sequence[Entry], failed: Mapping[int, str]) -> None:
    """Log the files that are left out, and their number."""
    for row, reason in list(failed.items())[:LOGGED]:
        logger.warning("%s: left out, %s", entries[row].path, reason)
    if failed:
        logger.warning("%s: left out %d of %d image files", root, len(failed), len(entries))
