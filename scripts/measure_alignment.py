"""Measure what the tilt of a head costs; write docs/alignment.json and the page docs/alignment.md.

    python scripts/measure_alignment.py DATA [--split PrivateTest] [--model default] [--before FILE]

DATA is FER2013 with its FER+ votes. Each face with a FER+ majority is enlarged four times on a canvas of its mean
colour, rotated and read end to end. A face that is not found counts as wrong. It is read twice: in a crop that is
turned upright by its landmarks, and in the square around its box. ``--before`` is the file of an earlier model, which
is read by boxes. It takes an hour on one core. ``--page`` only rewrites the page, from the figures.

The same faces are turned to a side, too: each tile is laid on a face in three dimensions by its own landmarks, and seen
from the side (`facemood.train.faces.turned_view`). A face without landmarks counts as wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
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
from facemood.schema import Image  # noqa: E402
from facemood.stages.align import cut_faces, squares_of  # noqa: E402
from facemood.text import fill_template, markdown_table  # noqa: E402
from facemood.train.faces.turned_view import turn_face  # noqa: E402
from scripts.network_digest import digest  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

TILTS = (0, 15, 30, 45)
"""Degrees by which the pictures are rotated, alternately to the left and to the right."""

YAWS = (15, 30, 45)
"""Degrees by which the faces are turned to a side, in addition to how they are turned; alternately to both sides."""

STRIDE = 3
"""Of the views from the side, which take long to make, every so many faces are made."""

DRAWS = 2000
"""Bootstrap samples of the faces for an interval."""

BATCH = 64
"""Faces that are classified in one run."""

Right = NDArray[np.bool_]
"""(N,) whether the expression of each face was read right."""


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="the dataset, fer2013:DIR")
    parser.add_argument("--split", default="PrivateTest", help="the split; PublicTest to choose by")
    parser.add_argument("--model", default="default", help="a model's name or file")
    parser.add_argument("--before", help="the file of an earlier model")
    parser.add_argument("--faces", type=int, help="only the first faces, for a try; nothing is written")
    parser.add_argument("--yaw", action="store_true", help="measure only the views from the side")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "alignment.json"
    if not options.page:
        cv2.setNumThreads(1)
        dataset = open_dataset(options.data).split(options.split).ferplus_majority()
        if options.faces:
            dataset = dataset.subset(np.arange(len(dataset)) < options.faces)
        found = {} if options.yaw else measure(dataset, options.model, options.before)
        found |= {"side": measure_side(dataset.subset(np.arange(len(dataset)) % STRIDE == 0), options.model)}
        if options.faces:
            print(json.dumps(found, indent=1))
            return
        known = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {}
        figures.write_text(
            json.dumps(known | {options.split: known.get(options.split, {}) | found}, indent=1) + "\n", encoding="utf-8"
        )
    (DOCS / "alignment.md").write_text(page(json.loads(figures.read_text(encoding="utf-8"))), encoding="utf-8")


def measure(dataset: ExpressionDataset, model: str, before: str | None) -> dict[str, Any]:
    """Return the figures of the faces of a split."""
    recognizer = EmotionRecognizer(model, prior="dataset", threads=1)
    earlier = EmotionRecognizer(before, prior="dataset", threads=1) if before else None
    words = np.array(dataset.classes)[dataset.labels]
    canvases = canvases_of(dataset)
    readings = {tilt: read(recognizer, earlier, rotated(canvases, tilt), words) for tilt in TILTS}
    level = readings[0]
    return {
        "faces": len(dataset),
        "model": digest(model),
        "tilts": {str(tilt): compare(reading, level) for tilt, reading in readings.items()},
        **({} if earlier is None else {"upright minus before": interval(level["upright"], level["before"])}),
    }


def measure_side(dataset: ExpressionDataset, model: str) -> dict[str, Any]:
    """Return the figures of faces that are turned to a side."""
    recognizer = EmotionRecognizer(model, prior="dataset", threads=1)
    words = np.array(dataset.classes)[dataset.labels]
    canvases = canvases_of(dataset)
    level = read(recognizer, None, canvases, words)
    yaws = {yaw: read(recognizer, None, turned(recognizer, canvases, yaw), words) for yaw in YAWS}
    return {
        "faces": len(dataset),
        "model": digest(model),
        "yaws": {str(yaw): compare(reading, level) for yaw, reading in ({0: level} | yaws).items()},
    }


def canvases_of(dataset: ExpressionDataset) -> list[Image]:
    """Return the enlarged faces, each on a canvas."""
    return [on_canvas(np.asarray(image)) for image in dataset.images]


def read(
    recognizer: EmotionRecognizer,
    earlier: EmotionRecognizer | None,
    images: Iterable[Image | None],
    words: NDArray[np.str_],
) -> dict[str, Right]:
    """Read all images, or None for a missed one; return which were found, and which were read right in each way."""
    crops: dict[str, list[Image]] = {"upright": [], "box": []}
    rows = []
    for row, image in enumerate(images):
        faces = [] if image is None else recognizer.detect(image)[:1]
        if image is not None and faces:
            rows.append(row)
            crops["upright"] += recognizer.pipeline.crops(image, faces)
            by_box = {"finder": recognizer.card.framing["finder"]}
            crops["box"] += cut_faces(image, squares_of(faces, by_box, "finder"))
    found = np.zeros(len(words), bool)
    found[rows] = True
    ways = {"upright": (recognizer, "upright"), "box": (recognizer, "box")}
    if earlier is not None:
        ways["before"] = (earlier, "box")
    right = {way: right_of(reader, crops[kind], words, rows) for way, (reader, kind) in ways.items()}
    return {"found": found, **right}


def right_of(recognizer: EmotionRecognizer, crops: list[Image], words: NDArray[np.str_], rows: list[int]) -> Right:
    """Return which faces were read right; those without a crop were not."""
    right = np.zeros(len(words), bool)
    for first in range(0, len(crops), BATCH):
        part = rows[first : first + BATCH]
        columns = recognizer.classify(crops[first : first + BATCH]).argmax(axis=1)
        right[part] = np.array(recognizer.labels)[columns] == words[part]
    return right


def rotated(canvases: Sequence[Image], tilt: int) -> Iterator[Image]:
    """Yield images rotated by an angle, alternately to the left and to the right."""
    print(f"tilted by {tilt} degrees", file=sys.stderr)
    for number, image in enumerate(canvases):
        yield rotate(image, tilt if number % 2 else -tilt)


def turned(recognizer: EmotionRecognizer, canvases: Sequence[Image], yaw: int) -> Iterator[Image | None]:
    """Yield images whose faces are turned to a side, alternately to both; None where no landmarks are found."""
    print(f"turned by {yaw} degrees", file=sys.stderr)
    for number, image in enumerate(canvases):
        faces = recognizer.detect(image)[:1]
        if not faces or faces[0].landmarks is None:
            yield None
            continue
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
        view, _ = turn_face(grey, np.asarray(faces[0].landmarks, np.float32), yaw if number % 2 else -yaw)
        yield np.asarray(cv2.cvtColor(np.clip(view, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def rotate(image: Image, degrees: float) -> Image:
    """Rotate an image about its middle, clockwise; the corners get the colour of its first pixel."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderValue=image[0, 0].tolist()), np.uint8)


def compare(reading: dict[str, Right], level: dict[str, Right]) -> dict[str, Any]:
    """Return the shares of one tilt, and the differences from upright pictures with their intervals."""
    shares = {name: round(100 * float(values.mean()), 2) for name, values in reading.items()}
    minus = {name: interval(values, level[name]) for name, values in reading.items() if name != "found"}
    return {**shares, "found faces": int(reading["found"].sum()), "minus level": minus}


def interval(one: Right, other: Right) -> list[float]:
    """Return the paired difference of two accuracies in points, and its 95% interval by bootstrap over the faces."""
    difference = 100 * (one.astype(float) - other)
    random = np.random.default_rng(0)
    means = [difference[random.integers(0, len(one), len(one))].mean() for _ in range(DRAWS)]
    return [round(float(value), 2) for value in (difference.mean(), *np.percentile(means, (2.5, 97.5)))]


def page(known: dict[str, Any]) -> str:
    """Return the page."""
    template = (ROOT / "scripts" / "alignment.template.md").read_text(encoding="utf-8")
    tilts = {split: table(figures) for split, figures in known.items()}
    yaws = {f"{split} yaw": yaw_table(figures["side"]) for split, figures in known.items() if "side" in figures}
    return fill_template(template, tilts | yaws)


def table(figures: dict[str, Any]) -> str:
    """Return the figures of a split as a table."""
    rows = [
        {
            "tilt": f"{tilt}°",
            "found": f"{at['found faces']:,} of {figures['faces']:,}",
            "turned upright": f"{at['upright']:.1f}%",
            "difference from 0°": in_words(at["minus level"]["upright"]),
            "by the box": f"{at['box']:.1f}%",
            "its difference from 0°": in_words(at["minus level"]["box"]),
        }
        for tilt, at in figures["tilts"].items()
    ]
    text = markdown_table(rows)
    if "upright minus before" not in figures:
        return text
    return f"{text}\n\nAt 0°, against the model before: {in_words(figures['upright minus before'])} points."


def yaw_table(figures: dict[str, Any]) -> str:
    """Return the figures of a split's turned faces as a table."""
    return markdown_table(
        [
            {
                "turned by": f"{yaw}°",
                "found": f"{at['found faces']:,} of {figures['faces']:,}",
                "right": f"{at['upright']:.1f}%",
                "difference from 0°": in_words(at["minus level"]["upright"]),
            }
            for yaw, at in figures["yaws"].items()
        ]
    )


def in_words(difference: list[float]) -> str:
    """Return a difference with its interval."""
    value, low, high = difference
    return f"{value:+.1f} ({low:+.1f} to {high:+.1f})"


if __name__ == "__main__":
    main()
