"""Evenly spaced rows: a sample that follows from its size alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(count: int, most: int) -> NDArray[np.int64]:
    """Return the indices of at most so many rows, spread evenly from the first row to the last.

    Args:
        count: How many rows there are.
        most: How many are wanted at most, 1 or more.

    Returns:
        (min(count, most),) int64, rising.

    Example:
        >>> evenly_spaced(10, 3).tolist(), evenly_spaced(2, 3).tolist(), evenly_spaced(0, 3).tolist()
        ([0, 4, 9], [0, 1], [])
    """
    return np.unique(np.linspace(0, count - 1, most).astype(np.int64)) if count else np.empty(0, np.int64)
