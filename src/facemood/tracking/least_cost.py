"""The linear assignment problem: match faces to tracks at the lowest total cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats

Doubles = NDArray[np.float64]


def assign(costs: Floats, limit: float) -> list[tuple[int, int]]:
    """Solve the assignment problem: match rows to columns at the lowest total cost; an unmatched row costs `limit`.

    This is the Hungarian method with shortest augmenting paths (Kuhn 1955; Jonker & Volgenant 1987). It takes at most
    R * R * (R + C) steps for R rows and C columns: less than a millisecond for ten faces.

    Args:
        costs: (R, C) float32.
        limit: Every pair costs less than this.

    Returns:
        Pairs (row, column), in the order of the rows.

    Example:
        >>> assign(np.array([[0.1, 0.2], [0.2, 0.9]], np.float32), 1.0)
        [(0, 1), (1, 0)]
    """
    rows, columns = costs.shape
    alone = np.full((rows, rows), limit)  # one more column for each row, to stay unpaired
    table = np.concatenate([np.where(costs < limit, costs, 2 * limit + 1), alone], axis=1)
    owner = np.full(columns + rows + 1, -1)  # the row of each column; the last column is where a path begins
    price_row, price_column = np.zeros(rows), np.zeros(columns + rows + 1)
    for row in range(rows):
        _augment(table, owner, price_row, price_column, row)
    return sorted((int(owner[column]), column) for column in range(columns) if owner[column] >= 0)


def _augment(table: Doubles, owner: NDArray[np.int64], price_row: Doubles, price_column: Doubles, row: int) -> None:
    """Match one more row along the shortest augmenting path; changes all arguments but `table`."""
    start = table.shape[1]
    owner[start], column = row, start
    least, came = np.full(start, np.inf), np.full(start, start)
    done = np.zeros(start + 1, bool)
    while owner[column] >= 0:
        done[column] = True
        own = owner[column]
        reduced = table[own] - price_row[own] - price_column[:start]
        better = ~done[:start] & (reduced < least)
        least[better], came[better] = reduced[better], column
        following = int(np.where(done[:start], np.inf, least).argmin())
        step = least[following]
        price_row[owner[done]] += step
        price_column[done] -= step
        least[~done[:start]] -= step
        column = following
    while column != start:
        owner[column] = owner[came[column]]
        column = int(came[column])
    owner[start] = -1
