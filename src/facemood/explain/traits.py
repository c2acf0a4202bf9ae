"""The regions of a face that move in each expression, according to the Facial Action Coding System (FACS)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facemood.explain.regions import REGIONS
from facemood.facs import PROTOTYPES

MOVES: dict[int, tuple[str, ...]] = {
    1: ("brows", "forehead"),
    2: ("brows", "forehead"),
    4: ("brows",),
    5: ("eyes",),
    6: ("cheeks", "eyes"),
    7: ("eyes",),
    9: ("nose",),
    12: ("mouth", "cheeks"),
    14: ("mouth", "cheeks"),
    15: ("mouth",),
    16: ("mouth", "chin"),
    20: ("mouth",),
    23: ("mouth",),
    26: ("mouth", "chin"),
}
"""The regions in which each action unit is visible (Ekman, Friesen & Hager 2002, FACS manual)."""


def traits_of(label: str) -> tuple[str, ...]:
    """Return the regions that move in an expression, in the order of `REGIONS`; none for an unknown label.

    Example:
        >>> traits_of("happy"), traits_of("neutral")
        (('cheeks', 'mouth', 'eyes'), ())
    """
    moved = {region for unit in PROTOTYPES.get(label, ()) for region in MOVES[unit]}
    return tuple(region for region in REGIONS if region in moved)


def agreement(shares: NDArray[np.float32], areas: NDArray[np.float32], label: str) -> tuple[float, float]:
    """Compare an explanation with the regions that FACS names for an expression.

    Args:
        shares: (R,) each region's share of the positive attribution, as `regions.shares_of` returns it.
        areas: (R,) each region's share of the image.
        label: The expression.

    Returns:
        The share of the positive attribution in these regions, 0..1, and their share of the area, which an even
        attribution would have there. NaN if FACS names no region.

    Example:
        >>> even = np.full(8, 1 / 8, np.float32)
        >>> agreement(even, even, "disgust")
        (0.375, 0.375)
    """
    traits = traits_of(label)
    if not traits:
        return float("nan"), float("nan")
    columns = [REGIONS.index(region) for region in traits]
    return float(shares[columns].sum()), float(areas[columns].sum())
