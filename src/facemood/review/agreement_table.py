"""The agreement of a review: each pair of raters, and each rater with facemood, in each kind of sample."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.csv_dialect import csv_line
from facemood.review.agreement import Agreement, compare, confusion
from facemood.review.label_store import FACEMOOD, HARD_TO_TELL, LabelStore

CERTAIN = "facemood, certain answers"
"""facemood's answers of which it is certain, as a rater."""

COLUMNS = ("sample", "first", "second", "n", "hard_to_tell", "agreed", "kappa", "low", "high", "unit")
"""Columns of the table as CSV."""


@dataclass(frozen=True, slots=True)
class RatersCompared:
    """Two raters in one kind of sample.

    Attributes:
        sample: Kind of the sample.
        first: One rater.
        second: The other rater; `FACEMOOD`, or `CERTAIN`.
        agreement: How far they agree.
        hard_to_tell: Moments that are left out because one of them found them hard to tell.
        labels: The K labels.
        confusion: (K, K) int64 how often the first said one label (row) and the second another (column).
    """

    sample: str
    first: str
    second: str
    agreement: Agreement
    hard_to_tell: int
    labels: tuple[str, ...]
    confusion: NDArray[np.int64]


def compare_raters(store: LabelStore) -> list[RatersCompared]:
    """Compare all raters with each other and with facemood, by the labels from before its answer was shown.

    Args:
        store: The review.

    Returns:
        First people with facemood, then people with each other, sample by sample; pairs without a common moment are
        left out.
    """
    said = {rater: {one: given.label for one, given in labels.items()} for rater, labels in sorted(store.given.items())}
    moments = store.sample.moments
    answers = {
        FACEMOOD: {one: moment.label for one, moment in moments.items()},
        CERTAIN: {one: moment.label for one, moment in moments.items() if moment.certain},
    }
    pairs = [*itertools.product(said, answers), *itertools.combinations(said, 2)]
    everyone = {**answers, **said}
    found = [
        _compare(store, kind, members, first, second, everyone[first], everyone[second])
        for kind, members in store.sample.kinds.items()
        for first, second in pairs
    ]
    return [one for one in found if one.agreement.n or one.hard_to_tell]


def _compare(
    store: LabelStore,
    kind: str,
    members: tuple[str, ...],
    first: str,
    second: str,
    one: dict[str, str],
    other: dict[str, str],
) -> RatersCompared:
    """Compare two raters in one sample."""
    both = [member for member in members if member in one and member in other]
    clear = [member for member in both if HARD_TO_TELL not in (one[member], other[member])]
    inputs = [store.sample.moments[member].source for member in clear]
    pair = [one[member] for member in clear], [other[member] for member in clear]
    agreement, labels = compare(*pair, inputs), store.sample.labels
    return RatersCompared(kind, first, second, agreement, len(both) - len(clear), labels, confusion(*pair, labels))


def write_agreement(path: Path, rows: list[RatersCompared]) -> None:
    """Write the table of agreement as CSV; what is not known is an empty cell.

    Raises:
        OutputError: The file cannot be written.
    """
    with replacing(path, newline="", encoding="utf-8") as file:
        file.write(csv_line(COLUMNS))
        for row in rows:
            known = row.agreement
            file.write(
                csv_line(
                    (row.sample, row.first, row.second, known.n, row.hard_to_tell,
                     *_rounded(known.agreed, known.kappa, known.low, known.high), known.unit)
                )
            )  # fmt: skip


def _rounded(*values: float) -> Iterator[float | str]:
    """Yield numbers with 4 decimals, and an empty text for NaN."""
    yield from ("" if math.isnan(value) else round(value, 4) for value in values)


def number_text(value: float, *, decimals: int = 2) -> str:
    """Format a number, or a dash for NaN.

    Example:
        >>> number_text(0.614), number_text(float("nan"))
        ('0.61', '-')
    """
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"


def range_text(low: float, high: float) -> str:
    """Format an interval, or a dash if it is not known.

    Example:
        >>> range_text(0.5, 0.714), range_text(float("nan"), float("nan"))
        ('0.50 to 0.71', '-')
    """
    return "-" if math.isnan(low) else f"{number_text(low)} to {number_text(high)}"
