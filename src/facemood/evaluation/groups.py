"""How well a model reads each group of people or pictures, on a user's own labelled data."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.datasets.csv_rows import read_table
from facemood.datasets.dataset import ExpressionDataset
from facemood.errors import DatasetError, did_you_mean
from facemood.text import count, markdown_table, with_interval
from facemood.wilson import wilson_interval

logger: logging.Logger = logging.getLogger("facemood")

TABLE = "groups.csv"
"""Name of the table in the folder of the dataset."""

FILE = "file"
"""Column with the path of each image, relative to the folder, with slashes."""

UNSTATED = "(not stated)"
"""Group of the images without a value."""

FEW = 30
"""Below this number of images, a group says little."""


def read_groups(root: Path, dataset: ExpressionDataset, column: str) -> NDArray[np.str_]:
    """Read the group of each image from the table ``groups.csv`` in the folder of a dataset.

    Accents may be composed or decomposed, and slashes backslashes. A warning tells of files that are not there.

    Args:
        root: The folder.
        dataset: A dataset of files.
        column: Column with the groups, such as ``"glasses"``.

    Returns:
        (N,) str in the order of the images; `UNSTATED` for images without a value.

    Raises:
        DatasetError: There is no such table or column, a file stands in it twice, or no file of it is in the dataset.
    """
    if dataset.files is None:
        raise DatasetError(f"{dataset.name}: groups need a dataset of image files, such as photos:DIR or folder:DIR")
    table = root / TABLE
    if not table.is_file():
        raise DatasetError(f"{table}: there is no such file; write a CSV table with the columns {FILE},{column}")
    rows = list(read_table(table, (FILE,)))
    columns = [name for name in (rows[0][1] if rows else {}) if name != FILE]
    if column not in columns:
        known = ", ".join(columns) or "none"
        raise DatasetError(f"{table}: there is no column {column!r}; it has {known}.{did_you_mean(column, columns)}")
    found: dict[str, str] = {}
    for where, row in rows:
        name = _plain(row[FILE])
        if name in found:
            raise DatasetError(f"{where}: {row[FILE]} is in the table twice; keep one of the rows")
        found[name] = row[column].strip() or UNSTATED
    images = [_plain(name) for name in dataset.files.tolist()]
    if found.keys().isdisjoint(images):
        raise DatasetError(
            f"{table}: none of its files is an image of the dataset; expected paths such as {dataset.files[0]}"
        )
    others = found.keys() - set(images)
    missing = [row[FILE] for _, row in rows if _plain(row[FILE]) in others and not (root / row[FILE]).is_file()]
    if missing:
        logger.warning(
            "%s: %s of it, such as %s, %s not found; expected paths such as %s",
            table, count(len(missing), "file"), missing[0], "was" if len(missing) == 1 else "were", dataset.files[0],
        )  # fmt: skip
    return np.array([found.get(name, UNSTATED) for name in images])


def _plain(name: str) -> str:
    """Return a name with slashes and composed accents."""
    return unicodedata.normalize("NFC", name).replace("\\", "/")


def score_groups(
    predicted: NDArray[np.int64], labels: NDArray[np.int64], groups: NDArray[np.str_], classes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Return accuracy and recalls of each group, with counts and 95% intervals.

    Args:
        predicted: (N,) predicted classes.
        labels: (N,) true classes.
        groups: (N,) group of each image.
        classes: The K labels.

    Returns:
        A row for each group, sorted by name: ``group``, ``n``, ``accuracy`` and its ``interval``, ``mean_recall`` over
        the classes with images and its ``mean_recall_interval``, and ``recall``: for each such class its ``share``,
        ``n`` and ``interval``.

    Example:
        >>> (row,) = score_groups(np.array([0, 1]), np.array([0, 0]), np.array(["a", "a"]), ("x", "y"))
        >>> row["group"], row["n"], row["accuracy"], row["recall"]["x"]["n"]
        ('a', 2, 0.5, 2)
    """
    rows = []
    for group in sorted(set(groups.tolist()), key=lambda name: (name == UNSTATED, name)):
        of_group = groups == group
        recall = {
            label: _share((predicted == column)[of_group & (labels == column)])
            for column, label in enumerate(classes)
            if (of_group & (labels == column)).any()
        }
        overall = _share((predicted == labels)[of_group])
        rows.append(
            {
                "group": group,
                "n": overall["n"],
                "accuracy": overall["share"],
                "interval": overall["interval"],
                **mean_recall_of(recall, list(recall)),
                "recall": recall,
            }
        )
    return rows


def mean_recall_of(recall: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    """Return the mean of recalls with its 95% interval, as ``mean_recall`` and ``mean_recall_interval``.

    The interval follows from those of the recalls: their bounds' distances from the recalls add up as the errors of
    independent measurements do, as squares (Zou & Donner 2008).

    Args:
        recall: For each label its recall as ``share`` with ``interval``.
        labels: The labels that count.

    Example:
        >>> happy, sad = {"share": 0.8, "interval": [0.74, 0.88]}, {"share": 0.4, "interval": [0.32, 0.46]}
        >>> mean_recall_of({"happy": happy, "sad": sad}, ["happy", "sad"])
        {'mean_recall': 0.6, 'mean_recall_interval': [0.55, 0.65]}
    """
    shares = np.array([recall[label]["share"] for label in labels])
    ends = np.array([recall[label]["interval"] for label in labels])
    mean = float(shares.mean())
    below, above = (np.sqrt(((ends - shares[:, None]) ** 2).sum(axis=0)) / len(labels)).tolist()
    return {
        "mean_recall": round(mean, 4),
        "mean_recall_interval": [round(max(mean - below, 0.0), 4), round(min(mean + above, 1.0), 4)],
    }


def share_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table with the count, accuracy and mean recall of each group of `score_groups`."""
    return markdown_table(
        [
            {
                "group": row["group"],
                "n": row["n"],
                "accuracy": with_interval(row["accuracy"], row["interval"]),
                "mean recall": with_interval(row["mean_recall"], row["mean_recall_interval"]),
            }
            for row in rows
        ]
    )


def recall_table(rows: Sequence[Mapping[str, Any]], labels: Sequence[str] | None = None) -> str:
    """Return a Markdown table with each recall of each group of `score_groups`, the groups of a label side by side.

    Args:
        rows: The groups.
        labels: The labels to show; None for all that have images.
    """
    shown = labels or list(dict.fromkeys(label for row in rows for label in row["recall"]))
    return markdown_table(
        [
            {
                "expression": label,
                "group": row["group"],
                "n": row["recall"][label]["n"],
                "recall": with_interval(row["recall"][label]["share"], row["recall"][label]["interval"]),
            }
            for label in shown
            for row in rows
            if label in row["recall"]
        ]
    )


def _share(right: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the share of true values, with its count and interval."""
    share = float(right.mean())
    ends = wilson_interval(share, len(right))
    return {"share": round(share, 4), "n": len(right), "interval": [round(end, 4) for end in ends]}
