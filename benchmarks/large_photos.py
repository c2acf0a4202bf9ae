"""What decoding large JPEGs at a fraction of their size saves, and what it changes. Writes large_photos.json.

    python benchmarks/large_photos.py FOLDER [FOLDER ...] [--photos N]

N photos of each folder are enlarged to 12 million pixels, and read whole and reduced by turns. Enlarged photos have
less detail than those of a camera, so their files are smaller and quicker to decode. How much a result changes is set
against the change when the same photo lacks its first three columns and five rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import describe_machine

from facemood import EmotionRecognizer
from facemood.geometry import iou
from facemood.results import Result
from facemood.schema import Frame, Image
from facemood.sources import load_image, read_frames
from facemood.spacing import evenly_spaced

PIXELS = 12_000_000
"""Pixels of an enlarged photo."""

MIN_FACES = (96, 192, 384)
"""Smallest faces for which a photo may be read at a half, a quarter and an eighth of its size."""

SHIFT = (3, 5)
"""Columns and rows that are cut off for comparison."""

ROUNDS = 2
"""How often each photo is read; the least time counts."""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--photos", type=int, default=50)
    options = parser.parse_args()
    machine = describe_machine()
    cv2.setNumThreads(1)
    files = [file for folder in options.folders for file in evenly(sorted(folder.rglob("*.jpg")), options.photos)]
    with tempfile.TemporaryDirectory() as name:
        large = [enlarged(load_image(file), Path(name) / f"{number}.jpg") for number, file in enumerate(files)]
        found = {str(size): compare(large, size) for size in MIN_FACES}
    known = {**machine, "photos": len(files), "pixels": PIXELS, "min_face": found}
    Path(__file__).with_suffix(".json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def evenly(files: list[Path], most: int) -> list[Path]:
    """Return at most so many of the files."""
    return [files[row] for row in evenly_spaced(len(files), most)]


def enlarged(image: Image, file: Path) -> Path:
    """Write an image as a large JPEG."""
    scale = (PIXELS / (image.shape[0] * image.shape[1])) ** 0.5
    cv2.imwrite(str(file), cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC))
    return file


def compare(files: list[Path], min_face: int) -> dict[str, Any]:
    """Read photos whole and reduced, and compare times and results."""
    recognizer = EmotionRecognizer(device="cpu", threads=1, min_face=min_face)
    reduction = recognizer.pipeline.photo_reduction
    pairs, shifted, times = [], [], np.zeros(2)
    for file in files:
        least, results = [float("inf")] * 2, {}
        for way, by in [(0, 1), (1, reduction)] * ROUNDS:
            started = time.process_time()
            results[way] = read(recognizer, file, by)
            least[way] = min(least[way], time.process_time() - started)
        times += least
        pairs.append((results[0], results[1]))
        shifted.append((results[0], read_shifted(recognizer, file)))
    print(min_face, file=sys.stderr)
    return {
        "reduction": reduction,
        "cpu_ms": (times / len(files) * 1000).round(1).tolist(),
        "reduced": differences(pairs),
        "shifted": differences(shifted),
    }


def read(recognizer: EmotionRecognizer, file: Path, reduction: int) -> Result:
    """Read a photo at a fraction of its size."""
    return read_frame(recognizer, next(read_frames(file, reduction=reduction)))


def read_shifted(recognizer: EmotionRecognizer, file: Path) -> Result:
    """Read a photo whose first columns and rows are cut off, and move the faces back."""
    shift = np.array(SHIFT, np.float32)
    result = read_frame(recognizer, Frame(np.ascontiguousarray(load_image(file)[SHIFT[1] :, SHIFT[0] :])))
    return replace(result, faces=tuple(face.moved(lambda points: points + shift) for face in result))


def read_frame(recognizer: EmotionRecognizer, frame: Frame) -> Result:
    """Read a decoded photo."""
    pipeline = recognizer.pipeline
    return next(iter(pipeline.read([(frame, pipeline.photos())])))


def differences(pairs: list[tuple[Result, Result]]) -> dict[str, Any]:
    """Compare the faces of photos that were read twice."""
    counts = [(len(whole.faces), len(reduced.faces)) for whole, reduced in pairs]
    matched = []
    for whole, reduced in pairs:
        for face in whole.faces:
            others = [(float(iou(face.box[None], other.box[None])[0, 0]), other) for other in reduced.faces]
            overlap, other = max(others, key=lambda pair: pair[0], default=(0.0, None))
            if other is not None and overlap > 0.5:
                matched.append((face, other, overlap))
    changes = [float(np.abs(face.probabilities - other.probabilities).max()) for face, other, _ in matched]
    return {
        "faces": [sum(whole for whole, _ in counts), sum(reduced for _, reduced in counts)],
        "in_both": len(matched),
        "same_label": sum(face.emotion == other.emotion for face, other, _ in matched),
        "median_iou": round(float(np.median([overlap for *_, overlap in matched])), 4),
        "median_change": round(float(np.median(changes)), 4),
        "p95_change": round(float(np.quantile(changes, 0.95)), 4),
        "largest_change": round(max(changes), 4),
    }


if __name__ == "__main__":
    main()
