"""FER2013 (Goodfellow et al. 2013): 35,887 grey faces of 48 x 48 pixels in seven classes.

It is read from the Kaggle file ``fer2013.csv`` (emotion, pixels, Usage), joined by row with FER+'s ``fer2013new.csv``
where that lies beside it, or from tile sheets: a PNG a split, named after it, and a ``labels.csv``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from facemood.datasets import ferplus
from facemood.datasets.dataset import ExpressionDataset
from facemood.errors import DatasetError, did_you_mean
from facemood.labels import BASIC_EXPRESSIONS, FERPLUS_COLUMNS

SIDE = 48
SPLITS = ("Training", "PublicTest", "PrivateTest")
CSV_NAME, VOTES_NAME, SHEET_LABELS = "fer2013.csv", "fer2013new.csv", "labels.csv"


def read_fer2013(path: Path) -> ExpressionDataset:
    """Read FER2013 from a CSV file, or from a folder that holds the CSV or the tile sheets.

    Raises:
        DatasetError: Neither is there, or a file is damaged; the message names file, row and mend.
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


def _read_csv(file: Path) -> ExpressionDataset:
    """Read the Kaggle CSV and, where it lies beside it, the FER+ votes."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        if [name.strip() for name in header] != ["emotion", "pixels", "Usage"]:
            raise DatasetError(
                f"{file}: expected the columns emotion,pixels,Usage, "
                f"but found {','.join(header)[:80] or 'an empty file'}"
            )
        parsed = [_parse_row(row, file, number) for number, row in enumerate(rows, start=2)]
    if not parsed:
        raise DatasetError(f"{file}: there is no row below the header; fetch the file again")
    labels, images, usage = zip(*parsed, strict=True)
    return ExpressionDataset(
        name="fer2013",
        images=np.stack(images),
        labels=np.array(labels, np.int64),
        classes=BASIC_EXPRESSIONS,
        usage=np.array(usage),
        votes=_votes_beside(file, len(images)),
    )


def _parse_row(row: list[str], file: Path, number: int) -> tuple[int, NDArray[np.uint8], str]:
    """Check one line of the CSV: (label, (48, 48) uint8, usage)."""
    where = f"{file}, line {number}"
    if len(row) != 3:
        raise DatasetError(
            f"{where}: expected 3 fields, but found {len(row)}; the file is cut or damaged, fetch it again"
        )
    label, text, usage = row[0].strip(), row[1].split(), row[2].strip()
    if label not in {"0", "1", "2", "3", "4", "5", "6"}:
        raise DatasetError(f"{where}: the emotion must be 0..6, but is {label!r}; correct or remove the row")
    if usage not in SPLITS:
        raise DatasetError(
            f"{where}: unknown usage {usage!r}; expected {', '.join(SPLITS)}.{did_you_mean(usage, SPLITS)}"
        )
    if len(text) != SIDE * SIDE:
        raise DatasetError(
            f"{where}: expected {SIDE * SIDE} pixels, but found {len(text)}; the row is cut, fetch the file again"
        )
    try:
        pixels = np.array(text, np.int64)
    except ValueError:
        raise DatasetError(
            f"{where}: a pixel is not a whole number; the row is damaged, fetch the file again"
        ) from None
    if pixels.min() < 0 or pixels.max() > 255:
        worst = int(pixels[np.argmax(np.abs(pixels - 127))])
        raise DatasetError(f"{where}: pixels must be 0..255, but one is {worst}; correct or remove the row")
    return int(label), pixels.astype(np.uint8).reshape(SIDE, SIDE), usage


def _votes_beside(file: Path, rows: int) -> NDArray[np.float32] | None:
    """Read the FER+ votes from the CSV's folder, or return None where there are none."""
    votes_file = file.parent / VOTES_NAME
    if not votes_file.is_file():
        return None
    votes = ferplus.read_votes(votes_file)
    if len(votes) != rows:
        raise DatasetError(
            f"{votes_file}: has {len(votes)} rows, but {file.name} has {rows}; "
            "FER+ is joined by row, so both must be whole"
        )
    return votes


def _read_sheets(folder: Path) -> ExpressionDataset:
    """Read tile sheets: ``labels.csv`` says what each tile is, ``<usage>.png`` holds them row by row."""
    file = folder / SHEET_LABELS
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        missing = {"usage", "emotion", *FERPLUS_COLUMNS, "in_ferplus", "cluster"}.difference(rows.fieldnames or ())
        if missing:
            raise DatasetError(f"{file}: the columns {', '.join(sorted(missing))} are missing")
        table = list(rows)
    usage = np.array([row["usage"] for row in table])
    images = np.zeros((len(table), SIDE, SIDE), np.uint8)
    for split, tiles in _sheets(folder, usage):
        images[usage == split] = tiles
    listed = np.array([row["in_ferplus"] == "1" for row in table])
    votes = np.array([[float(row[column]) for column in FERPLUS_COLUMNS] for row in table], np.float32)
    return ExpressionDataset(
        name="fer2013",
        images=images,
        labels=np.array([int(row["emotion"]) for row in table], np.int64),
        classes=BASIC_EXPRESSIONS,
        usage=usage,
        votes=votes * listed[:, None],
        cluster=np.array([int(row["cluster"]) for row in table], np.int64),
    )


def _sheets(folder: Path, usage: NDArray[np.str_]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield (split, (n, 48, 48) tiles) for each split that the labels name."""
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
    with Image.open(file) as picture:
        sheet = np.asarray(picture.convert("L"))
    if sheet.shape[0] % SIDE or sheet.shape[1] % SIDE:
        raise DatasetError(
            f"{file}: a sheet's sides must be multiples of {SIDE}, but it is {sheet.shape[1]}x{sheet.shape[0]}"
        )
    return sheet
