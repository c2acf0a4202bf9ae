"""Read FER2013 (Goodfellow et al. 2013): 35,887 grey faces of 48 x 48 pixels in seven classes.

It is read from the Kaggle file ``fer2013.csv`` (emotion, pixels, Usage), joined by row with FER+'s ``fer2013new.csv``
if that is in the same folder; or from tile sheets: one PNG per split, named after it, and ``labels.csv``.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemood.datasets import ferplus
from facemood.datasets.csv_rows import read_table, whole_number
from facemood.datasets.dataset import ExpressionDataset
from facemood.errors import DatasetError, did_you_mean
from facemood.labels import BASIC_EXPRESSIONS, FERPLUS_COLUMNS

SIDE = 48
"""Side of the images in pixels."""

SPLITS = ("Training", "PublicTest", "PrivateTest")
"""The dataset's names of its splits, in the order of its rows."""

CSV_NAME = "fer2013.csv"
"""The Kaggle file."""

VOTES_NAME = "fer2013new.csv"
"""The file of votes of FER+."""

SHEET_LABELS = "labels.csv"
"""The table of labels next to tile sheets."""


def read_fer2013(path: Path) -> ExpressionDataset:
    """Read FER2013 from a CSV file, or from a folder with the CSV file or the tile sheets.

    Raises:
        DatasetError: Neither exists, or a file is damaged. The message names file, row and what to do.
    """
    if path.is_dir() and (path / SHEET_LABELS).is_file():
        return _read_sheets(path)
    file = path / CSV_NAME if path.is_dir() else path
    if not file.is_file():
        raise DatasetError(
            f"{path}: found no FER2013 here; expected {CSV_NAME} (the Kaggle file), "
            f"or {SHEET_LABELS} with a tile sheet for each split"
        )
    return _read_csv(file)


def read_ferplus(path: Path) -> ExpressionDataset:
    """Read FER2013 with the official majority labels of FER+, without the images that have none.

    Raises:
        DatasetError: FER2013 is not there, a file is damaged, or there are no votes.
    """
    return dataclasses.replace(read_fer2013(path).ferplus_majority(), name="ferplus")


def _read_csv(file: Path) -> ExpressionDataset:
    """Read the Kaggle CSV file, and the FER+ votes if they are in the same folder."""
    parsed = [_parse_row(row, where) for where, row in read_table(file, ("emotion", "pixels", "Usage"))]
    if not parsed:
        raise DatasetError(f"{file}: there is no row below the header; fetch the file again")
    labels, images, usage = zip(*parsed, strict=True)
    return ExpressionDataset(
        name="fer2013",
        images=np.stack(images),
        labels=np.array(labels, np.int64),
        classes=BASIC_EXPRESSIONS,
        usage=np.array(usage),
        votes=_votes_next_to(file, len(images)),
    )


def _parse_row(row: dict[str, str], where: str) -> tuple[int, NDArray[np.uint8], str]:
    """Parse one line of the CSV: label, (48, 48) uint8 image, split."""
    label = whole_number(row, "emotion", where, most=len(BASIC_EXPRESSIONS) - 1)
    usage, pixels = _usage(row["Usage"], where), _numbers_in(row["pixels"], where)
    if len(pixels) != SIDE * SIDE:
        raise DatasetError(
            f"{where}: expected {SIDE * SIDE} pixels, but found {len(pixels)}; the row is cut off, fetch the file again"
        )
    if pixels.min() < 0 or pixels.max() > 255:
        worst = int(pixels[np.argmax(np.abs(pixels - 127))])
        raise DatasetError(f"{where}: pixels must be 0..255, but one is {worst}; correct or remove the row")
    return label, pixels.astype(np.uint8).reshape(SIDE, SIDE), usage


def _numbers_in(text: str, where: str) -> NDArray[np.int64]:
    """Parse integers between spaces; NumPy's parser takes a fifth of the time of splitting the text."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy 2 warns of texts that are not numbers
        try:
            return np.fromstring(text, np.int64, sep=" ")
        except (DeprecationWarning, ValueError):
            raise DatasetError(
                f"{where}: a pixel is not a whole number; the row is damaged, fetch the file again"
            ) from None


def _usage(text: str, where: str) -> str:
    """Return the name of a split, after checking it."""
    if text.strip() not in SPLITS:
        raise DatasetError(
            f"{where}: unknown usage {text!r}; expected {', '.join(SPLITS)}.{did_you_mean(text, SPLITS)}"
        )
    return text.strip()


def _votes_next_to(file: Path, rows: int) -> NDArray[np.float32] | None:
    """Read the FER+ votes from the folder of the CSV file; None if there are none."""
    votes_file = file.parent / VOTES_NAME
    if not votes_file.is_file():
        return None
    votes = ferplus.read_votes(votes_file)
    if len(votes) != rows:
        raise DatasetError(
            f"{votes_file}: has {len(votes)} rows, but {file.name} has {rows}; "
            "FER+ is joined by row, so both must be complete"
        )
    return votes


def _read_sheets(folder: Path) -> ExpressionDataset:
    """Read tile sheets: ``labels.csv`` has a row for each tile, ``<usage>.png`` has the tiles row by row."""
    columns = ("usage", "emotion", *FERPLUS_COLUMNS, "in_ferplus", "cluster")
    table = list(read_table(folder / SHEET_LABELS, columns))
    usage = np.array([_usage(row["usage"], where) for where, row in table])
    images = np.zeros((len(table), SIDE, SIDE), np.uint8)
    for split, tiles in _sheets(folder, usage):
        images[usage == split] = tiles

    def numbers(column: str, *, most: int = 2**31) -> NDArray[np.int64]:
        return np.array([whole_number(row, column, where, most=most) for where, row in table], np.int64)

    listed = numbers("in_ferplus", most=1)
    votes = np.stack([numbers(column) * listed for column in FERPLUS_COLUMNS], axis=1)  # unlisted images have none
    return ExpressionDataset(
        name="fer2013",
        images=images,
        labels=numbers("emotion", most=len(BASIC_EXPRESSIONS) - 1),
        classes=BASIC_EXPRESSIONS,
        usage=usage,
        votes=votes.astype(np.float32),
        cluster=numbers("cluster"),
    )


def _sheets(folder: Path, usage: NDArray[np.str_]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield each split of the labels and its tiles, (n, 48, 48)."""
    for split in dict.fromkeys(usage.tolist()):
        file, count = folder / f"{split}.png", int((usage == split).sum())
        if not file.is_file():
            raise DatasetError(f"{file} is missing; {SHEET_LABELS} names {count} images of the split {split!r}")
        sheet = _open_sheet(file)
        rows, columns = sheet.shape[0] // SIDE, sheet.shape[1] // SIDE
        tiles = sheet.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).reshape(-1, SIDE, SIDE)
        if len(tiles) < count:
            raise DatasetError(f"{file} holds {len(tiles)} tiles, but {SHEET_LABELS} names {count}; fetch both again")
        yield split, tiles[:count]


def _open_sheet(file: Path) -> NDArray[np.uint8]:
    """Decode one sheet: (rows * 48, columns * 48) uint8."""
    with Image.open(file) as image:
        sheet = np.asarray(image.convert("L"))
    if sheet.shape[0] % SIDE or sheet.shape[1] % SIDE:
        raise DatasetError(
            f"{file}: the sides of a sheet must be multiples of {SIDE}, but it is {sheet.shape[1]}x{sheet.shape[0]}"
        )
    return sheet
