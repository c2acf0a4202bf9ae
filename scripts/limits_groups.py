"""Measure photos of faces by groups: labels of lighting, glasses and beards, and facemood's own yaw and tilt.

`measure_limits.py` reports them. The photos are in a folder with a table ``labels.csv`` (file, label). Two tables
(file, lighting, glasses, beard) hold what was seen in each photo, in two passes. A photo belongs to a group if both
passes say so. A missed face counts as wrong.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from facemood import EmotionRecognizer
from facemood.datasets.csv_rows import read_table
from facemood.evaluation.groups import mean_recall_of, score_groups
from facemood.schema import Face
from facemood.text import exact_percent, joined, markdown_table
from scripts.network_digest import digest

COUNTED = ("angry", "happy", "neutral", "sad", "surprise")
"""The expressions whose mean recall is counted; the others have too few photos."""

MODELS = ("default", "finder", "landmarks")
"""The models that read the photos."""

ATTRIBUTES = ("lighting", "glasses", "beard")
"""Columns of the tables of both passes."""

BOUNDS = {"yaw": (0, 10, 20, 91), "tilt": (0, 5, 10, 181)}
"""Bounds of the groups by estimated angle, in degrees to either side."""

MISSED = "not found"
"""Group by angle of the faces that were not found."""

ENOUGH = 10
"""Photos of an expression that both groups must have, so that their recalls are compared."""

Labels = NDArray[np.int64]


def measure_photos(folder: Path, passes: Sequence[Path]) -> dict[str, Any]:
    """Return the figures of all photos and of their groups.

    Args:
        folder: The photos, with ``labels.csv``.
        passes: The two tables of attributes.
    """
    known = {row["file"]: row["label"] for _, row in read_table(folder / "labels.csv", ("file", "label"))}
    seen = [{row["file"]: row for _, row in read_table(table, ("file", *ATTRIBUTES))} for table in passes]
    recognizer = EmotionRecognizer(threads=1)
    faces = [next(iter(recognizer.analyze_image(folder / file)), None) for file in known]
    labels = np.array([recognizer.labels.index(label) for label in known.values()])
    found = np.array([recognizer.labels.index(face.emotion) if face else -1 for face in faces])
    read = (found, labels, recognizer.labels)
    first, second = ({name: np.array([table[file][name] for file in known]) for name in ATTRIBUTES} for table in seen)
    return {
        "models": digests(),
        "n": len(known),
        "missed": sum(face is None for face in faces),
        "all": rows_of(np.full(len(known), "all"), *read)[0],
        "agreement": {name: agreement(first[name], second[name]) for name in ATTRIBUTES},
        "groups": {name: by_attribute(first[name], second[name], *read) for name in ATTRIBUTES},
        "angles": {name: rows_of(angle_groups(faces, name), *read) for name in BOUNDS},
    }


def digests() -> dict[str, str]:
    """Return the first digits of the SHA-256 of the files of the models that read the photos."""
    return {name: digest(name) for name in MODELS}


def agreement(first: NDArray[np.str_], second: NDArray[np.str_]) -> dict[str, Any]:
    """Return how well two passes agree: the number of photos with the same value, and Cohen's kappa (Cohen 1960).

    Example:
        >>> agreement(np.array(list("aabb")), np.array(list("aaba")))
        {'n': 4, 'same': 3, 'kappa': 0.5}
    """
    values = np.union1d(first, second)
    shares = [np.array([(one == value).mean() for value in values]) for one in (first, second)]
    same, by_chance = float((first == second).mean()), float((shares[0] * shares[1]).sum())
    kappa = 1.0 if by_chance == 1 else (same - by_chance) / (1 - by_chance)
    return {"n": len(first), "same": int((first == second).sum()), "kappa": round(kappa, 3)}


def by_attribute(
    first: NDArray[np.str_], second: NDArray[np.str_], found: Labels, labels: Labels, names: tuple[str, ...]
) -> dict[str, Any]:
    """Return the rows of the groups on which both passes agree, and the difference of the last from the first."""
    kept = first == second
    rows = rows_of(first[kept], found[kept], labels[kept], names)
    one, other = rows[0]["recall"], rows[-1]["recall"]
    shared = [label for label in COUNTED if all(group.get(label, {"n": 0})["n"] >= ENOUGH for group in (one, other))]
    known: dict[str, Any] = {"rows": rows, "expressions": shared, "difference": None, "interval": None}
    return known | (difference_of(*(mean_recall_of(recall, shared) for recall in (one, other))) if shared else {})


def difference_of(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, Any]:
    """Return by how much the last mean recall is above the first, and the 95% interval (Zou & Donner 2008)."""
    one, other = first["mean_recall"], last["mean_recall"]
    (one_low, one_high), (low, high) = first["mean_recall_interval"], last["mean_recall_interval"]
    below, above = math.hypot(other - low, one_high - one), math.hypot(high - other, one - one_low)
    ends = [round(other - one - below, 4), round(other - one + above, 4)]
    return {"difference": round(other - one, 4), "interval": ends}


def rows_of(groups: NDArray[np.str_], found: Labels, labels: Labels, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the rows of `score_groups`, with the mean recall over `COUNTED`."""
    rows = score_groups(found, labels, groups, names)
    return [row | mean_recall_of(row["recall"], [label for label in COUNTED if label in row["recall"]]) for row in rows]


def angle_groups(faces: Sequence[Face | None], name: str) -> NDArray[np.str_]:
    """Return the group of each face by its estimated yaw or tilt; a face that is not found has none."""
    place = {"yaw": 0, "tilt": 2}[name]
    bounds = [
        (low, high, f"{low}° to {high}°" if high < 90 else f"at least {low}°")
        for low, high in itertools.pairwise(BOUNDS[name])
    ]
    groups = []
    for face in faces:
        angle = np.nan if face is None or face.pose is None else abs(float(face.pose[place]))
        groups.append(next((text for low, high, text in bounds if low <= angle < high), MISSED))
    return np.array(groups)


def agreement_table(known: Mapping[str, Any]) -> str:
    """Return the table on the agreement of both passes."""
    return markdown_table(
        [
            {
                "attribute": name,
                "same in both passes": f"{row['same']} of {row['n']} ({exact_percent(row['same'] / row['n'])})",
                "Cohen's kappa": f"{row['kappa']:.2f}",
            }
            for name, row in known.items()
        ]
    )


def group_rows(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of all photos and of the groups by attribute, each with its attribute in its name."""
    found = known["groups"].items()
    return [known["all"], *(row | {"group": f"{name}: {row['group']}"} for name, one in found for row in one["rows"])]


def angle_rows(known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the groups by estimated yaw and tilt."""
    rows = [(name, row) for name, found in known["angles"].items() for row in found]
    return [row | {"group": f"{name}: {row['group']}"} for name, row in rows if row["group"] != MISSED]


def difference_table(known: Mapping[str, Any]) -> str:
    """Return the table of the differences between the groups of each attribute, in points."""
    rows = []
    for name, found in known.items():
        low, high = found["interval"]
        last, first = found["rows"][-1]["group"], found["rows"][0]["group"]
        rows.append(
            {
                "attribute": f"{name}: {last} against {first}",
                "over": joined(found["expressions"]),
                "difference of mean recall, points": f"{100 * found['difference']:+.1f} "
                f"({100 * low:+.1f} to {100 * high:+.1f})",
            }
        )
    return markdown_table(rows)
