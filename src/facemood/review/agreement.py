"""How far two people, or a person and facemood, agree: Cohen's kappa with its interval, and confusion.

Kappa needs NumPy alone, so that a review needs no other extra; tests compare it with scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLES = 2000
"""Bootstrap samples. The ends of an interval vary by about 2% of its width from seed to seed."""

LEVEL = 0.95
"""Confidence level of intervals."""

FEWEST = 10
"""Fewest moments for an interval, and fewest inputs for drawing whole inputs: of fewer, a bootstrap says little."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two raters agree.

    Attributes:
        n: Moments that both labelled.
        agreed: Share of them with the same label, 0..1; NaN without moments.
        kappa: Cohen's kappa: 1 for full agreement, 0 for what chance gives; NaN if it is not defined.
        low: Lower end of the 95% interval of kappa; NaN below `FEWEST` moments.
        high: Upper end.
        unit: What the bootstrap drew: ``"input"`` (all moments of a photo or video together) or ``"moment"``.
    """

    n: int
    agreed: float
    kappa: float
    low: float
    high: float
    unit: str


def confusion(first: Sequence[str], second: Sequence[str], labels: Sequence[str]) -> NDArray[np.int64]:
    """Count the pairs of labels.

    Args:
        first: N labels of one rater: the rows.
        second: N labels of the other one: the columns.
        labels: The K labels.

    Returns:
        (K, K) int64.

    Example:
        >>> confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"]).tolist()
        [[1, 1], [0, 1]]
    """
    cells = _cells(first, second, labels)
    return np.bincount(cells, minlength=len(labels) ** 2).reshape(len(labels), len(labels))


def cohen_kappa(counts: NDArray[np.number]) -> NDArray[np.float64]:
    """Return Cohen's kappa (Cohen 1960): (p_o - p_e) / (1 - p_e).

    p_o is the share on the diagonal, p_e the share that is expected there if both raters choose independently with
    their own frequencies.

    Args:
        counts: (..., K, K) pairs of labels.

    Returns:
        (...) float64; NaN without pairs, and where both raters always chose the same single label.

    Example:
        >>> round(float(cohen_kappa(np.array([[20, 5], [10, 15]]))), 3)
        0.4
    """
    totals = counts.sum(axis=(-2, -1))
    shares = counts / np.maximum(totals, 1)[..., None, None]
    observed = np.trace(shares, axis1=-2, axis2=-1)
    expected = (shares.sum(axis=-1) * shares.sum(axis=-2)).sum(axis=-1)
    defined = (totals > 0) & (expected < 1 - 1e-12)
    kappa: NDArray[np.float64] = np.where(defined, (observed - expected) / np.where(defined, 1 - expected, 1), np.nan)
    return kappa


def compare(
    first: Sequence[str],
    second: Sequence[str],
    inputs: Sequence[str] | None = None,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Agreement:
    """Compare the labels of two raters for the same moments.

    The interval is a 95% percentile bootstrap interval. With `FEWEST` inputs or more, whole inputs are drawn, because
    the moments of a video are not independent of each other; with fewer, single moments are drawn, and the interval
    says nothing about other videos.

    Args:
        first: N labels of one rater.
        second: N labels of the other one.
        inputs: N names of the photos and videos; None if each moment is of another one.
        samples: Bootstrap samples.
        seed: Seed of the samples.

    Raises:
        ValueError: The lengths differ.

    Example:
        >>> compare(["happy", "sad"] * 10, ["happy", "sad"] * 10).kappa
        1.0
    """
    if len(first) != len(second):
        raise ValueError(f"expected as many labels of both raters, but got {len(first)} and {len(second)}")
    if inputs is not None and len(inputs) != len(first):
        raise ValueError(f"expected as many inputs as labels, but got {len(inputs)} and {len(first)}")
    number, labels = len(first), sorted({*first, *second})
    names = list(map(str, range(number))) if inputs is None else list(inputs)
    known, groups = np.unique(names, return_inverse=True) if number else (np.zeros(0), np.zeros(0, np.int64))
    unit = "input" if len(known) >= FEWEST else "moment"
    if unit == "moment":
        groups = np.arange(number)
    counts = confusion(first, second, labels)
    low, high = (
        _interval(_cells(first, second, labels), groups, len(labels), samples, seed)
        if number >= FEWEST
        else (np.nan, np.nan)
    )
    agreed = float(np.trace(counts)) / number if number else np.nan
    return Agreement(number, agreed, float(cohen_kappa(counts)), low, high, unit)


def _cells(first: Sequence[str], second: Sequence[str], labels: Sequence[str]) -> NDArray[np.int64]:
    """Return (N,) int64 the cell of the flattened confusion matrix of each pair."""
    place = {label: number for number, label in enumerate(labels)}
    pairs = [len(labels) * place[one] + place[other] for one, other in zip(first, second, strict=True)]
    return np.array(pairs, np.int64)


def _interval(
    cells: NDArray[np.int64], groups: NDArray[np.int64], labels: int, samples: int, seed: int
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of kappa, drawing whole groups; samples without a kappa are left out.

    Args:
        cells: (N,) int64 cells of the confusion matrix.
        groups: (N,) int64 number of the group of each pair, from 0.
        labels: Number of labels.
        samples: Bootstrap samples.
        seed: Seed of the samples.
    """
    number = int(groups.max()) + 1
    random = np.random.default_rng(seed)
    weights = random.multinomial(number, np.full(number, 1 / number), size=samples)  # how often each group is drawn
    tables = np.zeros((samples, labels * labels))
    for cell in np.unique(cells):
        in_groups = np.bincount(groups[cells == cell], minlength=number)
        tables[:, cell] = weights @ in_groups
    kappas = cohen_kappa(tables.reshape(samples, labels, labels))
    kappas = kappas[~np.isnan(kappas)]
    if not len(kappas):
        return np.nan, np.nan
    low, high = np.quantile(kappas, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
