"""The Facial Action Coding System: its units in one table, what expressions are made of, and what that says of a face.

A unit is written as its number in two digits: ``AU04``. Where a unit has two sides, ``AU04R`` and ``AU04L`` are the
subject's right and left. The units and their muscles are those of Ekman, Friesen & Hager, Facial Action Coding System
(2002); how each is read, and how badly, is our own, and `ActionUnit.sources` tells what that goes by. No face that was
coded by people trained in FACS was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from facemood.text import joined

POINTS, PIXELS, LEARNED = "points", "pixels", "learned"
"""The ways in which units are read."""

MANUAL = "Ekman, Friesen & Hager 2002"
TIAN = "Tian, Kanade & Cohn 2001"
DU = "Du, Tao & Martinez 2014"
EMFACS = "Friesen & Ekman 1983"
SOUKUPOVA = "Soukupová & Čech 2016"

WORKS = {
    MANUAL: "Facial Action Coding System, 2nd edition: the unit, its name, its muscle, and what it changes in a face",
    TIAN: "Recognizing action units for facial expression analysis, IEEE TPAMI 23(2): such distances of brows, lids "
    "and lips as measures of units",
    DU: "Compound facial expressions of emotion, PNAS 111(15), table 1: how many of those who pose an expression show "
    "the unit, which teaches our model",
    EMFACS: "EMFACS-7: the units of expressions; for contempt, which Du, Tao & Martinez do not have, they teach our "
    "model",
    SOUKUPOVA: "Real-time eye blink detection using facial landmarks, CVWW: an eye's height over its width",
}
"""The works that units name as their sources, and what is taken from each."""


class ActionUnit(NamedTuple):
    """What is known of one unit.

    Attributes:
        number: Its number in FACS.
        name: Its name there.
        muscle: What moves.
        part: ``"upper"`` or ``"lower"`` face, as FACS divides it.
        sided: Whether each side of the face is read for itself.
        measure: What is measured on the points, in words; distances are in units of the outer corners of the eyes'.
        way: How it is read: by that measure of the `POINTS`; by a measure of `PIXELS`; or by a taught model that weighs
            points and pixels about it (`LEARNED`), because the measure alone is poor.
        sources: Who describes what moves, and measures of that kind; which points are measured, and how what is
            measured becomes an intensity, is our own.
        limits: What it is taken for, or misses.
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
        """Its number as it stands in tables, such as ``AU04``."""
        return f"AU{self.number:02}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Its code, and where it has two sides those of the right and of the left one."""
        return (self.code, f"{self.code}R", f"{self.code}L") if self.sided else (self.code,)


UNITS = (
    ActionUnit(
        1, "inner brow raiser", "frontalis, pars medialis", "upper", True,
        "height of the inner third of the brow above the eyes' corners",
        POINTS, (MANUAL, TIAN),
        "high brows at rest; a head that looks up more than was read",
    ),
    ActionUnit(
        2, "outer brow raiser", "frontalis, pars lateralis", "upper", True,
        "height of the outer third of the brow above the eyes' corners",
        POINTS, (MANUAL, TIAN),
        "arched brows at rest; hair over the brow",
    ),
    ActionUnit(
        4, "brow lowerer", "corrugator supercilii, depressor supercilii", "upper", True,
        "inner brow low, and near to the other one",
        LEARNED, (MANUAL, TIAN, DU),
        "low brows at rest, glasses; a frown without a change of the brows' place shows in pixels alone",
    ),
    ActionUnit(
        5, "upper lid raiser", "levator palpebrae superioris", "upper", True,
        "distance from lower to upper lid",
        POINTS, (MANUAL, TIAN),
        "large eyes at rest; the white above the iris is not seen on small faces",
    ),
    ActionUnit(
        6, "cheek raiser", "orbicularis oculi, pars orbitalis", "upper", True,
        "height of the lower lid above the eyes' corners",
        LEARNED, (MANUAL, TIAN, DU),
        "comes with broad smiles and is hardly told from them; crow's feet need a sharp picture",
    ),
    ActionUnit(
        7, "lid tightener", "orbicularis oculi, pars palpebralis", "upper", True,
        "small distance from lower to upper lid",
        POINTS, (MANUAL, TIAN),
        "narrow eyes at rest, a look down; weak evidence",
    ),
    ActionUnit(
        9, "nose wrinkler", "levator labii superioris alaeque nasi", "lower", True,
        "height of the wing of the nose, and a low inner brow",
        LEARNED, (MANUAL, TIAN, DU),
        "wrinkles are not seen on small faces; open mouths pull the wings up too",
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
        "wide mouths at rest; a stretched mouth whose corners do not sink",
    ),
    ActionUnit(
        14, "dimpler", "buccinator", "lower", True,
        "lip corner far outside on closed lips, without being raised",
        LEARNED, (MANUAL, EMFACS),
        "taught by 16 times as few faces as any other but for disgust; weak evidence",
    ),
    ActionUnit(
        15, "lip corner depressor", "depressor anguli oris", "lower", True,
        "lip corner low below the middle of the lips",
        LEARNED, (MANUAL, TIAN, DU),
        "mouths whose corners hang at rest, beards",
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
        "a short chin; the chin's place is the least exact of the points",
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
        "thin lips at rest; hardly told from AU24",
    ),
    ActionUnit(
        24, "lip pressor", "orbicularis oris", "lower", False,
        "thin lips on a narrow mouth that is closed",
        POINTS, (MANUAL, TIAN),
        "thin lips at rest; hardly told from AU23",
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
        "long chins at rest; talking",
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
"""The units that are read, by number."""

CODES = tuple(unit.code for unit in UNITS)
"""The units as they stand in tables."""

KEYS = tuple(key for unit in UNITS for key in unit.keys)
"""All that `Face.action_units` holds: the units, and after each that has two sides its right and its left one."""

NAMES = {unit.code: unit.name for unit in UNITS}
"""What each unit is called."""

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
"""The units of each expression's prototype (Friesen & Ekman 1983, EMFACS-7). A neutral face has none; contempt is
shown on one side."""

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
"""How many of those who pose an expression show a unit, 0..1 (Du, Tao & Martinez 2014, table 1, where more than 70% of
them count as all; units that we do not read are left out). For contempt, which they do not have, EMFACS stands."""

ACTIVE, ABSENT = 0.5, 0.25
"""From this intensity on a unit is said to be there, and below this one to be missing."""


SILENT = (16, 25, 26, 27, 43)
"""Units that speak against nothing: whoever talks opens the mouth, and whoever blinks closes the eyes."""


def evidence(label: str, units: Mapping[str, float]) -> tuple[list[str], list[str], list[str]]:
    """Weigh an expression against what the units of a face show.

    Args:
        label: The expression.
        units: Intensities 0..1 by code, as `Face.action_units` holds them.

    Returns:
        Codes of three kinds, each by number: units of its prototype that are there; units of it that are missing; and
        units of other prototypes that are there, and that those who show this expression do not show.

    Example:
        >>> evidence("happy", {"AU04": 0.8, "AU06": 0.1, "AU12": 0.9, "AU25": 0.7})
        (['AU12'], ['AU06'], ['AU04'])
    """
    wanted, welcome = PROTOTYPES.get(label, ()), SHARES.get(label, {})
    known = [unit for unit in UNITS if unit.code in units]
    there = [unit for unit in known if units[unit.code] >= ACTIVE]
    strange = {number for other in PROTOTYPES.values() for number in other} - {*wanted, *welcome, *SILENT}
    return (
        [unit.code for unit in there if unit.number in wanted],
        [unit.code for unit in known if unit.number in wanted and units[unit.code] < ABSENT],
        [unit.code for unit in there if unit.number in strange],
    )


def describe(label: str, units: Mapping[str, float]) -> str:
    """Say in words which units speak for an expression and which against it.

    Args:
        label: The expression.
        units: Intensities 0..1 by code; empty where none could be read.

    Example:
        >>> describe("happy", {"AU06": 0.1, "AU12": 0.9})
        'happy: AU12 lip corner puller (0.90) speaks for it; AU06 cheek raiser (0.10) is missing.'
        >>> describe("sad", {})
        'sad: no action units were read; the face is turned away, covered, or not wholly in the picture.'
    """
    if not units:
        return f"{label}: no action units were read; the face is turned away, covered, or not wholly in the picture."
    if label not in PROTOTYPES:
        return f"{label}: FACS has no prototype of it."
    speaking, missing, strange = evidence(label, units)
    said = [
        _clause(speaking, units, "speaks for it", "speak for it"),
        _clause(missing, units, "is missing", "are missing"),
        _clause(strange, units, "speaks against it", "speak against it"),
    ]
    words = "; ".join(part for part in said if part)
    return f"{label}: {words or 'no unit speaks for it or against it'}."


def _clause(codes: list[str], units: Mapping[str, float], one: str, several: str) -> str:
    """Return units with their names and intensities, and what they do; empty where there is none."""
    if not codes:
        return ""
    told = [f"{code} {NAMES[code]} ({units[code]:.2f})" for code in codes]
    return f"{joined(told)} {one if len(told) == 1 else several}"
