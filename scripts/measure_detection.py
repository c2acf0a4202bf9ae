"""Compare the face detector with HOG and Haar, and measure the landmarks; write docs/detection.json and its page.

    python scripts/measure_detection.py DATA LABELS.npz

DATA holds ``photos/``, ``scenes/``, ``videos/`` and ``fer2013/``; LABELS is the output of scripts/label_faces.py.
HOG needs the extra ``hog``. Haar needs OpenCV below version 5, whose wheel still has the class and its file; otherwise
it is skipped. The run takes ten minutes on one core. ``--page`` only rewrites docs/detection.md, from the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from example_photos import load_photos  # noqa: E402

from facemood.datasets import open_dataset  # noqa: E402
from facemood.evaluation.crop_framing import ENLARGEMENT, MARGIN, on_canvas  # noqa: E402
from facemood.geometry import Floats, box_of_points, iou  # noqa: E402
from facemood.models import ModelSession, find_model  # noqa: E402
from facemood.models.card import write_card  # noqa: E402
from facemood.schema import Face, Image  # noqa: E402
from facemood.stages.detect import DetectOptions, Detector, FinderDetector, select_faces  # noqa: E402
from facemood.stages.detect.finder import CANDIDATE  # noqa: E402
from facemood.text import exact_percent, fill_template, markdown_table  # noqa: E402
from scripts import detection_metrics  # noqa: E402
from scripts.detection_conditions import condition_rows, measure_conditions  # noqa: E402
from scripts.detection_metrics import Tally  # noqa: E402
from scripts.detection_orientation import measure_orientation, orientation_rows  # noqa: E402
from scripts.network_digest import digest  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

TEST_SCENES = "0800.jpg"
"""First scene that was held out from training, by file name."""

PEOPLE = ("0830.jpg", "0841.jpg", "0870.jpg", "0873.jpg", "0891.jpg")
"""Test scenes that show faces in part or from the side, although the teacher found none."""

CLIPS = {"a.mp4": (270, 40, 430, 190), "b.mp4": (210, 70, 350, 220)}
"""For each clip, the area that contains the centre of its one face in every frame: x1 y1 x2 y2, marked by eye."""

ROUNDS = 60
"""Timed runs per detector; the detectors alternate."""


class Finder(FinderDetector):
    """The finder as users get it: faces below their `min_face` are excluded."""

    def __call__(self, image: Image) -> list[Face]:
        """Find faces in an (H, W, 3) uint8 BGR image."""
        return select_faces(super().__call__(image), self.options)


class DlibDetector:
    """dlib's HOG with default settings: every detection counts, after a number of upsamplings."""

    def __init__(self, enlargements: int) -> None:
        import dlib

        self.name, self.enlargements = f"HOG, upsample {enlargements}", enlargements
        self._detector = dlib.get_frontal_face_detector()

    def __call__(self, image: Image) -> list[Face]:
        """Find faces in an (H, W, 3) uint8 BGR image."""
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        boxes, margins, _ = self._detector.run(grey, self.enlargements, 0.0)
        sides = [(box.left(), box.top(), box.right() + 1, box.bottom() + 1) for box in boxes]
        return [Face(np.array(box, np.float32), score) for box, score in zip(sides, margins, strict=True)]


class HaarDetector:
    """OpenCV's cascade of Haar features (Viola & Jones 2001) with the usual settings."""

    name = "Haar"

    def __init__(self) -> None:
        old: Any = cv2  # the class is not in OpenCV 5
        file = Path(old.data.haarcascades) / "haarcascade_frontalface_default.xml"
        self._cascade = old.CascadeClassifier(str(file))

    def __call__(self, image: Image) -> list[Face]:
        """Find faces in an (H, W, 3) uint8 BGR image."""
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        boxes = self._cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30))
        return [Face(np.array([x, y, x + width, y + height], np.float32), 1.0) for x, y, width, height in boxes]


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("labels", type=Path, nargs="?")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "detection.json"
    if not options.page:
        if options.data is None or options.labels is None:
            parser.error("expected DATA and LABELS.npz, or --page")
        known = measure(options.data, options.labels)
        write_cards(known)
        known["with"] |= {name: digest(name) for name in ("finder", "landmarks")}
        figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    (DOCS / "detection.md").write_text(page(json.loads(figures.read_text(encoding="utf-8"))), encoding="utf-8")


def measure(data: Path, labels: Path) -> dict[str, Any]:
    """Measure everything."""
    cv2.setNumThreads(1)
    detectors = list(open_detectors())
    return {
        "with": {
            "machine": f"{platform.machine()}, one thread",
            "opencv": cv2.__version__,
            "finder_pictures": drawn("finder"),
            "landmark_crops": drawn("landmarks"),
        },
        "detectors": {detector.name: compare(detector, data) for detector in detectors},
        "milliseconds": measure_time(detectors),
        "landmarks": measure_landmarks(data, labels),
        "conditions": measure_conditions(data, labels, "PrivateTest"),
        "orientation": measure_orientation(
            detectors[0],
            detection_metrics.read_photos(data / "photos"),
            [file for file in empty_scenes(data / "scenes") if file.name not in PEOPLE],
        ),
    }


def write_cards(known: dict[str, Any]) -> None:
    """Write the figures into the cards of the two models."""
    row, points = detector_row("finder", known["detectors"]["finder"]), known["landmarks"]
    figures: dict[str, dict[str, Any]] = {
        "finder": {key: value for key, value in row.items() if key != "detector"},
        "landmarks": {
            "mean error, photos marked by hand": exact_percent(points["photos"]["mean"]),
            "failures, photos marked by hand": exact_percent(points["photos"]["failures"]),
            "mean error against the teacher, PrivateTest": exact_percent(points["PrivateTest"]["mean"]),
        },
    }
    for name, metrics in figures.items():
        file = find_model(name)
        card = ModelSession(file, device="cpu").card
        write_card(file, replace(card, metrics={"script": "scripts/measure_detection.py", **metrics}))


def drawn(name: str) -> int:
    """Return how many images a model saw in training."""
    return int(ModelSession(find_model(name), device="cpu").card.trained_on["pictures"])


def open_detectors() -> Iterator[Detector]:
    """Open the detectors that are installed."""
    yield Finder(threads=1)
    yield from (DlibDetector(0), DlibDetector(1))
    if hasattr(cv2, "CascadeClassifier"):
        yield HaarDetector()
    else:
        print("no Haar: this OpenCV has no CascadeClassifier", file=sys.stderr)


def compare(detector: Detector, data: Path) -> dict[str, Any]:
    """Count the hits and the false alarms of one detector."""
    print(detector.name, file=sys.stderr)
    scenes = empty_scenes(data / "scenes")
    dataset = open_dataset(data / "fer2013")
    duplicates = dataset.near_duplicates_of(["Training"])[dataset.usage == "PrivateTest"]
    tiles = dataset.split("PrivateTest").images
    duplicate_tiles, other_tiles = (
        detection_metrics.measure_tiles(detector, tiles[rows]) for rows in (duplicates, ~duplicates)
    )
    measured = {
        "photos": detection_metrics.measure_photos(detector, detection_metrics.read_photos(data / "photos")),
        "scenes": detection_metrics.measure_empty(detector, [file for file in scenes if file.name not in PEOPLE]),
        "scenes_with_people": detection_metrics.measure_empty(
            detector, [file for file in scenes if file.name in PEOPLE]
        ),
        "tiles": duplicate_tiles + other_tiles,
        "tiles_deduplicated": other_tiles,
        **{name: measure_clip(detector, data / "videos" / name, area) for name, area in CLIPS.items()},
    }
    return {name: found.to_dict() for name, found in measured.items()}


def empty_scenes(folder: Path) -> list[Path]:
    """Return the test scenes in which the teacher found no face."""
    counts = json.loads((folder / "faces.json").read_text(encoding="utf-8"))
    return [folder / name for name, faces in sorted(counts.items()) if not faces and name >= TEST_SCENES]


def measure_clip(detector: Detector, file: Path, area: tuple[int, int, int, int]) -> Tally:
    """Count the frames of a clip in which its face is found, and all other boxes."""
    total = Tally()
    for frame in read_frames(file):
        boxes = detection_metrics.detect_boxes(detector, frame)
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        right = ((middles > area[:2]) & (middles < area[2:])).all(axis=1)
        false = len(boxes) - int(right.any())
        total += Tally(1, int(right.any()), false, 1, int(false > 0))
    return total


def read_frames(file: Path) -> Iterator[Image]:
    """Yield the frames of a clip."""
    capture = cv2.VideoCapture(str(file))
    while (read := capture.read())[0]:
        yield np.asarray(read[1], np.uint8)


def measure_time(detectors: list[Detector]) -> dict[str, float]:
    """Time the detectors alternately on a 640x480 photo; return the medians. HOG and Haar keep their smallest face."""
    asked = [Finder(DetectOptions(min_size=40), threads=1), *detectors]
    names = ["finder, min_face 40", f"finder, min_face {DetectOptions().min_size:.0f}"]
    names += [detector.name for detector in detectors[1:]]
    calls: list[Callable[[Image], object]] = list(asked)
    photo, spent = load_photos()[0], dict[str, list[float]]()
    for _ in range(ROUNDS):
        for name, call in zip(names, calls, strict=True):
            started = time.process_time()
            call(photo)
            spent.setdefault(name, []).append(1000 * (time.process_time() - started))
    return {name: round(statistics.median(values[3:]), 2) for name, values in spent.items()}


def measure_landmarks(data: Path, labels: Path) -> dict[str, Any]:
    """Compare the landmarks with human annotations and with the teacher, in the finder's own boxes."""
    finder = Finder(threads=1)
    photos = detection_metrics.read_photos(data / "photos")
    by_hand = np.concatenate([match_points(finder, photo.image, photo.points) for photo in photos])
    box = np.array([[176, 77, 266, 167]], np.float32)
    grey = np.zeros((480, 640), np.uint8)
    spent = []
    for _ in range(ROUNDS):
        started = time.process_time()
        finder.landmark_model.predict(grey, box)
        spent.append(1000 * (time.process_time() - started))
    return {
        "photos": summarize(by_hand),
        "PrivateTest": summarize(against_teacher(finder, data, labels)),
        "milliseconds": round(statistics.median(spent[3:]), 2),
    }


def against_teacher(finder: FinderDetector, data: Path, labels: Path) -> Floats:
    """Return the errors on the PrivateTest tiles that the teacher labelled, NaN if the finder finds no face."""
    dataset = open_dataset(data / "fer2013")
    with np.load(labels) as table:
        rows = np.flatnonzero((dataset.usage == "PrivateTest") & table["tile_found"])
        marked = table["tile_points"][rows, :68, :2].astype(np.float32) / 256
    side = dataset.images.shape[1] * ENLARGEMENT
    marked = marked * ENLARGEMENT + side * MARGIN
    tiles = (on_canvas(dataset.images[row]) for row in rows)
    return np.concatenate([match_points(finder, tile, there[None]) for tile, there in zip(tiles, marked, strict=True)])


def match_points(finder: FinderDetector, image: Image, marked: Floats) -> Floats:
    """Return the error of each annotated face, (F,), NaN if no box of the finder matches it."""
    faces = finder(image)
    errors = np.full(len(marked), np.nan, np.float32)
    if not faces:
        return errors
    shared = iou(box_of_points(marked), np.stack([face.box for face in faces]))
    for index, best in enumerate(shared.argmax(axis=1).tolist()):
        points = faces[best].landmarks
        if shared[index, best] > detection_metrics.SAME and points is not None:
            errors[index] = detection_metrics.point_errors(points[None], marked[index][None])[0]
    return errors


def summarize(errors: NDArray[np.float32]) -> dict[str, float | int]:
    """Return the mean error and the failure rate of the faces that were found, and their number."""
    found = errors[~np.isnan(errors)]
    return {
        "faces": len(errors),
        "found": len(found),
        "mean": round(float(found.mean()), 4),
        "failures": round(float((found > 0.1).mean()), 4),
    }


def page(known: dict[str, Any]) -> str:
    """Write the page from the figures."""
    spent, points = known["milliseconds"], known["landmarks"]
    rows = [detector_row(name, found) for name, found in known["detectors"].items()]
    times = [{"detector": name, "ms": f"{value:.1f}"} for name, value in spent.items()]
    marks = [
        {
            "compared with": against,
            "faces found": f"{points[key]['found']:,} of {points[key]['faces']:,}",
            "mean error": exact_percent(points[key]["mean"]),
            "failures (> 10%)": exact_percent(points[key]["failures"]),
        }
        for key, against in (("photos", "human annotations, photos"), ("PrivateTest", "the teacher, PrivateTest"))
    ]
    text = (ROOT / "scripts" / "detection.template.md").read_text(encoding="utf-8")
    tried = json.loads((DOCS / "candidates.json").read_text(encoding="utf-8"))
    (chosen,) = (row for row in tried if row["score"] == CANDIDATE)
    made = {
        "candidate": f"{CANDIDATE:g}",
        "candidates": markdown_table([candidate_row(row) for row in tried]),
        "candidate_crops": f"{chosen['crops per news photo']:.1f}",
        "news": f"{chosen['news photos with a face'][1]:,}",
        "detectors": markdown_table(rows),
        "times": markdown_table(times),
        "landmarks": markdown_table(marks),
        "conditions": markdown_table(condition_rows(known["conditions"])),
        "orientation": markdown_table(orientation_rows(known["orientation"])),
        "auto_ms": f"{known['orientation']['scenes']['auto']['ms']:.0f}",
        "plain_ms": f"{known['orientation']['scenes']['0']['ms']:.0f}",
        "landmark_time": f"{points['milliseconds']:.2f}",
        "finder_pictures": f"{known['with']['finder_pictures']:,}",
        "landmark_crops": f"{known['with']['landmark_crops']:,}",
        "with": f"OpenCV {known['with']['opencv']}, {known['with']['machine']}; finder {known['with']['finder']}, "
        f"landmarks {known['with']['landmarks']} (SHA-256, first 12 digits)",
    }
    return fill_template(text, made)


def candidate_row(row: dict[str, Any]) -> dict[str, str]:
    """Return the row of one score of a candidate."""
    tiles, news = row["tiles"], row["news photos with a face"]
    return {
        "score": f"{row['score']:g}",
        "photos: found, false boxes": f"{row['photos'][0]} of {row['photos'][1]}, {row['false boxes, photos']}",
        f"boxes in {row['scenes']} test scenes": f"{row['boxes in scenes']}",
        "PublicTest tiles found": f"{tiles[0]} of {tiles[1]}, {exact_percent(tiles[0] / tiles[1])}",
        "news photos with a face": f"{news[0]} of {news[1]}",
        "crops": f"{row['crops per news photo']:.2f}",
    }


def share(found: dict[str, int]) -> str:
    """Return the share of faces that were found, in percent."""
    return exact_percent(found["found"] / found["faces"])


def detector_row(name: str, found: dict[str, dict[str, int]]) -> dict[str, str]:
    """Return the row of one detector."""
    photos, scenes, people, tiles, alone = (
        found[key] for key in ("photos", "scenes", "scenes_with_people", "tiles", "tiles_deduplicated")
    )
    clips = [found[name] for name in CLIPS]
    return {
        "detector": name,
        "photos: found, false boxes": f"{photos['found']} of {photos['faces']}, {photos['false']}",
        "scenes with a false box": f"{scenes['alarmed']} of {scenes['pictures']} "
        f"({exact_percent(scenes['alarmed'] / scenes['pictures'])})",
        "of 5 with people": str(people["alarmed"]),
        "PrivateTest found (de-duplicated)": f"{tiles['found']:,} of {tiles['faces']:,}, "
        f"{share(tiles)} ({share(alone)})",
        "clips: frames found, false boxes": "; ".join(f"{c['found']} of {c['faces']}, {c['false']}" for c in clips),
    }


if __name__ == "__main__":
    main()
