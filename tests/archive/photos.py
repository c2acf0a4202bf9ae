"""Small photos for archives, and how their rows are compared."""

from __future__ import annotations

import contextlib
import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from facemood.archive import planning
from tests.conftest import PHOTOS


def fill(folder: Path, count: int) -> list[str]:
    """Fill a folder with photos: every tenth shows a face, all others are small and grey. Returns their names."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        if number % 10 == 3:
            shutil.copy(PHOTOS / "grace_hopper.jpg", folder / f"{number:03d}.jpg")
        else:
            Image.new("RGB", (32, 32), (number % 256, 90, 90)).save(folder / f"{number:03d}.jpg")
    return [f"{folder.name}/{number:03d}.jpg" for number in range(count)]


@contextlib.contextmanager
def place_of(folder: Path, *, size: int) -> Iterator[Path]:
    """Work in a folder until the block ends, with so many photos in each part of an archive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(planning, "PART_PHOTOS", size)
        yield folder


def rows_of(table: Path) -> list[tuple[str, ...]]:
    """The rows of a CSV file, sorted, with its header as the first one."""
    with table.open(newline="") as file:
        header, *rows = map(tuple, csv.reader(file))
    return [header, *sorted(rows)]


def sources_of(table: Path) -> list[str]:
    """The sources of a CSV file, one for each row, sorted."""
    with table.open(newline="") as file:
        return sorted(row["source"] for row in csv.DictReader(file))
