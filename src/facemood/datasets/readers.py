"""Select the reader of a dataset by ``kind:path`` or by its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from facemood.datasets.affectnet import is_affectnet, read_affectnet
from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.fer2013 import CSV_NAME, SHEET_LABELS, read_fer2013, read_ferplus
from facemood.datasets.folder import read_folder
from facemood.datasets.photos import read_photos
from facemood.datasets.rafdb import find_basic, read_rafdb
from facemood.errors import DatasetError, did_you_mean

TILES: dict[str, Callable[[Path], ExpressionDataset]] = {"fer2013": read_fer2013, "ferplus": read_ferplus}
"""Readers of datasets with grey tiles of a fixed size."""

FILES: dict[str, Callable[..., ExpressionDataset]] = {
    "folder": read_folder,
    "photos": read_photos,
    "affectnet": read_affectnet,
    "rafdb": read_rafdb,
}
"""Readers of datasets of image files, which take ``size`` and ``colour``."""

KINDS = (*TILES, *FILES)
"""Kinds of datasets, as in ``kind:path``."""


def open_dataset(spec: str | Path, *, size: int | None = None, colour: str | None = None) -> ExpressionDataset:
    """Open a dataset by ``kind:path``, or by path alone if its files show the kind.

    Args:
        spec: Such as ``"fer2013:data/fer2013"``, ``"folder:my_faces"`` or a plain path. Kinds are fer2013, ferplus
            (FER2013 with the majority labels of FER+), folder (of face crops), photos (in which faces are detected),
            affectnet and rafdb.
        size: Side in pixels to which image files are resized; None for the kind's default. FER2013 always has 48.
        colour: ``"grey"`` or ``"bgr"`` for image files; None for the kind's default. FER2013 is always grey.

    Raises:
        DatasetError: The kind is unknown, the path does not exist, or its files are damaged.

    Example:
        >>> open_dataset("fer2013:nowhere")
        Traceback (most recent call last):
        facemood.errors.DatasetError: nowhere: there is no such file or folder
    """
    kind, colon, rest = str(spec).partition(":")
    named = bool(colon) and len(kind) > 1  # one letter is a Windows drive
    path = Path(rest if named else str(spec)).expanduser()
    if named and kind not in KINDS:
        raise DatasetError(
            f"unknown kind of dataset {kind!r}; expected one of {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}"
        )
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    kind = kind if named else _recognize(path)
    if kind in TILES:
        return TILES[kind](path)
    asked: dict[str, Any] = {"size": size, "colour": colour}
    return FILES[kind](path, **{option: value for option, value in asked.items() if value is not None})


def _recognize(path: Path) -> str:
    """Return the kind of a dataset by its files."""
    if path.is_file() or any((path / name).is_file() for name in (CSV_NAME, SHEET_LABELS)):
        return "fer2013"
    if find_basic(path) is not None:
        return "rafdb"
    return "affectnet" if is_affectnet(path) else "folder"
