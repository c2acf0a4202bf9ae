"""FER+ (Barsoum et al. 2016): ten people's votes on each FER2013 image, and the official rules for them.

The rules are those of the authors' script. Columns with a single vote are dropped as outliers. An image has a majority
label if one column has more than half of the remaining votes and that column is an expression.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.datasets.csv_rows import read_table, whole_number
from facemood.labels import EXPRESSIONS, FERPLUS_COLUMNS, canonical

EXPRESSION_COLUMNS = tuple(
    [canonical(column) for column in FERPLUS_COLUMNS].index(expression) for expression in EXPRESSIONS
)
"""Column of each of the eight expressions among the ten of FER+."""

HEADER = ("Usage", "Image name", *FERPLUS_COLUMNS)
"""Columns of FER+'s file of votes."""


def majority(votes: NDArray[np.float32]) -> NDArray[np.int64]:
    """Apply the official majority rule.

    Args:
        votes: (N, 10) counts in the order of `FERPLUS_COLUMNS`.

    Returns:
        (N,) int64 index into `EXPRESSIONS`, or -1 if there is no majority for an expression.

    Example:
        >>> votes = np.zeros((2, 10), np.float32)
        >>> votes[0, [0, 1]] = 2, 8     # neutral 2, happiness 8
        >>> votes[1, [0, 1]] = 5, 5     # no majority
        >>> majority(votes).tolist()
        [3, -1]
    """
    kept = np.where(votes > 1, votes, 0)
    winner = kept.argmax(axis=1)
    clear = kept.max(axis=1) > 0.5 * kept.sum(axis=1)
    position = np.full(votes.shape[1], -1, np.int64)
    position[list(EXPRESSION_COLUMNS)] = np.arange(len(EXPRESSIONS))
    return np.where(clear, position[winner], -1)


def distribution(votes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Turn votes into a distribution over the eight expressions, and return the share of votes behind it.

    Args:
        votes: (N, 10) counts in the order of `FERPLUS_COLUMNS`.

    Returns:
        (N, 8) float32, whose rows sum to 1 (or to 0 if no expression has more than one vote), and (N,) float32, the
        share 0..1 of the remaining votes that are for an expression.
    """
    kept = np.where(votes > 1, votes, 0).astype(np.float32)
    expressions = kept[:, EXPRESSION_COLUMNS]
    total = expressions.sum(axis=1)
    share = total / np.maximum(kept.sum(axis=1), 1)
    return expressions / np.maximum(total, 1)[:, None], share.astype(np.float32)


def read_votes(path: Path) -> NDArray[np.float32]:
    """Read ``fer2013new.csv``, which has one row for each FER2013 row, in the same order.

    Returns:
        (N, 10) float32 counts. Rows that FER+ leaves out (without an image name) are all zero.

    Raises:
        DatasetError: The file is not that table. The message names the row.
    """
    return np.array([_row_votes(row, where) for where, row in read_table(path, HEADER)], np.float32)


def _row_votes(row: dict[str, str], where: str) -> list[int]:
    """Return a row's ten counts, or zeros for an image that FER+ leaves out."""
    counts = [whole_number(row, column, where) for column in FERPLUS_COLUMNS]
    return counts if row["Image name"] else [0] * len(counts)
