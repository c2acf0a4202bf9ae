"""Which images a training run learned from and which it kept aside: the table ``images.csv`` in the run's folder."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.datasets.csv_rows import read_table
from facemood.datasets.dataset import ExpressionDataset
from facemood.errors import DatasetError
from facemood.models.card import ModelCard

TABLE = "images.csv"
"""Name of the table, next to the exported model."""

FILE = "file"
"""Column with the path of an image below the dataset's folder, with slashes."""

SPLIT = "split"
"""Column with the part of the run that it belonged to."""

TRAINING = "training"
"""Images that the network learned from."""

VALIDATION = "validation"
"""Images that chose its epoch and fitted its calibration."""

TEST = "test"
"""Images that were kept aside: nothing was learned from them or chosen by them."""

LEFT_OUT = "left out"
"""Images that were not used, such as near-duplicates of those kept aside."""

NEW = "new"
"""Images that are not in the table."""


def write_images(folder: Path, dataset: ExpressionDataset, parts: dict[str, ExpressionDataset]) -> None:
    """Write the table of a run, if its images are files.

    Args:
        folder: The run's folder.
        dataset: All images.
        parts: The images of `TRAINING`, `VALIDATION` and, if there are any, `TEST`.

    Raises:
        OutputError: The file cannot be written.
    """
    if dataset.files is None:
        return
    part_of = {file: name for name, part in parts.items() if part.files is not None for file in part.files.tolist()}
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((FILE, SPLIT))
    rows.writerows((file, part_of.get(file, LEFT_OUT)) for file in dataset.files.tolist())
    with replacing(folder / TABLE, "wb") as file:
        file.write(text.getvalue().encode("utf-8", "backslashreplace"))  # names that are no text


def part_of_images(model: Path, dataset: ExpressionDataset) -> NDArray[np.str_] | None:
    """Return the part of a run that each image of a dataset belonged to.

    Args:
        model: The model file; the table of its run is looked for in its folder.
        dataset: The dataset.

    Returns:
        (N,) str: `TRAINING`, `VALIDATION`, `TEST`, `LEFT_OUT` or `NEW`. None if there is no table, or none of its
        images is in the dataset.

    Raises:
        DatasetError: The table is damaged.
    """
    table = model.parent / TABLE
    if dataset.files is None or not table.is_file():
        return None
    part_of: dict[str, str] = {}
    for where, row in read_table(table, (FILE, SPLIT)):
        if row[SPLIT] not in (TRAINING, VALIDATION, TEST, LEFT_OUT):
            raise DatasetError(f"{where}: {SPLIT} must be {TRAINING}, {VALIDATION}, {TEST} or {LEFT_OUT}")
        part_of[row[FILE]] = row[SPLIT]
    parts = np.array([part_of.get(file, NEW) for file in dataset.files.tolist()])
    return None if (parts == NEW).all() else parts


def choose_images(model: Path, dataset: ExpressionDataset, split: str | None) -> tuple[ExpressionDataset, str | None]:
    """Return a dataset, and the split to measure: without a wish, the images that the model's run kept aside.

    Args:
        model: The model file.
        dataset: The dataset.
        split: The split that is asked for: one of the dataset's, or a part of the model's run; None for no wish.

    Returns:
        The dataset, whose splits are the parts of the run where those are meant; and the split, None for the usual one.

    Raises:
        DatasetError: The table of the run is damaged.
    """
    parts = None if split in dataset.splits else part_of_images(model, dataset)
    if parts is None or (split is None and TEST not in parts):
        return dataset, split
    return dataclasses.replace(dataset, usage=parts), split or TEST


def count_parts(model: Path, card: ModelCard, part: ExpressionDataset) -> dict[str, int]:
    """Count the images that the model learned from and those that its run kept aside.

    Args:
        model: The model file.
        card: Its card.
        part: The images that are measured.

    Returns:
        The number of images by `TRAINING`, `VALIDATION` and `TEST`; empty if nothing is known of them.
    """
    parts = part_of_images(model, part)
    if parts is not None:
        return {name: int((parts == name).sum()) for name in (TRAINING, VALIDATION, TEST)}
    known = card.trained_on.get("dataset") == part.name and part.splits == (card.trained_on.get("split"),)
    return {TRAINING: len(part)} if known else {}


def describe_parts(counts: Mapping[str, int]) -> str:
    """Say in a sentence whether the model knew the images that were measured; empty if it did not.

    Args:
        counts: The counts of `count_parts`.

    Example:
        >>> describe_parts({"training": 0, "validation": 0, "test": 40})
        'The run of this model kept 40 of these images aside: it learned nothing from them.'
    """
    learned, watched, kept = (counts.get(name, 0) for name in (TRAINING, VALIDATION, TEST))
    if learned or watched:
        chose = f", and {watched:,} chose its weights" if watched else ""
        return f"The model learned from {learned:,} of these images{chose}. So these figures are too good."
    return f"The run of this model kept {kept:,} of these images aside: it learned nothing from them." if kept else ""
