"""The columns of labels, and all columns of a table of faces.

A model's labels are those that `facemood.labels.check_labels` accepts. A label that is also the name of another column,
in whatever case, gets the prefix `PREFIX` in the table, and only there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from facemood.errors import OptionError
from facemood.labels import EXPRESSIONS, check_labels
from facemood.table.column import Column, Value
from facemood.table.fixed_columns import (
    ANGLE_COLUMNS,
    DESIGN_COLUMNS,
    DISPLAY_COLUMN,
    FACE_COLUMNS,
    FRAME_COLUMNS,
    LABEL_COLUMNS,
    REPEATED_COLUMN,
    UNIT_COLUMNS,
    further_column,
    measure_column,
    number_of_face,
    of_segment,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facemood.schema import Face

RAW = "raw"
"""Variant of a probability in videos: predicted from the single frame, without smoothing."""

CHANGE = "change"
"""Variant of a probability in videos: its log-odds minus those of the person's neutral baseline."""

VARIANTS = (RAW, CHANGE)
"""All variants of a probability, in the order of their columns."""

REPEATED = "repeated"
"""Stands beside the variants of a run that marks frames that look like the last one that was read."""

Design = tuple[tuple[str, str], ...]
"""Name and type of each of a plan's own columns."""

Measures = tuple[tuple[str, str], ...]
"""Name and formula of each derived measure of a face; valence and arousal have no formula (`facemood.derived`)."""

PREFIX = "label"
"""Prefix of the column of a label that is also the name of another column, as in ``label_score``."""

_OTHERS = (
    *FRAME_COLUMNS,
    *FACE_COLUMNS,
    *LABEL_COLUMNS,
    *UNIT_COLUMNS,
    *ANGLE_COLUMNS,
    DISPLAY_COLUMN,
    REPEATED_COLUMN,
    *DESIGN_COLUMNS,
)
"""All columns whose names do not come from labels."""

TAKEN = frozenset(name.casefold() for name in (*(column.name for column in _OTHERS), *EXPRESSIONS))
"""Names that the column of another label cannot have, in lower case."""


def column_name(label: str) -> str:
    """Return the name of a label's column: the label, with `PREFIX` if another column could have that name.

    Names that differ only in case count as one, because to SQL they are one.

    Example:
        >>> column_name("happy"), column_name("score"), column_name("raw_happy"), column_name("label_score")
        ('happy', 'label_score', 'label_raw_happy', 'label_label_score')
        >>> column_name("Happy"), column_name("au12")
        ('label_Happy', 'label_au12')
    """
    if label in EXPRESSIONS:
        return label
    plain, prefixes = label.casefold(), tuple(f"{word}_" for word in (PREFIX, *VARIANTS))
    return f"{PREFIX}_{label}" if plain in TAKEN or plain.startswith(prefixes) else label


def is_free_name(name: str) -> bool:
    """Return whether a column of a study's plan may have a name: it is printable, and no other column has it.

    Example:
        >>> is_free_name("age"), is_free_name("score"), is_free_name("happy"), is_free_name("raw_age")
        (True, False, False, False)
    """
    return bool(name) and name.isprintable() and name not in EXPRESSIONS and column_name(name) == name


def distinct_names(labels: Sequence[str]) -> dict[str, str]:
    """Return for each label the name that its columns are made from: itself, or with `PREFIX` if it is needed.

    Of labels that differ only in case, the first keeps its name; one of `labels.EXPRESSIONS` comes before others.

    Example:
        >>> distinct_names(["Bored", "BORED", "Happy", "happy"])
        {'happy': 'happy', 'Bored': 'Bored', 'BORED': 'label_BORED', 'Happy': 'label_Happy'}
    """
    names: dict[str, str] = {}
    used = set[str]()
    for label in sorted(labels, key=lambda label: label not in EXPRESSIONS):
        names[label] = label
        while names[label].casefold() in used:
            names[label] = f"{PREFIX}_{names[label]}"
        used.add(names[label].casefold())
    return names


def _by_label(values: NDArray[Any] | None, face: Face, label: str) -> float | None:
    """Return the value of one label from an array (K,); None if the face has none."""
    return None if values is None or label not in face.labels else float(values[face.labels.index(label)])


def _probability(label: str, name: str, known: tuple[str, ...]) -> Column:
    """Return the column of a label's probability."""
    missing = "; always empty, because the model does not have this label" if known and label not in known else ""
    return number_of_face(
        column_name(name), f"Probability of the label {label}{missing}",
        lambda face: _by_label(face.probabilities, face, label), "emotions", label,
    )  # fmt: skip


def _variant(kind: str, label: str, name: str) -> Column:
    """Return the column of a variant of a label's probability."""
    if kind == RAW:
        return number_of_face(
            f"{RAW}_{name}", f"Probability of the label {label} in the single frame, before smoothing",
            lambda face: _by_label(face.raw_probabilities, face, label), "raw_emotions", label,
        )  # fmt: skip
    return number_of_face(
        f"{CHANGE}_{name}", f"Log-odds of the label {label} minus their mean during the person's neutral baseline",
        lambda face: _by_label(face.change, face, label), "change", label, unit="log-odds", range="",
    )  # fmt: skip


@functools.lru_cache(maxsize=64)
def columns_for(
    labels: tuple[str, ...], variants: tuple[str, ...] = (), design: Design | None = None, measures: Measures = ()
) -> tuple[Column, ...]:
    """Return the columns of a table of faces.

    Args:
        labels: The model's labels.
        variants: Variants of the probabilities in a table of videos, some of `VARIANTS`; and `REPEATED`, if frames that
            look alike are marked.
        design: The plan's own columns; None for a table without a plan.
        measures: The derived measures.

    Returns:
        The columns of every table, then the model's labels that are not in `labels.EXPRESSIONS`, then the columns of
        videos, then the derived measures, then the columns of the study's plan.

    Raises:
        ValueError: `labels.check_labels` refuses the labels.
        OptionError: A column of the plan is called like one of the table.

    Example:
        >>> [column.name for column in columns_for(("happy", "bored"), (RAW,))][-5:]
        ['roll', 'bored', 'display_label', 'raw_happy', 'raw_bored']
    """
    check_labels(labels)
    names = distinct_names(labels)
    columns = (
        *FRAME_COLUMNS,
        *FACE_COLUMNS,
        *LABEL_COLUMNS,
        *(_probability(label, label, labels) for label in EXPRESSIONS),
        *UNIT_COLUMNS,
        *ANGLE_COLUMNS,
        *(_probability(label, names[label], labels) for label in labels if label not in EXPRESSIONS),
        *([DISPLAY_COLUMN] if variants else []),
        *(_variant(kind, label, names[label]) for kind in VARIANTS if kind in variants for label in labels),
        *([REPEATED_COLUMN] if REPEATED in variants else []),
        *(measure_column(name, formula) for name, formula in measures),
    )
    return (
        columns
        if design is None
        else (*columns, *DESIGN_COLUMNS, *further_columns((*columns, *DESIGN_COLUMNS), design))
    )


def further_columns(
    columns: Sequence[Column], design: Design, read: Callable[[str], Callable[[Any], Value]] = of_segment
) -> list[Column]:
    """Return the columns of the plan's own columns, none of which may be called like another.

    Args:
        columns: The other columns of the table.
        design: Name and type of each of the plan's own columns.
        read: Returns for a name how its value is read from the source of a row.

    Raises:
        OptionError: A name is taken.
    """
    taken = {column.name.casefold() for column in columns}
    for name, _ in design:
        if name.casefold() in taken:
            raise OptionError(f"the plan has a column {name!r}, and so has the table; rename that of the plan")
    return [further_column(name, kind, read(name)) for name, kind in design]


@functools.lru_cache(maxsize=64)
def face_columns(labels: tuple[str, ...]) -> tuple[Column, ...]:
    """Return the columns for the JSON of a face, labels in the model's order; without units, which have sides there."""
    return (
        *FACE_COLUMNS,
        *ANGLE_COLUMNS,
        *LABEL_COLUMNS,
        DISPLAY_COLUMN,
        *(_probability(label, label, labels) for label in labels),
        *(_variant(kind, label, label) for kind in VARIANTS for label in labels),
    )
