"""Measure how far results change when a picture changes hardly at all; write docs/repeatability.json and its page.

    python scripts/measure_repeatability.py DATA
    python scripts/measure_repeatability.py --page

DATA holds ``news_faces``. Each photo is read as it is and after changes that people hardly see. The largest face of a
photo is compared with itself. It takes two minutes on one core. ``--page`` only rewrites the page, from the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood import EmotionRecognizer  # noqa: E402
from facemood.facs import UNITS  # noqa: E402
from facemood.schema import Face, Image  # noqa: E402
from facemood.sources import load_image  # noqa: E402
from facemood.text import exact_percent, fill_template, markdown_table  # noqa: E402
from scripts.network_digest import digest  # noqa: E402

DOCS = ROOT / "docs"
"""Where figures and page go."""

TEMPLATE = ROOT / "scripts" / "repeatability.template.md"
"""The page without its numbers."""

ANGLES = ("yaw", "pitch", "roll")
"""The angles of the head pose."""


Pair: TypeAlias = tuple[Face, Face | None]
"""A face, and the same face in the changed picture, if it is found there."""


class Changed(NamedTuple):
    """A picture that was changed, and the (2, 3) matrix from places in the original to places in it."""

    image: Image
    matrix: NDArray[np.float64]


def moved(image: Image) -> Changed:
    """Cut off the first column and row, so that all that is left moves by one pixel."""
    return Changed(image[1:, 1:], np.array([[1, 0, -1], [0, 1, -1]], float))


def noisy(image: Image) -> Changed:
    """Change each number by -1, 0 or 1 at random."""
    noise = np.random.default_rng(0).integers(-1, 2, image.shape)
    return Changed(np.clip(image + noise, 0, 255).astype(np.uint8), np.eye(2, 3))


def packed(image: Image) -> Changed:
    """Save the picture as JPEG of quality 90, and read it again."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return Changed(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8), np.eye(2, 3))


def smaller(image: Image) -> Changed:
    """Make the picture 5% smaller."""
    height, width = image.shape[:2]
    size = (round(width * 0.95), round(height * 0.95))
    matrix = np.array([[size[0] / width, 0, 0], [0, size[1] / height, 0]])
    return Changed(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8), matrix)


def turned(image: Image) -> Changed:
    """Turn the picture by two degrees about its middle; its edge is repeated."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 2, 1)
    found = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Changed(np.asarray(found, np.uint8), np.asarray(matrix, float))


CHANGES: dict[str, Callable[[Image], Changed]] = {
    "moved by one pixel": moved,
    "a grey level of noise": noisy,
    "JPEG, quality 90": packed,
    "5% smaller": smaller,
    "turned by 2 degrees": turned,
}
"""What is done to a picture, by what the page says of it."""


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "repeatability.json"
    if not options.page:
        if options.data is None:
            parser.error("expected DATA, or --page")
        photos = sorted((options.data / "news_faces").rglob("*.jpg"))
        figures.write_text(json.dumps(measure(photos), indent=1) + "\n", encoding="utf-8")
    found = page(json.loads(figures.read_text(encoding="utf-8")))
    (DOCS / "repeatability.md").write_text(found, encoding="utf-8")


def measure(photos: list[Path]) -> dict[str, Any]:
    """Return all figures."""
    cv2.setNumThreads(1)
    recognizer = EmotionRecognizer(device="cpu", threads=1)
    pairs: dict[str, list[Pair]] = {name: [] for name in CHANGES}
    for photo in photos:
        image = load_image(photo)
        faces = recognizer.analyze_image(image).faces
        for name, change in CHANGES.items() if faces else ():
            pairs[name].append((faces[0], find(recognizer, faces[0], change(image))))
    together = [pair for found in pairs.values() for pair in found]
    upright = [pair for name, found in pairs.items() for pair in found if name != "turned by 2 degrees"]
    return {
        "model": digest("default"),
        "photos": len(photos),
        "faces": len(pairs["moved by one pixel"]),
        "changes": {name: compare(found) for name, found in pairs.items()},
        "together": compare(together),
        "units": {unit.code: spread(differences_of_unit(together, unit.code)) for unit in UNITS},
        "angles": {name: spread(differences_of_angle(upright, at)) for at, name in enumerate(ANGLES)},
    }


def find(recognizer: EmotionRecognizer, face: Face, changed: Changed) -> Face | None:
    """Return the face in the changed picture whose middle is nearest to where it should be; None if it is not found."""
    x1, y1, x2, y2 = face.box.tolist()
    place = changed.matrix @ ((x1 + x2) / 2, (y1 + y2) / 2, 1)
    faces = recognizer.analyze_image(changed.image).faces
    distances = [math.dist(place, (one.box[:2] + one.box[2:]) / 2) for one in faces]
    near = min(range(len(faces)), key=distances.__getitem__, default=None)
    return None if near is None or distances[near] > (x2 - x1) / 2 else faces[near]


def compare(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Compare faces with themselves."""
    both = [(one, other) for one, other in pairs if other is not None]
    same = np.array([one.emotion == other.emotion for one, other in both])
    certain = np.array([one.certain for one, _ in both])
    changes = [
        abs(float(one.probabilities[top] - other.probabilities[top]))
        for one, other in both
        for top in [int(one.probabilities.argmax())]
    ]
    units = [difference for unit in UNITS for difference in differences_of_unit(both, unit.code)]
    return {
        "pairs": len(pairs),
        "lost": len(pairs) - len(both),
        "same label": round(float(same.mean()), 4),
        "certain": int(certain.sum()),
        "same label, certain": int(same[certain].sum()),
        "probability": spread(changes),
        "units": spread(units),
    }


def differences_of_unit(pairs: Sequence[Pair], unit: str) -> list[float]:
    """Return how far an action unit changes, of the faces that have it twice."""
    return [
        abs(one.action_units[unit] - other.action_units[unit])
        for one, other in pairs
        if other is not None and unit in one.action_units and unit in other.action_units
    ]


def differences_of_angle(pairs: Sequence[Pair], at: int) -> list[float]:
    """Return how far an angle of the head pose changes, in degrees."""
    return [
        abs(float(one.pose[at] - other.pose[at]))
        for one, other in pairs
        if other is not None and one.pose is not None and other.pose is not None
    ]


def spread(differences: list[float]) -> dict[str, Any]:
    """Return how many differences there are, their median, and what 95% of them stay below."""
    half, most = np.quantile(differences, (0.5, 0.95)).tolist()
    return {"n": len(differences), "median": round(half, 4), "95%": round(most, 4)}


def page(found: dict[str, Any]) -> str:
    """Return the page."""
    rows = [row(name, figures) for name, figures in {**found["changes"], "all together": found["together"]}.items()]
    units = sorted(found["units"].items(), key=lambda item: -item[1]["95%"])
    texts = {
        "photos": f"{found['photos']:,}",
        "faces": f"{found['faces']:,}",
        "changes": markdown_table(rows),
        "units": markdown_table([{"unit": name, **two(values, 3)} for name, values in units]),
        "angles": markdown_table([{"angle": name, **two(values, 1)} for name, values in found["angles"].items()]),
        "probability": f"{found['together']['probability']['95%']:.2f}",
        "model": found["model"],
    }
    return fill_template(TEMPLATE.read_text(encoding="utf-8"), texts)


def row(name: str, found: dict[str, Any]) -> dict[str, str]:
    """Return the row of a change."""
    return {
        "change": name,
        "faces": f"{found['pairs']:,}",
        "not found again": f"{found['lost']:,}",
        "same label": exact_percent(found["same label"]),
        "same, if certain": f"{found['same label, certain']:,} of {found['certain']:,}",
        "probability: median, 95%": "{median:.3f}, {95%:.3f}".format(**found["probability"]),
        "action units: median, 95%": "{median:.3f}, {95%:.3f}".format(**found["units"]),
    }


def two(values: dict[str, Any], digits: int) -> dict[str, str]:
    """Return the cells of a spread."""
    return {"pairs": f"{values['n']:,}", **{key: f"{values[key]:.{digits}f}" for key in ("median", "95%")}}


if __name__ == "__main__":
    main()
