"""Derived measures of a face: valence, arousal, and the user's own expressions, which are formulas."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemood.affect import AROUSAL, VALENCE, valence_of
from facemood.errors import OptionError, did_you_mean
from facemood.facs import KEYS
from facemood.formula import FUNCTIONS, Formula
from facemood.schema import Face
from facemood.switches import check_switches
from facemood.table import Measures, column_name, distinct_names, is_free_name
from facemood.toml_text import parse_toml

DEFINITION = re.compile(r"\s*([^\W\d]\w*)\s*=(?!=)\s*(.*)", re.DOTALL)
"""An own expression on the command line: ``name = formula``."""

UNIT_LIKE = re.compile(r"AU\d+[RL]?", re.IGNORECASE)
"""A name that can be taken for that of an action unit."""

TABLE = "expressions"
"""Table of own expressions in a TOML file."""


@dataclass(frozen=True, slots=True)
class DerivedMeasures:
    """What is derived from the probabilities and the action units of each face.

    Attributes:
        valence: Whether there are valence and arousal.
        expressions: Name and formula of each own expression.

    Example:
        >>> import numpy as np
        >>> derived = DerivedMeasures.of(("happy", "sad"), valence=True, expressions={"doubt": "AU04 - AU12"})
        >>> face = Face(np.zeros(4, np.float32), 0.9, labels=("happy", "sad"), probabilities=np.array([0.75, 0.25]))
        >>> (measured,) = derived.add([dataclasses.replace(face, action_units={"AU04": 0.5, "AU12": 0.75})])
        >>> measured.measures
        {'valence': 0.5, 'doubt': 0.0}
    """

    valence: bool = False
    expressions: tuple[tuple[str, Formula], ...] = ()

    @classmethod
    def of(
        cls, labels: Sequence[str], *, valence: bool = False, expressions: Mapping[str, str] | None = None
    ) -> DerivedMeasures:
        """Return the measures for a model.

        Args:
            labels: The model's labels.
            valence: Whether there are valence and arousal.
            expressions: Formula of each own expression, by its name.

        Raises:
            OptionError: `valence` is no bool, a name is that of a column, or a formula is wrong or has unknown names.
        """
        check_switches(valence=valence)
        taken = {column_name(name).casefold() for name in distinct_names(labels).values()}
        for name in (VALENCE, AROUSAL) if valence else ():
            if name in taken:
                raise OptionError(f"the model has a label {name!r}, so that {name} cannot be derived; leave it out")
        taken |= {VALENCE, AROUSAL}
        found = []
        for name, text in (expressions or {}).items():
            _check_name(name, taken)
            taken.add(name.casefold())
            found.append((name, _parse(name, text, labels)))
        return cls(valence, tuple(found))

    @property
    def measures(self) -> Measures:
        """Name and formula of each measure, in the order of their columns; valence and arousal have no formula."""
        own = tuple((name, formula.text) for name, formula in self.expressions)
        return ((VALENCE, ""), (AROUSAL, ""), *own) if self.valence else own

    def info(self) -> dict[str, Any]:
        """Return the settings of a run; empty without measures."""
        return {"measures": [list(measure) for measure in self.measures]} if self.measures else {}

    def add(self, faces: Sequence[Face]) -> list[Face]:
        """Return faces with their measures; those that cannot be measured are left out, and so is arousal in photos."""
        return [self._add(face) for face in faces] if self.measures else list(faces)

    def _add(self, face: Face) -> Face:
        """Return one face with its measures. Its arousal was measured by `facemood.tracking`, if at all."""
        known = {**face.emotions, **face.action_units}
        values: dict[str, float | None] = {}
        if self.valence:
            values = {VALENCE: valence_of(face.emotions), AROUSAL: face.measures.get(AROUSAL)}
        for name, formula in self.expressions:
            value = formula.value(known)
            values[name] = None if value is None else min(max(value, 0.0), 1.0) + 0.0  # no -0.0
        return dataclasses.replace(face, measures={name: one for name, one in values.items() if one is not None})


def read_expressions(given: Sequence[str]) -> dict[str, str]:
    """Return the own expressions that the command line names.

    Args:
        given: Definitions such as ``"doubt = min(AU04, AU01) - AU12"``, and TOML files, whose names end in .toml. Their
            table ``[expressions]`` has a formula, as text, for each name.

    Raises:
        OptionError: One is neither, a file cannot be read, or a name is given twice.

    Example:
        >>> read_expressions(["doubt = min(AU04, AU01) - AU12"])
        {'doubt': 'min(AU04, AU01) - AU12'}
    """
    found: dict[str, str] = {}
    for text in given:
        for name, formula in _definitions(text):
            if name in found:
                raise OptionError(f"the expression {name!r} is defined twice; rename one of them")
            found[name] = formula
    return found


def _definitions(text: str) -> list[tuple[str, str]]:
    """Return the names and formulas of a definition, or of a file."""
    if text.lower().endswith(".toml"):
        return _read_toml(text)
    parts = DEFINITION.fullmatch(text)
    if parts is None:
        raise OptionError(
            "expected an expression such as 'doubt = min(AU04, AU01) - AU12', or a .toml file of them, but got "
            f"{text!r}"
        )
    return [(parts[1], parts[2].strip())]


def _read_toml(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Return the names and formulas of a TOML file."""
    try:
        content = parse_toml(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"{path}: the expressions cannot be read ({error}); expected a TOML file in UTF-8") from None
    table = content.get(TABLE)
    if not isinstance(table, dict) or not all(isinstance(formula, str) for formula in table.values()):
        raise OptionError(f'{path}: expected a table [{TABLE}] with lines such as doubt = "min(AU04, AU01) - AU12"')
    return list(table.items())


def _check_name(name: str, taken: set[str]) -> None:
    """Refuse a name of an own expression that is no name, or that another column has."""
    if not isinstance(name, str) or not name.isidentifier() or name in FUNCTIONS:
        raise OptionError(f"an expression's name has letters, digits and underscores, such as 'doubt', but is {name!r}")
    if not is_free_name(name) or UNIT_LIKE.fullmatch(name) or name.casefold() in taken:
        raise OptionError(f"the expression {name!r} is called like a column of the tables or like a unit; rename it")


def _parse(name: str, text: str, labels: Sequence[str]) -> Formula:
    """Return the formula of an own expression, whose names must be those of action units or labels."""
    try:
        formula = Formula(text)
    except OptionError as error:
        raise OptionError(f"the expression {name} = {text!r}: {error}") from None
    known = [*KEYS, *labels]
    for word in formula.names:
        if word not in known:
            raise OptionError(
                f"the expression {name} = {text!r}: {word!r} is no action unit and no label of the model; expected "
                f"AU01 to AU43, or {', '.join(labels)}.{did_you_mean(word, known)}"
            )
    return formula
