"""Measure what size, tilt, a turn, light, glasses and beards cost; write docs/limits.json and the page docs/limits.md.

    python scripts/measure_limits.py [DATA] [--photos FOLDER FIRST.csv SECOND.csv]

DATA is FER2013 with its FER+ votes. Faces with a FER+ majority of PrivateTest, evenly spaced, are enlarged on a canvas,
made smaller or rotated, and read end to end with the defaults, except that the smallest face is 12 pixels. A missed
face counts as wrong. It takes five minutes on one core. FOLDER has photos with labels, and the two tables have what
was seen in them, in two passes (`limits_groups.py`). What is not given keeps its figures. ``--page`` only rewrites the
page.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood import EmotionRecognizer  # noqa: E402
from facemood.datasets import ExpressionDataset, open_dataset  # noqa: E402
from facemood.evaluation.crop_framing import on_canvas  # noqa: E402
from facemood.evaluation.groups import recall_table, share_table  # noqa: E402
from facemood.schema import Face, Image  # noqa: E402
from facemood.spacing import evenly_spaced  # noqa: E402
from facemood.text import count, exact_percent, fill_template, markdown_table, with_interval  # noqa: E402
from facemood.wilson import wilson_interval  # noqa: E402
from scripts.limits_groups import (  # noqa: E402
    COUNTED,
    ENOUGH,
    agreement_table,
    angle_rows,
    difference_table,
    digests,
    group_rows,
    measure_photos,
)

DOCS = ROOT / "docs"
"""Where the page goes."""

SPLIT = "PrivateTest"
"""The split, which is only reported."""

FACES = 1000
"""Number of faces."""

SIZES = (96, 48, 32, 24, 16, 12)
"""Sides of the square around the face in pixels."""

TILTS = (0, 30, 60, 90)
"""Degrees by which pictures are rotated clockwise; every second face is mirrored."""

YAWS = (0, 15, 30, 45, 91)
"""Bounds of the groups by estimated yaw, in degrees to either side."""

TILE_SIDE = 192
"""Side of the enlarged tile on its canvas, in pixels."""

MARGIN = 64
"""Pixels of plain background around a picture that is made smaller."""

Readings = list[Face | None]


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="the dataset, fer2013:DIR")
    parser.add_argument(
        "--photos", nargs=3, type=Path, metavar=("FOLDER", "FIRST", "SECOND"), help="photos, two tables"
    )
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "limits.json"
    known = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {}
    if options.photos and not options.page:
        known["photos"] = measure_photos(options.photos[0], options.photos[1:])
    if options.data and not options.page:
        dataset = open_dataset(options.data).split(SPLIT).ferplus_majority()
        rows = np.zeros(len(dataset), bool)
        rows[evenly_spaced(len(dataset), FACES)] = True
        known |= measure(dataset.subset(rows))
    figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    (DOCS / "limits.md").write_text(page(known), encoding="utf-8")


def measure(dataset: ExpressionDataset) -> dict[str, Any]:
    """Return the figures."""
    cv2.setNumThreads(1)
    recognizer = EmotionRecognizer(min_face=min(SIZES), threads=1)
    words = np.array(dataset.classes)[dataset.labels]
    level = read(recognizer, dataset, shrink, TILE_SIDE)
    tilted = {tilt: read(recognizer, dataset, rotate, tilt) for tilt in TILTS[1:]}
    sizes = {size: read(recognizer, dataset, shrink, size) for size in SIZES}
    return {
        "models": digests(),
        "size": {str(size): figures_of(found, words) for size, found in sizes.items()},
        "tilt": {str(tilt): figures_of(found, words) for tilt, found in ({0: level} | tilted).items()},
        "yaw": by_yaw(level, words),
    }


def read(
    recognizer: EmotionRecognizer, dataset: ExpressionDataset, change: Callable[[Image, int], Image], amount: int
) -> Readings:
    """Read the largest face of each changed picture, alternately mirrored; None where no face is found."""
    found: Readings = []
    for row in range(len(dataset)):
        image = on_canvas(np.asarray(dataset.images[row]))[:, :: 1 if row % 2 else -1]
        faces = recognizer.analyze_image(change(np.ascontiguousarray(image), amount)).faces
        found.append(faces[0] if faces else None)
    return found


def rotate(image: Image, degrees: int) -> Image:
    """Rotate an image about its middle, clockwise."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderValue=image[0, 0].tolist()), np.uint8)


def shrink(image: Image, side: int) -> Image:
    """Resize a picture so that the face's tile has a side in pixels, on more of its background."""
    factor = side / TILE_SIDE
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    colour = image[0, 0].tolist()
    bordered = cv2.copyMakeBorder(small, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(bordered, np.uint8)


def figures_of(found: Readings, words: NDArray[np.str_]) -> dict[str, Any]:
    """Return how many faces were found, and the share that was read right, 0..1, of all of them."""
    right = [face is not None and face.emotion == word for face, word in zip(found, words, strict=True)]
    share = float(np.mean(right))
    ends = [round(end, 4) for end in wilson_interval(share, len(right))]
    return {
        "n": len(right),
        "found": sum(face is not None for face in found),
        "right": round(share, 4),
        "interval": ends,
    }


def by_yaw(found: Readings, words: NDArray[np.str_]) -> dict[str, Any]:
    """Return the figures of the faces that were found, by their own estimated yaw."""
    rows: dict[str, Any] = {}
    for low, high in itertools.pairwise(YAWS):
        kept = [
            row for row, face in enumerate(found)
            if face is not None and face.pose is not None and low <= abs(float(face.pose[0])) < high
        ]  # fmt: skip
        if kept:
            rows[f"{low} to {high}" if high < 90 else f"{low} or more"] = figures_of(
                [found[row] for row in kept], words[kept]
            )
    return rows


def page(known: dict[str, Any]) -> str:
    """Fill the template with the figures."""
    text = (ROOT / "scripts" / "limits.template.md").read_text(encoding="utf-8")
    photos = known["photos"]
    parts = {
        "faces": f"{known['tilt']['0']['n']:,}",
        "photos": f"{photos['n']:,}",
        "missed": count(photos["missed"], "photo"),
        "agreement": agreement_table(photos["agreement"]),
        "groups": share_table(group_rows(photos)),
        "recalls": recall_table(group_rows(photos), COUNTED),
        "enough": str(ENOUGH),
        "differences": difference_table(photos["groups"]),
        "angles": share_table(angle_rows(photos)),
        "models": ", ".join(f"{name} {digest}" for name, digest in known["models"].items()),
        "size": table("side of the face's square, pixels", known["size"]),
        "tilt": table("tilt, degrees", known["tilt"]),
        "yaw": table("estimated yaw, degrees", known["yaw"]),
    }
    return fill_template(text, parts)


def table(title: str, rows: dict[str, Any]) -> str:
    """Return a table with a row for each group."""
    return markdown_table(
        [
            {
                title: name,
                "faces": str(row["n"]),
                "found": exact_percent(row["found"] / row["n"]),
                "found and read right": with_interval(row["right"], row["interval"]),
            }
            for name, row in rows.items()
        ]
    )


if __name__ == "__main__":
    main()
