"""Measure how action units agree with expressions: writes docs/action-units.json and the page docs/action-units.md.

    python scripts/measure_action_units.py fer2013:DIR WORK PHOTOS --videos VIDEOS

WORK is the folder in which ``teach_action_units.py`` caches the landmarks of the tiles; missing ones are computed.
PHOTOS is a folder of photos of one face each: masks are painted over their mouths. VIDEOS is a folder of clips of one
person each, in which the steadiness is measured. The evaluation uses the PrivateTest faces that have a FER+ majority.
``--split PublicTest`` prints the figures of the split that was used for all choices, and writes nothing. ``--ends``
only measures how often units are at their ends, and how steady they are. ``--page`` only rewrites the page, from the
figures.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood import EmotionRecognizer  # noqa: E402
from facemood.datasets import open_dataset  # noqa: E402
from facemood.defaults import SMOOTH  # noqa: E402
from facemood.facs import (  # noqa: E402
    ACTIVE,
    CODES,
    DU,
    EMFACS,
    KEYS,
    MANUAL,
    POINTS,
    PROTOTYPES,
    SOUKUPOVA,
    TIAN,
    UNITS,
)
from facemood.geometry import Floats  # noqa: E402
from facemood.labels import EXPRESSIONS  # noqa: E402
from facemood.models import find_model  # noqa: E402
from facemood.schema import Face, Image  # noqa: E402
from facemood.sources import load_image  # noqa: E402
from facemood.stages.action_units import predict_units  # noqa: E402
from facemood.stages.action_units.estimate import (  # noqa: E402
    MAX_OUTSIDE,
    MAX_PITCH,
    MAX_YAW,
    MIN_EYE_DISTANCE,
    MIN_MOUTH_DETAIL,
    MIN_SCORE,
    STRONG,
    STRONGEST,
    WIDTHS,
    covered_parts,
    intensities_of,
    intensity_of,
    is_measurable,
    plain_parts,
    predict_patch,
    spreads_of,
)
from facemood.stages.action_units.frontal import Frontal  # noqa: E402
from facemood.stages.action_units.frontal import frontal as remove_pose  # noqa: E402
from facemood.stages.action_units.measures import measure_points  # noqa: E402
from facemood.stages.action_units.taught import features_of, neutral_faces  # noqa: E402
from facemood.stages.action_units.texture import cut_patch, texture_of  # noqa: E402
from facemood.stages.detect import FinderDetector  # noqa: E402
from facemood.stages.pose import estimate_pose  # noqa: E402
from facemood.text import fill_template, joined, markdown_table  # noqa: E402
from facemood.tracking.unit_smooth import HOLD  # noqa: E402
from scripts.teach_action_units import PLACE, SEED, Faces, cover, frontals, read_split  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

PHOTO = ROOT / "examples" / "photos" / "astronaut.png"
"""The photo that is measured as an example."""

MASKS = (10, 40, 80, 120, 160, 200, 240)
"""Grey levels of the masks that are painted over mouths."""

ROUNDS = 1000
"""Bootstrap resamples per interval."""

WANTED: tuple[tuple[str, tuple[tuple[str, ...], ...], str, float], ...] = (
    ("AU12", (("AU12",),), "happy", 0.90),
    ("AU04", (("AU04",),), "angry", 0.75),
    ("AU05", (("AU05",),), "surprise", 0.80),
    ("AU25, 26 or 27, the best", (("AU25",), ("AU26",), ("AU27",)), "surprise", 0.85),
    ("AU15", (("AU15",),), "sad", 0.70),
    ("AU09 or AU10, the better", (("AU09",), ("AU10",)), "disgust", 0.70),
    ("AU01 + AU02", (("AU01", "AU02"),), "surprise", 0.80),
    ("AU20", (("AU20",),), "fear", 0.65),
)
"""Targets: a name, the units to add up (the best of several sums), the expression, the AUC."""

WORKS = {
    MANUAL: "Facial Action Coding System, 2nd edition: the unit, its name, its muscle, and what it changes in a face",
    TIAN: "Recognizing action units for facial expression analysis, IEEE TPAMI 23(2): such distances of brows, lids "
    "and lips as measures of units",
    DU: "Compound facial expressions of emotion, PNAS 111(15), table 1: the share of people who show the unit when "
    "they pose an expression; our model is trained on it",
    EMFACS: "EMFACS-7: the units of expressions; our model is trained on those of contempt, which Du, Tao & Martinez "
    "do not have",
    SOUKUPOVA: "Real-time eye blink detection using facial landmarks, CVWW: the eye aspect ratio, height over width",
}
"""The sources of units, and what is taken from each."""

SHORT = 0.1
"""Seconds below which an activation of a unit is taken for flicker."""

Values = NDArray[np.float64]


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="FER2013 with FER+ votes, as facemood names datasets")
    parser.add_argument("work", type=Path, nargs="?", help="cache folder for the landmarks of the tiles")
    parser.add_argument("photos", type=Path, nargs="?", help="folder of photos (.jpg) of one face each")
    parser.add_argument("--split", default="PrivateTest", help="which faces are measured")
    parser.add_argument("--videos", type=Path, help="folder of clips (.mp4) of one person each")
    parser.add_argument("--ends", action="store_true", help="measure only the ends and the steadiness of units")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    file = DOCS / "action-units.json"
    if options.ends:
        if None in (options.data, options.work, options.videos):
            parser.error("DATA, WORK and --videos are needed")
        found = measure_steadiness(options.data, options.split, options.work, options.videos)
        if options.split != "PrivateTest":
            print(json.dumps(found, indent=1))
            return
        file.write_text(json.dumps({**json.loads(file.read_text()), **found}, indent=1) + "\n", encoding="utf-8")
    elif not options.page:
        if None in (options.data, options.work, options.photos, options.videos):
            parser.error("DATA, WORK, PHOTOS and --videos are needed, unless only the page is written")
        known = measure(options.data, options.split, options.work, options.photos)
        known |= measure_steadiness(options.data, options.split, options.work, options.videos)
        if options.split != "PrivateTest":
            print(json.dumps(known["wanted"], indent=1))
            print(matrix_table(known, "shipped"), matrix_table(known, "points"), known["covered"], sep="\n\n")
            print(known["lost"], known["plain"])
            return
        file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    (DOCS / "action-units.md").write_text(page(json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")


def measure(data: str, split: str, work: Path, photos: Path) -> dict[str, Any]:
    """Measure everything on the faces of a split."""
    cv2.setNumThreads(1)
    dataset = open_dataset(data)
    faces = read_split(dataset, split, work)
    read = faces.subset(faces.readable)
    ways = {"shipped": intensities(read), "points": intensities(read, POINTS)}
    labels = np.array(EXPRESSIONS)
    return {
        "with": digests(),
        "split": split,
        "faces": len(faces.tile),
        "found": int(np.isfinite(faces.pose[:, 0]).sum()),
        "read": len(read.tile),
        "counts": {label: int((labels[read.label] == label).sum()) for label in EXPRESSIONS},
        "told": {code: int(np.isfinite(ways["shipped"][:, place]).sum()) for place, code in enumerate(CODES)},
        "wanted": [wish(ways, read.label, *line) for line in WANTED],
        "matrix": {way: matrix(values, read.label) for way, values in ways.items()},
        "active": active(ways["shipped"], read.label),
        "covered": measure_covers(read),
        "lost": measure_lost(read),
        "plain": measure_masks(photos),
        "milliseconds": measure_time(),
    }


def digests() -> dict[str, str]:
    """Return the first 12 digits of the SHA-256 of each file that measures units."""
    files = {"landmarks": find_model("landmarks"), **{name: PLACE / name for name in ("neutral.csv", "weights.npz")}}
    return {name: sha256(file.read_bytes()).hexdigest()[:12] for name, file in files.items()}


def intensities(faces: Faces, way: str = "") -> Values:
    """Return the intensities of faces, (N, U); NaN for units without a value.

    Args:
        faces: The faces.
        way: `POINTS` for all units from landmarks only; empty for each unit as shipped.
    """
    rows = []
    for (frontal, patch), pose in zip(frontals(faces), faces.pose, strict=True):
        if way == POINTS:
            units = intensities_of(measure_points(frontal.halves), pose, neutral_faces(POINTS), hidden=set())
        else:
            units = predict_patch(patch, frontal, pose).units
        rows.append([units.get(code, np.nan) for code in CODES])
    return np.array(rows)


def area(values: Values, positive: NDArray[np.bool_]) -> float | None:
    """Return the AUC: how often a positive face has a larger value than a negative one; ties count half.

    NaN values are excluded. None if there are no positive or no negative faces.
    """
    known = np.isfinite(values)
    values, positive = values[known], positive[known]
    count, others = int(positive.sum()), int((~positive).sum())
    if not count or not others:
        return None
    _, place, number = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(number) - (number - 1) / 2)[place]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


def interval(values: Values, positive: NDArray[np.bool_]) -> list[float]:
    """Return the 95% bootstrap interval of the AUC, resampling the faces of each kind."""
    known = np.isfinite(values)
    own, other = values[known & positive], np.sort(values[known & ~positive])
    random, areas = np.random.default_rng(SEED), []
    for _ in range(ROUNDS):
        some = random.choice(own, len(own))
        rivals = np.sort(random.choice(other, len(other)))
        wins = np.searchsorted(rivals, some, "left") + np.searchsorted(rivals, some, "right")
        areas.append(wins.mean() / 2 / len(rivals))
    return [round(float(share), 3) for share in np.quantile(areas, (0.025, 0.975))]


def wish(
    ways: dict[str, Values],
    labels: NDArray[np.int64],
    name: str,
    sums: tuple[tuple[str, ...], ...],
    label: str,
    least: float,
) -> dict[str, Any]:
    """Return the AUCs of one target of `WANTED`, as shipped and from landmarks only."""
    positive = labels == EXPRESSIONS.index(label)
    known: dict[str, Any] = {"name": name, "label": label, "wanted": least}
    for way, values in ways.items():
        options = {" + ".join(codes): sum_of(values, codes) for codes in sums}
        areas = {codes: area(values, positive) or 0.0 for codes, values in options.items()}
        best = max(areas, key=lambda codes: areas[codes])
        measured = np.isfinite(options[best])
        known[way] = {
            "units": best,
            "area": round(areas[best], 3),
            "interval": interval(options[best], positive),
            "positive": int((measured & positive).sum()),
            "negative": int((measured & ~positive).sum()),
        }
    return known


def sum_of(values: Values, codes: tuple[str, ...]) -> Values:
    """Return the sum of some units' intensities, (N,)."""
    return np.asarray(values[:, [CODES.index(code) for code in codes]].sum(axis=1))


def matrix(values: Values, labels: NDArray[np.int64]) -> dict[str, list[float | None]]:
    """Return each unit's AUC for each expression against the faces of all others."""
    areas = {
        code: [area(values[:, place], labels == number) for number in range(len(EXPRESSIONS))]
        for place, code in enumerate(CODES)
    }
    return {code: [None if one is None else round(one, 3) for one in row] for code, row in areas.items()}


def active(values: Values, labels: NDArray[np.int64]) -> dict[str, list[float]]:
    """Return for each unit the share of each expression's faces in which it is active, 0..1."""
    return {
        code: [
            round(float(np.nanmean(values[labels == number, place] >= 0.5)), 3) for number in range(len(EXPRESSIONS))
        ]
        for place, code in enumerate(CODES)
    }


def measure_steadiness(data: str, split: str, work: Path, videos: Path) -> dict[str, Any]:
    """Measure how often units are at their ends in the faces of a split, and how steady they are in clips."""
    cv2.setNumThreads(1)
    faces = read_split(open_dataset(data), split, work)
    values = intensities(faces.subset(faces.readable))
    return {"ends": ends(values), "clips": [measure_clip(file) for file in sorted(videos.glob("*.mp4"))]}


def ends(values: Values) -> dict[str, dict[str, float]]:
    """Return for each unit how often it is at its ends.

    Args:
        values: (N, U) intensities; NaN for units without a value.

    Returns:
        By code: ``"high"`` and ``"low"``, the shares of faces with `STRONG` or more and with 1 - `STRONG` or less;
        ``"one_width"``, the share with `STRONG` or more if all units had the same width; and ``"top"``, the 99th
        percentile in spreads.
    """
    widths = WIDTHS[[KEYS.index(code) for code in CODES]]
    found = {}
    for code, row, width in zip(CODES, values.T, widths, strict=True):
        known = row[np.isfinite(row)]
        spreads = spreads_of(known, float(width))
        found[code] = {
            "high": round(float((known >= STRONG).mean()), 4),
            "low": round(float((known <= 1 - STRONG).mean()), 4),
            "one_width": round(float((intensity_of(spreads) >= STRONG).mean()), 4),
            "top": round(float(np.quantile(spreads, 0.99)), 1),
        }
    return found


def measure_clip(file: Path) -> dict[str, Any]:
    """Return how steady the units are in a clip of one person, with smoothing and without.

    Returns:
        ``"name"``, ``"frames"``, ``"seconds"``; and by way (``"plain"``, ``"smoothed"``) the number of activations of
        all units but AU43, how many of them are shorter than `SHORT`, and how many frames lack a unit.
    """
    found: dict[str, Any] = {"name": file.name}
    for way, seconds in (("plain", 0.0), ("smoothed", SMOOTH)):
        analysis = EmotionRecognizer(threads=1).analyze(file, smooth=seconds)
        track = max(analysis.tracks(), key=len)
        assert track.units is not None
        lengths = [
            float(track.ends[end - 1] - track.timestamps[first])
            for code in CODES
            if code != "AU43"
            for first, end in active_periods(track.units[:, KEYS.index(code)])
        ]
        missing = int(np.isnan(track.units).any(axis=1).sum())
        found[way] = [len(lengths), sum(length < SHORT for length in lengths), missing]
        found |= {"frames": len(track), "seconds": round(track.seconds, 1)}
    return found


def active_periods(values: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Return the periods in which (T,) intensities are active, as first frame and end (exclusive)."""
    switches = np.flatnonzero(np.diff(np.concatenate([[0], values >= ACTIVE, [0]])))
    return list(zip(switches[::2].tolist(), switches[1::2].tolist(), strict=True))


def measure_covers(faces: Faces) -> dict[str, dict[str, float]]:
    """Return the share of faces that count as covered, unchanged and with an object pasted over a part, 0..1."""
    random = np.random.default_rng(SEED + 1)
    some = faces.subset(np.arange(len(faces.tile)) % 3 == 0)
    shares: dict[str, dict[str, float]] = {}
    for part in ("upper", "lower"):
        counts = {"as they are": 0, "covered": 0}
        for frontal, patch in frontals(some):
            laid = cover(patch, part, faces.patches[random.integers(len(faces.tile))], random)
            counts["as they are"] += part in hidden_parts(patch, frontal)
            counts["covered"] += part in hidden_parts(laid, frontal)
        shares[part] = {name: round(count / len(some.tile), 3) for name, count in counts.items()}
    return shares


def hidden_parts(patch: NDArray[np.uint8], face: Frontal, *, plain: bool = True) -> set[str]:
    """Return the parts of a face that count as covered, by the classifier alone or by the detail of the mouth too."""
    found = covered_parts(features_of(face.halves, texture_of(patch)))
    return found | plain_parts(patch, face) if plain else found


def measure_lost(faces: Faces) -> float:
    """Return the share of faces that count as covered only because their mouth has too little detail, 0..1."""
    lost = [
        "lower" in hidden_parts(patch, frontal) - hidden_parts(patch, frontal, plain=False)
        for frontal, patch in frontals(faces)
    ]
    return round(sum(lost) / len(lost), 4)


def measure_masks(folder: Path) -> dict[str, Any]:
    """Paint masks over the mouths of photos, and count which of the faces that are still found count as covered.

    Args:
        folder: Photos of faces, .jpg; the largest face of each is used.

    Returns:
        ``"photos"``: photos whose face can be measured. ``"lost"``: as `measure_lost`, of them. ``"masks"``: by grey
        level, faces found behind the mask, and the shares of them that count as covered, by the classifier alone and
        as shipped.
    """
    detector = FinderDetector(threads=1)
    photos = lost = 0
    counts = {shade: np.zeros(3, int) for shade in MASKS}
    for file in sorted(folder.glob("*.jpg")):
        image = load_image(file)
        faces = measurable(detector, image)
        if not faces:
            continue
        photos += 1
        alone, shipped = mouth_covered(image, faces[0])
        lost += shipped and not alone
        assert faces[0].landmarks is not None
        for shade, count in counts.items():
            masked = mask_mouth(image, faces[0].landmarks, shade)
            for face in measurable(detector, masked)[:1]:
                count += (1, *mouth_covered(masked, face))
    shares = {
        str(shade): [int(n), round(alone / n, 3), round(both / n, 3)] for shade, (n, alone, both) in counts.items()
    }
    return {"photos": photos, "lost": round(lost / photos, 4), "masks": shares}


def measurable(detector: FinderDetector, image: Image) -> list[Face]:
    """Return the faces of an image whose units can be measured, with their poses, largest first."""
    size = (image.shape[1], image.shape[0])
    faces = []
    for found in detector(image):
        pose = None if found.landmarks is None else estimate_pose(found.landmarks, size)
        face = Face(found.box, found.score, landmarks=found.landmarks, pose=pose)
        if found.landmarks is not None and is_measurable(found.landmarks, face, size):
            faces.append(face)
    return sorted(faces, key=lambda face: -face.size[0] * face.size[1])


def mouth_covered(image: Image, face: Face) -> tuple[bool, bool]:
    """Return whether the mouth of a measurable face counts as covered, by the classifier alone and as shipped."""
    assert face.landmarks is not None
    assert face.pose is not None
    frontalized = remove_pose(face.landmarks, face.pose)
    patch = cut_patch(np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8), frontalized)
    return "lower" in hidden_parts(patch, frontalized, plain=False), "lower" in hidden_parts(patch, frontalized)


def mask_mouth(image: Image, points: Floats, shade: int) -> Image:
    """Paint an even mask over the mouth, with three darker folds: a copy of the image."""
    middle, size = points[48:].mean(axis=0), np.ptp(points[48:], axis=0)
    masked = image.copy()
    wide, high = int(0.85 * size[0]), int(max(0.95 * size[1], 0.5 * size[0]))
    x, y = int(middle[0]), int(middle[1])
    cv2.ellipse(masked, (x, y), (wide, high), 10, 0, 360, (shade,) * 3, -1)
    for step in (-0.5, 0.0, 0.5):
        row = int(y + step * high)
        cv2.line(masked, (x - wide, row), (x + wide, row + 4), (int(0.7 * shade),) * 3, 2)
    return masked


def measure_time() -> float:
    """Return the least milliseconds that the units of a face take, without landmarks and pose."""
    image = load_image(PHOTO)
    (found, *_) = FinderDetector(threads=1)(image)
    assert found.landmarks is not None
    pose = estimate_pose(found.landmarks, (image.shape[1], image.shape[0]))
    face = Face(found.box, found.score, landmarks=found.landmarks, pose=pose)
    times = []
    for _ in range(300):
        started = time.perf_counter()
        predict_units(image, face)
        times.append(time.perf_counter() - started)
    return round(1000 * min(times), 2)


def matrix_table(known: dict[str, Any], way: str) -> str:
    """Return the AUC table of all units and expressions."""
    rows = [
        {
            "unit": code,
            **{label: "-" if one is None else f"{one:.2f}" for label, one in zip(EXPRESSIONS, row, strict=True)},
        }
        for code, row in known["matrix"][way].items()
    ]
    return markdown_table(rows)


def wanted_table(known: dict[str, Any]) -> str:
    """Return the table of targets and results."""
    return markdown_table([wanted_row(line) for line in known["wanted"]])


def wanted_row(line: dict[str, Any]) -> dict[str, str]:
    """Return the row of one target."""
    shipped, points = line["shipped"], line["points"]
    picked = f" ({shipped['units']})" if "best" in line["name"] or "better" in line["name"] else ""
    return {
        "unit": line["name"] + picked,
        "expression": line["label"],
        "target": f"{line['wanted']:.2f}",
        "as shipped": told_area(shipped),
        "landmarks only": told_area(points),
        "positives, negatives": f"{shipped['positive']}, {shipped['negative']:,}",
        "reached": "yes" if shipped["area"] >= line["wanted"] else "**no**",
    }


def told_area(found: dict[str, Any]) -> str:
    """Format an AUC with its interval."""
    return f"{found['area']:.3f} ({found['interval'][0]:.2f}-{found['interval'][1]:.2f})"


def in_words(known: dict[str, Any]) -> str:
    """Say which targets are reached, and in which way."""
    lines = known["wanted"]
    missed = [line["name"] for line in lines if line["shipped"]["area"] < line["wanted"]]
    unsure = [line["name"] for line in lines if line["shipped"]["interval"][0] < line["wanted"]]
    alone = [line["name"] for line in lines if line["points"]["area"] < line["wanted"]]
    said = "All targets are reached" if not missed else f"Not reached: {'; '.join(missed)}"
    doubt = f"the interval extends below the target for: {'; '.join(unsure)}" if unsure else ""
    points = (
        f"with landmarks only, these miss the target: {'; '.join(alone)}" if alone else "landmarks only reach them too"
    )
    return ". ".join(part[0].upper() + part[1:] for part in (said, doubt, points) if part) + "."


def active_table(known: dict[str, Any]) -> str:
    """Return the table of how often units are active."""
    rows = [
        {"unit": code, **{label: f"{share:.0%}" for label, share in zip(EXPRESSIONS, row, strict=True)}}
        for code, row in known["active"].items()
    ]
    return markdown_table(rows)


def ends_table(known: dict[str, Any]) -> str:
    """Return the table of how often units are at their ends."""
    rows = [
        {
            "unit": code,
            f"{STRONG:g} or more": f"{one['high']:.1%}",
            f"{1 - STRONG:.2g} or less": f"{one['low']:.1%}",
            f"{STRONG:g} or more, if all units had one width": f"{one['one_width']:.1%}",
        }
        for code, one in known["ends"].items()
    ]
    return markdown_table(rows)


def clip_table(known: dict[str, Any]) -> str:
    """Return the table of how steady units are in clips."""
    rows = [
        {
            "clip": f"{one['name']}, {one['seconds']:g} s, {one['frames']} frames",
            "units": "smoothed" if way == "smoothed" else "not smoothed (`--smooth 0`)",
            "activations": str(one[way][0]),
            f"shorter than {SHORT:g} s": str(one[way][1]),
            "frames without some unit": str(one[way][2]),
        }
        for one in known["clips"]
        for way in ("plain", "smoothed")
    ]
    return markdown_table(rows)


def unit_table() -> str:
    """Return the table of units."""
    rows = [
        {
            "unit": unit.code,
            "name": unit.name,
            "muscle": unit.muscle,
            "sides": "2" if unit.sided else "1",
            "measure": unit.measure,
            "measured by": unit.way,
            "sources": "; ".join(unit.sources),
            "limits": unit.limits,
        }
        for unit in UNITS
    ]
    return markdown_table(rows)


def covered_table(known: dict[str, Any]) -> str:
    """Return the table of how many faces count as covered."""
    rows = [
        {
            "part of the face": part,
            "as they are": f"{shares['as they are']:.1%}",
            "covered": f"{shares['covered']:.1%}",
        }
        for part, shares in known["covered"].items()
    ]
    return markdown_table(rows)


def mask_table(known: dict[str, Any]) -> str:
    """Return the table of how many mouths behind even masks count as covered."""
    return markdown_table(
        [
            {
                "grey level of the mask": shade,
                "faces still found": str(count),
                "classifier alone": f"{alone:.1%}",
                "as shipped": f"{both:.1%}",
            }
            for shade, (count, alone, both) in known["plain"]["masks"].items()
        ]
    )


def page(known: dict[str, Any]) -> str:
    """Write the page from the figures."""
    text = (ROOT / "scripts" / "action-units.template.md").read_text(encoding="utf-8")
    made = {
        "units": str(len(UNITS)),
        "split": known["split"],
        "faces": f"{known['faces']:,}",
        "found": f"{known['found']:,}",
        "read": f"{known['read']:,}",
        "counts": ", ".join(f"{label} {count:,}" for label, count in known["counts"].items()),
        "wanted": wanted_table(known),
        "met": in_words(known),
        "rounds": f"{ROUNDS:,}",
        "matrix": matrix_table(known, "shipped"),
        "matrix_points": matrix_table(known, "points"),
        "active": active_table(known),
        "ends": ends_table(known),
        "clips": clip_table(known),
        "strongest": joined(list(STRONGEST)),
        "hold": f"{HOLD:g}",
        "milliseconds": f"{known['milliseconds']:.2f}",
        "bytes": f"{(PLACE / 'weights.npz').stat().st_size:,}",
        "yaw": f"{MAX_YAW:g}",
        "pitch": f"{MAX_PITCH:g}",
        "eyes": f"{MIN_EYE_DISTANCE:g}",
        "outside": f"{100 * MAX_OUTSIDE:g}",
        "score": f"{MIN_SCORE:g}",
        "covered": covered_table(known),
        "masks": mask_table(known),
        "photos": str(known["plain"]["photos"]),
        "lost": f"{known['lost']:.2%}",
        "lost_photos": f"{known['plain']['lost']:.2%}",
        "detail": f"{MIN_MOUTH_DETAIL:g}",
        "table": unit_table(),
        "works": "\n".join(f"- {name}: {what}." for name, what in WORKS.items()),
        "prototypes": "; ".join(
            f"{label} {' + '.join(map(str, units))}" for label, units in PROTOTYPES.items() if units
        ),
        "landmarks": known["with"]["landmarks"],
        "neutral": known["with"]["neutral.csv"],
        "weights": known["with"]["weights.npz"],
    }
    return fill_template(text, made)


if __name__ == "__main__":
    main()
