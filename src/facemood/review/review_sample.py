"""The sample of a review: which moments are labelled, in which order, as a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from facemood.atomic import replacing
from facemood.errors import OutputConflictError, SourceError
from facemood.review.moments import Moment, Origin
from facemood.review.result_tables import ResultTables, all_labels
from facemood.review.sampling import UNIFORM, draw, weigher

SCHEMA = 1
"""Version of the sample's file."""

MARK = "facemood_review"
"""Key that marks a file as the sample of a review; its value is `SCHEMA`."""

SAMPLE_FILE = "sample.json"
"""File of the sample in the folder of a review."""

COUNT = 100
"""Moments of a sample, unless a number is given."""


@dataclass(frozen=True, slots=True)
class ReviewSample:
    """The moments of a review.

    Attributes:
        seed: Seed of the samples.
        labels: The labels that raters can choose.
        counts: Number of faces with each label, of which the samples were drawn.
        kinds: IDs of the moments of each kind of sample, in the order in which they were drawn.
        moments: All moments by ID, in the order in which they are labelled.
    """

    seed: int
    labels: tuple[str, ...]
    counts: Mapping[str, int]
    kinds: Mapping[str, tuple[str, ...]]
    moments: Mapping[str, Moment]

    def kinds_of(self, moment: str) -> list[str]:
        """Return the kinds of samples that a moment belongs to."""
        return [kind for kind, members in self.kinds.items() if moment in members]


def read_sample(folder: Path) -> ReviewSample | None:
    """Return the sample in the folder of a review; None if there is none.

    Raises:
        OutputConflictError: The file is damaged, or is something else.
    """
    path = folder / SAMPLE_FILE
    try:
        found = json.loads(path.read_bytes())
        if found[MARK] != SCHEMA:
            raise ValueError(f"its version is {found[MARK]}, expected {SCHEMA}")
        moments = [_moment_of(values) for values in found["moments"]]
        kinds = {kind: tuple(members) for kind, members in found["samples"].items()}
        return ReviewSample(
            int(found["seed"]), tuple(found["labels"]), found["counts"], kinds, {one.id: one for one in moments}
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputConflictError(
            f"{path}: is not the sample of a review ({error}); move it away, or give another folder with --labels"
        ) from None


def draw_sample(
    tables: ResultTables, kind: str, count: int, seed: int | None, known: ReviewSample | None
) -> ReviewSample:
    """Draw a sample of a kind, and add it to those that are there.

    Raises:
        SourceError: There is no face, or no file of one.
        OutputConflictError: The results are not those of which the known samples were drawn.
    """
    weigher(kind, {})  # an unknown kind is refused before the tables are read
    counts = tables.counts()
    if not counts:
        told = next(filter(None, tables.problems.values()), "")
        raise SourceError(told or f"{tables.folder}: no face with a prediction is in these tables; nothing to review")
    seed = seed or 0
    drawn = draw(tables.moments(), count, seed=seed, weigh=weigher(kind, counts))
    made = ReviewSample(
        seed,
        all_labels(tables.labels, counts),
        Counter(counts),
        {kind: tuple(one.id for one in drawn)},
        {one.id: one for one in drawn},
    )
    return made if known is None else _joined(tables.folder, known, made)


def _joined(folder: Path, known: ReviewSample, made: ReviewSample) -> ReviewSample:
    """Return the known samples with one more, or with a larger one in place of a smaller one.

    Raises:
        OutputConflictError: They are not of the same results.
    """
    (kind,) = made.kinds
    before = known.kinds.get(kind, ())
    same = made.kinds[kind][: len(before)] == before
    same &= (dict(made.counts), made.labels) == (dict(known.counts), known.labels)
    same &= all(replace(known.moments.get(one.id, one), origin=one.origin) == one for one in made.moments.values())
    if not same:
        raise OutputConflictError(
            f"{folder}: the results, or the files that can be found, are not those of which this sample was drawn; "
            "the labels stay there. Begin another review with --labels FOLDER"
        )
    kinds, moments = {**known.kinds, **made.kinds}, {**known.moments, **made.moments}
    order = dict.fromkeys(member for one in sorted(kinds, key=_first_uniform) for member in kinds[one])
    return replace(made, kinds=kinds, moments={one: moments[one] for one in order})


def _first_uniform(kind: str) -> tuple[bool, str]:
    """Return by what kinds of samples are sorted: the uniform one is labelled first."""
    return kind != UNIFORM, kind


def write_sample(folder: Path, sample: ReviewSample) -> None:
    """Write a sample."""
    known = {
        MARK: SCHEMA,
        "seed": sample.seed,
        "labels": sample.labels,
        "counts": sample.counts,
        "samples": sample.kinds,
        "moments": [asdict(moment) for moment in sample.moments.values()],
    }
    with replacing(folder / SAMPLE_FILE, encoding="ascii") as file:
        json.dump(known, file, indent=1)


def _moment_of(values: Mapping[str, Any]) -> Moment:
    """Return the moment in a file of a sample."""
    x1, y1, x2, y2 = values["box"]
    return Moment(**{**values, "origin": Origin(*values["origin"]), "box": (x1, y1, x2, y2)})
