"""The Facial Action Coding System (FACS): a table of action units, the prototypes of expressions, and their comparison.

A unit is written with two digits: ``AU04``. If a unit has two sides, ``AU04R`` and ``AU04L`` are the subject's right
and left. Units and muscles are those of Ekman, Friesen & Hager, Facial Action Coding System (2002). The measures are
our own, after the works in `ActionUnit.sources`. No faces coded by trained FACS coders were available to test them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from facemood.text import joined

POINTS = "points"
"""A unit that is measured on landmarks."""

PIXELS = "pixels"
"""A unit that is measured on pixels."""

LEARNED = "learned"
"""A unit that a trained model measures, on landmarks and pixels."""

MANUAL = "Ekman, Friesen & Hager 2002"
"""The FACS manual: units, names, muscles."""

TIAN = "Tian, Kanade & Cohn 2001"
"""Distances between landmarks as measures of units."""

DU = "Du, Tao & Martinez 2014"
"""How often people show units when they pose an expression."""

EMFACS = "Friesen & Ekman 1983"
"""The units of expressions."""

SOUKUPOVA = "Soukupová & Čech 2016"
"""The eye aspect ratio."""


class ActionUnit(NamedTuple):
    """One action unit of FACS.

    Attributes:
        number: Its number in FACS.
        name: Its name there.
        muscle: The muscles that move.
        part: ``"upper"`` or ``"lower"`` face, as FACS divides it.
        sided: Whether each side of the face is measured separately.
        measure: The measure on landmarks, in words. Distances are in units of the distance of the outer eye corners.
        way: How it is measured: by that measure on `POINTS`; on `PIXELS`; or by a trained model on points and pixels
            (`LEARNED`), because the measure alone is poor.
        sources: Works that describe the movement and similar measures. The choice of landmarks and the conversion to an
            intensity are our own.
        limits: Known confusions and misses.
    """

    number: int
    name: str
    muscle: str
    part: str
    sided: bool
    measure: str
    way: str
    sources: tuple[str, ...]
    limits: str

    @property
    def code(self) -> str:
        """The unit's name in tables, such as ``AU04``."""
        return f"AU{self.number:02}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The code, followed by the codes of the right and left side if it has two sides."""
        return (self.code, f"{self.code}R", f"{self.code}L") if self.sided else (self.code,)


UNITS = (
    ActionUnit(
        1, "inner brow raiser", "frontalis, pars medialis", "upper", True,
        "height of the inner third of the brow above the eyes' corners",
        POINTS, (MANUAL, TIAN),
        "naturally high brows; a head that looks up further than was estimated",
    ),
    ActionUnit(
        2, "outer brow raiser", "frontalis, pars lateralis", "upper", True,
        "height of the outer third of the brow above the eyes' corners",
        POINTS, (MANUAL, TIAN),
        "naturally arched brows; hair over the brow",
    ),
    ActionUnit(
        4, "brow lowerer", "corrugator supercilii, depressor supercilii", "upper", True,
        "inner brow low, and near to the other one",
        LEARNED, (MANUAL, TIAN, DU),
        "naturally low brows, glasses; a frown that does not move the brows shows only in the pixels",
    ),
    ActionUnit(
        5, "upper lid raiser", "levator palpebrae superioris", "upper", True,
        "distance from lower to upper lid",
        POINTS, (MANUAL, TIAN),
        "naturally large eyes; the white above the iris is not visible on small faces",
    ),
    ActionUnit(
        6, "cheek raiser", "orbicularis oculi, pars orbitalis", "upper", True,
        "height of the lower lid above the eyes' corners",
        LEARNED, (MANUAL, TIAN, DU),
        "comes with broad smiles and is hard to distinguish from them; crow's feet need a sharp image",
    ),
    ActionUnit(
        7, "lid tightener", "orbicularis oculi, pars palpebralis", "upper", True,
        "small distance from lower to upper lid",
        POINTS, (MANUAL, TIAN),
        "naturally narrow eyes, a look down; weak evidence",
    ),
    ActionUnit(
        9, "nose wrinkler", "levator labii superioris alaeque nasi", "lower", True,
        "height of the wing of the nose, and a low inner brow",
        LEARNED, (MANUAL, TIAN, DU),
        "wrinkles are not visible on small faces; open mouths pull the wings up too",
    ),
    ActionUnit(
        10, "upper lip raiser", "levator labii superioris", "lower", True,
        "small distance from the wing of the nose to the upper lip",
        LEARNED, (MANUAL, TIAN, DU),
        "broad smiles shorten the same distance",
    ),
    ActionUnit(
        12, "lip corner puller", "zygomaticus major", "lower", True,
        "lip corner far outside, and high above the middle of the lips",
        POINTS, (MANUAL, TIAN),
        "naturally wide mouths; a stretched mouth whose corners do not sink",
    ),
    ActionUnit(
        14, "dimpler", "buccinator", "lower", True,
        "lip corner far outside on closed lips, without being raised",
        LEARNED, (MANUAL, EMFACS),
        "trained on 16 times fewer faces than the other units, except those of disgust; weak evidence",
    ),
    ActionUnit(
        15, "lip corner depressor", "depressor anguli oris", "lower", True,
        "lip corner low below the middle of the lips",
        LEARNED, (MANUAL, TIAN, DU),
        "naturally drooping corners of the mouth, beards",
    ),
    ActionUnit(
        16, "lower lip depressor", "depressor labii inferioris", "lower", False,
        "distance from the middle of the lips to the lower edge of the lower lip",
        POINTS, (MANUAL,),
        "every open mouth; a full lower lip",
    ),
    ActionUnit(
        17, "chin raiser", "mentalis", "lower", False,
        "small distance from the lower lip to the chin",
        LEARNED, (MANUAL, TIAN, DU),
        "a short chin; the chin is the least exact of the landmarks",
    ),
    ActionUnit(
        20, "lip stretcher", "risorius with platysma", "lower", True,
        "lip corner far outside, and not above the upper lip",
        LEARNED, (MANUAL, TIAN, DU),
        "smiles and open mouths widen the mouth as well; weak evidence",
    ),
    ActionUnit(
        23, "lip tightener", "orbicularis oris", "lower", False,
        "thin lips on a narrow mouth",
        POINTS, (MANUAL, TIAN),
        "naturally thin lips; hard to distinguish from AU24",
    ),
    ActionUnit(
        24, "lip pressor", "orbicularis oris", "lower", False,
        "thin lips on a narrow mouth that is closed",
        POINTS, (MANUAL, TIAN),
        "naturally thin lips; hard to distinguish from AU23",
    ),
    ActionUnit(
        25, "lips part", "depressor labii inferioris, or relaxed mentalis", "lower", False,
        "gap between the lips",
        POINTS, (MANUAL, TIAN),
        "teeth and moustaches; talking",
    ),
    ActionUnit(
        26, "jaw drop", "masseter relaxed, temporalis", "lower", False,
        "gap between the lips, and distance from nose to chin",
        POINTS, (MANUAL, TIAN),
        "naturally long chins; talking",
    ),
    ActionUnit(
        27, "mouth stretch", "pterygoids, digastric", "lower", False,
        "gap between the lips, less the mouth's width",
        POINTS, (MANUAL, TIAN),
        "talking, yawning, singing",
    ),
    ActionUnit(
        43, "eyes closed", "levator palpebrae superioris relaxed", "upper", True,
        "few upright edges about the eye; by points alone: small height over width",
        PIXELS, (MANUAL, SOUKUPOVA),
        "a look down; glasses, and eyes in deep shadow",
    ),
)  # fmt: skip
"""The units that are measured, by number."""

CODES = tuple(unit.code for unit in UNITS)
"""The units' names in tables."""

KEYS = tuple(key for unit in UNITS for key in unit.keys)
"""All keys of `Face.action_units`: each unit, followed by its right and left side if it has two sides."""

NAMES = {unit.code: unit.name for unit in UNITS}
"""FACS name of each unit, by code."""

PROTOTYPES: dict[str, tuple[int, ...]] = {
    "angry": (4, 5, 7, 23),
    "disgust": (9, 15, 16),
    "fear": (1, 2, 4, 5, 7, 20, 26),
    "happy": (6, 12),
    "sad": (1, 4, 15),
    "surprise": (1, 2, 5, 26),
    "neutral": (),
    "contempt": (12, 14),
}
"""Units of each expression's prototype (Friesen & Ekman 1983, EMFACS-7). A neutral face has none. Contempt is
one-sided."""

SHARES: dict[str, dict[int, float]] = {
    "angry": {4: 1, 7: 1, 24: 1, 10: 0.26, 17: 0.52, 23: 0.29},
    "disgust": {9: 1, 10: 1, 17: 1, 4: 0.31, 24: 0.26},
    "fear": {1: 1, 4: 1, 20: 1, 25: 1, 2: 0.57, 5: 0.63, 26: 0.33},
    "happy": {12: 1, 25: 1, 6: 0.51},
    "sad": {4: 1, 15: 1, 1: 0.60, 6: 0.50, 17: 0.67},
    "surprise": {1: 1, 2: 1, 25: 1, 26: 1, 5: 0.66},
    "neutral": {},
    "contempt": {12: 1, 14: 1},
}
"""Share of people, 0..1, who show a unit when they pose an expression (Du, Tao & Martinez 2014, table 1; shares above
0.7 count as 1, and units that are not measured here are left out). Contempt, which they do not have, is from EMFACS."""

ACTIVE = 0.5
"""Intensity, 0..1, from which a unit counts as active: the middle of the logistic function that gives intensities."""

ABSENT = 0.25
"""Intensity, 0..1, below which a unit counts as absent. In between, it counts neither for nor against anything."""

SILENT = (16, 25, 26, 27, 43)
"""Units that contradict no expression, because talking opens the mouth and blinking closes the eyes."""


def evidence(label: str, units: Mapping[str, float]) -> tuple[list[str], list[str], list[str]]:
    """Compare a face's action units with the prototype of an expression.

    Args:
        label: The expression.
        units: Intensities 0..1 by code, as `Face.action_units` holds them.

    Returns:
        Three lists of codes, each by number: active units of the prototype; absent units of it; and active units of
        other prototypes that people do not show with this expression.

    Example:
        >>> evidence("happy", {"AU04": 0.8, "AU06": 0.1, "AU12": 0.9, "AU25": 0.7})
        (['AU12'], ['AU06'], ['AU04'])
    """
    prototype, shown = PROTOTYPES.get(label, ()), SHARES.get(label, {})
    known = [unit for unit in UNITS if unit.code in units]
    active = [unit for unit in known if units[unit.code] >= ACTIVE]
    foreign = {number for other in PROTOTYPES.values() for number in other} - {*prototype, *shown, *SILENT}
    return (
        [unit.code for unit in active if unit.number in prototype],
        [unit.code for unit in known if unit.number in prototype and units[unit.code] < ABSENT],
        [unit.code for unit in active if unit.number in foreign],
    )


def describe(label: str, units: Mapping[str, float]) -> str:
    """Describe in words which action units support an expression and which contradict it.

    Args:
        label: The expression.
        units: Intensities 0..1 by code; empty if none could be measured.

    Example:
        >>> describe("happy", {"AU06": 0.1, "AU12": 0.9})
        'happy: AU12 lip corner puller (0.90) supports it; AU06 cheek raiser (0.10) is absent.'
        >>> describe("sad", {})
        'sad: no action units were measured; the face is turned away, covered, or partly outside of the image.'
    """
    if not units:
        return (
            f"{label}: no action units were measured; the face is turned away, covered, or partly outside of the image."
        )
    if label not in PROTOTYPES:
        return f"{label}: FACS has no prototype of it."
    supporting, absent, contradicting = evidence(label, units)
    clauses = [
        _clause(supporting, units, "supports it", "support it"),
        _clause(absent, units, "is absent", "are absent"),
        _clause(contradicting, units, "contradicts it", "contradict it"),
    ]
    words = "; ".join(clause for clause in clauses if clause)
    return f"{label}: {words or 'no unit supports or contradicts it'}."


def _clause(codes: list[str], units: Mapping[str, float], one: str, several: str) -> str:
    """Return a clause on some units, with names and intensities; empty for no units."""
    if not codes:
        return ""
    named = [f"{code} {NAMES[code]} ({units[code]:.2f})" for code in codes]
    return f"{joined(named)} {one if len(named) == 1 else several}"
