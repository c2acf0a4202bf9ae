"""Read AffectNet (Mollahosseini, Hasani and Mahoor 2017): faces from the web in eight classes, annotated by hand.

There are two layouts. The newer one has cropped faces, with a file of annotations for each::

    train_set/images/17.jpg    train_set/annotations/17_exp.npy    the label, a text or a number
    val_set/images/...         val_set/annotations/...

The older one has tables with the columns subDirectory_filePath, face_x, face_y, face_width, face_height, expression
and others; the face's box is cut out of the image::

    training.csv, validation.csv    here or in Manually_Annotated_file_lists/
    103/29a31ebf.jpg                here or in Manually_Annotated_Images/

Labels are 0 neutral, 1 happy, 2 sad, 3 surprise, 4 fear, 5 disgust, 6 anger and 7 contempt. Images with the labels
8 none, 9 uncertain and 10 non-face are left out.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from facemood.datasets.csv_rows import read_table, whole_number
from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.gather import Entry, gather
from facemood.datasets.lazy_images import image_files
from facemood.errors import DatasetError
from facemood.labels import EXPRESSIONS

logger: logging.Logger = logging.getLogger("facemood")

ORDER = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
"""Names of the labels 0..7."""

LEFT_OUT = ("none", "uncertain", "non-face")
"""Names of the labels 8..10, which are no expressions."""

MOST = len(ORDER) + len(LEFT_OUT) - 1
"""The highest label."""

SETS = {"train_set": "train", "val_set": "val"}
"""Split of each folder of the newer layout."""

TABLES = {"training.csv": "train", "validation.csv": "val"}
"""Split of each table of the older layout."""

TABLE_FOLDER = "Manually_Annotated_file_lists"
"""Folder of the tables, if they are not at the top."""

IMAGE_FOLDERS = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
"""Folders of the images, if they are not at the top."""

PATH = "subDirectory_filePath"
"""Column of the image's path."""

EXPRESSION = "expression"
"""Column of the label."""

BOX = ("face_x", "face_y", "face_width", "face_height")
"""Columns of the face's box in pixels: left, top, width, height."""


class Row(NamedTuple):
    """An annotated image: file, label 0..10, split, and box x1 y1 x2 y2 in pixels, which may reach beyond the image."""

    path: Path
    label: int
    usage: str
    box: tuple[int, int, int, int] | None = None


def read_affectnet(root: Path, *, size: int = 224, colour: str = "bgr") -> ExpressionDataset:
    """Read AffectNet in either layout; its splits are ``"train"`` and ``"val"``.

    Args:
        root: The folder of the sets or the tables.
        size: Side in pixels to which each face is resized.
        colour: ``"grey"`` or ``"bgr"``.

    Raises:
        DatasetError: AffectNet is not there, an annotation is missing or damaged, or no image can be read.
    """
    if not is_affectnet(root):
        raise DatasetError(
            f"{root}: found no AffectNet here; expected train_set/annotations and val_set/annotations, "
            f"or training.csv and validation.csv with the columns {PATH}, {','.join(BOX)}, {EXPRESSION}"
        )
    rows = list(_read_sets(root) if _sets(root) else _read_tables(root))
    entries = [Entry(row.path, ORDER[row.label], row.usage, row.box) for row in rows if row.label < len(ORDER)]
    _log_left_out(root, rows)
    if not entries:
        raise DatasetError(f"{root}: found no image of an expression here; fetch AffectNet again")
    return gather(root, entries, name="affectnet", size=size, colour=colour, classes=EXPRESSIONS)


def is_affectnet(root: Path) -> bool:
    """Return whether a folder contains AffectNet, by its files."""
    return bool(_sets(root) or _tables(root))


def _sets(root: Path) -> dict[Path, str]:
    """Return the existing folders of the newer layout with their splits."""
    return {root / name: usage for name, usage in SETS.items() if (root / name / "annotations").is_dir()}


def _read_sets(root: Path) -> Iterator[Row]:
    """Yield the images of the newer layout."""
    for folder, usage in _sets(root).items():
        if not (folder / "images").is_dir():
            raise DatasetError(f"{folder / 'images'}: there is no such folder, but there are annotations next to it")
        for file in image_files(folder / "images"):
            yield Row(file, _read_label(folder / "annotations" / f"{file.stem}_exp.npy"), usage)


def _read_label(file: Path) -> int:
    """Read one annotation: a label as a text or a number."""
    try:
        number = float(np.load(file, allow_pickle=False).astype(str).item())
    except FileNotFoundError:
        raise DatasetError(f"{file}: the annotation is missing; fetch it again or remove the image") from None
    except Exception as error:  # NumPy has classes of its own for each kind of damage
        raise DatasetError(f"{file}: expected a label 0..{MOST}, but it cannot be read ({error})") from None
    if number not in range(MOST + 1):
        raise DatasetError(f"{file}: expected a label 0..{MOST}, but found {number:g}")
    return int(number)


def _tables(root: Path) -> dict[Path, str]:
    """Return the existing tables of the older layout with their splits."""
    for folder in (root, root / TABLE_FOLDER):
        files = {folder / name: usage for name, usage in TABLES.items() if _has_header(folder / name)}
        if files:
            return files
    return {}


def _has_header(file: Path) -> bool:
    """Return whether a table exists and has AffectNet's header."""
    if not file.is_file():
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return PATH in lines.readline(1000)


def _read_tables(root: Path) -> Iterator[Row]:
    """Yield the images of the older layout."""
    images = next((root / name for name in IMAGE_FOLDERS if (root / name).is_dir()), root)
    for file, usage in _tables(root).items():
        for where, row in read_table(file, (PATH, *BOX, EXPRESSION)):
            label = whole_number(row, EXPRESSION, where, most=MOST)
            box = _read_box(row, where) if label < len(ORDER) else None  # non-faces may have no box
            yield Row(images / row[PATH], label, usage, box)


def _read_box(row: dict[str, str], where: str) -> tuple[int, int, int, int]:
    """Read a row's face box: x1 y1 x2 y2."""
    try:
        left, top, width, height = (int(row[column]) for column in BOX)
    except ValueError:
        found = ",".join(row[column] for column in BOX)
        raise DatasetError(
            f"{where}: {','.join(BOX)} must be whole numbers, but are {found}; correct or remove the row"
        ) from None
    return left, top, left + width, top + height


def _log_left_out(root: Path, rows: list[Row]) -> None:
    """Log the number of images without an expression."""
    counts = Counter(LEFT_OUT[row.label - len(ORDER)] for row in rows if row.label >= len(ORDER))
    if counts:
        words = ", ".join(f"{counts[word]} {word}" for word in LEFT_OUT if word in counts)
        logger.info("%s: %d images without an expression are left out (%s)", root, counts.total(), words)
