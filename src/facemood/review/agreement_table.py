"""The agreement of a review: each pair of raters, and each rater with facemood, in each kind of sample."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facemood.codebooks import write_described_csv
from facemood.csv_dialect import PLAIN
from facemood.review.agreement import FEWEST, LEVEL, SAMPLES, Agreement, compare, confusion
from facemood.review.label_store import FACEMOOD, HARD_TO_TELL, LabelStore
from facemood.review.sampling import RARE, UNCERTAIN, UNIFORM
from facemood.table import INTEGER, NUMBER, SHARE_DECIMALS, STRING, Column, to_cells, values_of

CERTAIN = "facemood, certain answers"
"""facemood's answers of which it is certain, as a rater."""


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


def _number(name: str, meaning: str, span: str) -> Column:
    """Return the column of a number of `Agreement`; an empty cell for NaN."""

    def read(row: RatersCompared) -> float | None:
        value: float = getattr(row.agreement, name)
        return None if math.isnan(value) else value

    return Column(name, NUMBER, meaning, read, range=span, decimals=SHARE_DECIMALS)


COLUMNS: tuple[Column, ...] = (
    Column("sample", STRING, f"Kind of the sample: {UNIFORM}, {RARE} or {UNCERTAIN}", lambda row: row.sample),
    Column("first", STRING, "One rater", lambda row: row.first),
    Column("second", STRING, f"The other rater: a person, {FACEMOOD!r} or {CERTAIN!r}", lambda row: row.second),
    Column("n", INTEGER, "Moments that both labelled", lambda row: row.agreement.n, range="0.."),
    Column(
        "hard_to_tell", INTEGER, "Moments that are left out because one of the raters found them hard to tell",
        lambda row: row.hard_to_tell, range="0..",
    ),
    _number("agreed", "Share of the moments with the same label", "0..1"),
    _number("kappa", "Cohen's kappa: 1 for full agreement, 0 for what chance gives", "-1..1"),
    _number("low", f"Lower end of the {LEVEL:.0%} interval of kappa; empty below {FEWEST} moments", "-1..1"),
    _number("high", f"Upper end of the {LEVEL:.0%} interval of kappa; empty below {FEWEST} moments", "-1..1"),
    Column(
        "unit", STRING, "What the bootstrap drew: whole photos and videos (input), or single moments (moment)",
        lambda row: row.agreement.unit,
    ),
)  # fmt: skip
"""Columns of the table as CSV."""


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
    """Write the table of agreement as CSV, and its codebook beside it; what is not known is an empty cell.

    Raises:
        OutputConflictError: A file that facemood did not write stands where the codebook belongs; nothing is written.
        OutputError: A file cannot be written.
    """
    from facemood import __version__

    info = {"facemood": __version__, "bootstrap_samples": SAMPLES}
    cells = (to_cells(values_of(COLUMNS, row)) for row in rows)
    write_described_csv(path, COLUMNS, cells, info, dialect=PLAIN)


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
