"""Choose the reader for a dataset from what the user wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.fer2013 import CSV_NAME, SHEET_LABELS, read_fer2013
from facemood.datasets.folder import read_folder
from facemood.errors import DatasetError, did_you_mean

READERS: dict[str, Callable[[Path], ExpressionDataset]] = {"fer2013": read_fer2013, "folder": read_folder}
"""A new dataset is a new line here."""


def open_dataset(spec: str | Path) -> ExpressionDataset:
    """Open a dataset by ``kind:path``, or by path alone where the files say what they are.

    Args:
        spec: Such as ``"fer2013:data/fer2013"``, ``"folder:my_faces"`` or a plain path.

    Raises:
        DatasetError: The kind is unknown, the path is not there, or its files are damaged.

    Example:
        >>> open_dataset("fer2013:nowhere")
        Traceback (most recent call last):
        facemood.errors.DatasetError: nowhere: there is no such file or folder
    """
    kind, colon, rest = str(spec).partition(":")
    named = bool(colon) and len(kind) > 1  # one letter is a Windows drive
    path = Path(rest if named else str(spec)).expanduser()
    if named and kind not in READERS:
        raise DatasetError(
            f"unknown kind of dataset {kind!r}; expected one of {', '.join(READERS)}.{did_you_mean(kind, READERS)}"
        )
    if not path.exists():
        raise DatasetError(f"{path}: there is no such file or folder")
    return READERS[kind if named else _recognize(path)](path)


def _recognize(path: Path) -> str:
    """Tell the kind of dataset from its files."""
    if path.is_file() or any((path / name).is_file() for name in (CSV_NAME, SHEET_LABELS)):
        return "fer2013"
    return "folder"
