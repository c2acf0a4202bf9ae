"""Compare int8 with fp32: faces found, landmarks, expressions and time. Writes docs/precision.md and its figures.

    python scripts/measure_precision.py DATA

DATA holds ``photos`` (with faces.json), ``scenes``, ``news_faces`` and ``fer2013``. The figures of the landmark network
are also written to the card of its int8 file.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from facemood import EmotionRecognizer  # noqa: E402
from facemood.defaults import FP32  # noqa: E402
from facemood.evaluation.protocol import MAJORITY  # noqa: E402
from facemood.models import LANDMARKS, ModelSession, find_model  # noqa: E402
from facemood.models.card import write_card  # noqa: E402
from facemood.models.registry import INT8, PRECISIONS  # noqa: E402
from facemood.sources import load_image  # noqa: E402
from facemood.text import exact_percent, markdown_table  # noqa: E402
from facemood.train.export.quantize import CALIBRATION_IMAGES  # noqa: E402
from scripts import detection_metrics  # noqa: E402

DOCS = ROOT / "docs"

ROUNDS = 3
"""How often each photo is timed; the least time counts."""

VNNI = ("avx512_vnni", "avx_vnni")
"""Flags of CPUs that multiply and add 8-bit integers in one instruction."""


def main() -> None:
    """Measure, and write figures, page and card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    cv2.setNumThreads(1)
    readers = {name: EmotionRecognizer(device="cpu", threads=1, precision=name) for name in PRECISIONS}
    photos = detection_metrics.read_photos(data / "photos")
    scenes = sorted((data / "scenes").glob("*.jpg"))[::4]
    found = {
        "machine": f"{platform.machine()}, one thread, {'with' if has_vnni() else 'without'} VNNI",
        "faces": {name: faces_of(reader, photos, scenes) for name, reader in readers.items()},
        "labels": agreement(readers, sorted((data / "news_faces").rglob("*.jpg"))),
        "time": {"photos": len(photos), **times_of(readers, [photo.image for photo in photos])},
        "tiles": ModelSession(find_model("default", precision=INT8), device="cpu").card.metrics[INT8],
    }
    (DOCS / "precision.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (DOCS / "precision.md").write_text(page(found), encoding="utf-8")
    file = find_model(LANDMARKS, precision=INT8)
    metrics = {"script": "scripts/measure_precision.py", **found["faces"][INT8]}
    write_card(file, replace(ModelSession(file, device="cpu").card, metrics=metrics))


def has_vnni() -> bool:
    """Return whether Linux says that the CPU has VNNI."""
    info = Path("/proc/cpuinfo")
    return info.is_file() and any(flag in info.read_text().split() for flag in VNNI)


def faces_of(
    reader: EmotionRecognizer, photos: list[detection_metrics.Annotated], scenes: list[Path]
) -> dict[str, Any]:
    """Count the faces that are found, and measure their landmarks."""
    errors = [error for photo in photos for error in point_errors(reader, photo)]
    hits = detection_metrics.measure_photos(reader.detector, photos)
    alarms = detection_metrics.measure_empty(reader.detector, scenes)
    return {
        "faces in photos": hits.faces,
        "found": hits.found,
        "boxes on no face, photos": hits.false,
        "scenes": alarms.pictures,
        "boxes in these scenes": alarms.false,
        "mean landmark error, in eye distances": round(float(np.mean(errors)), 4),
    }


def point_errors(reader: EmotionRecognizer, photo: detection_metrics.Annotated) -> Iterable[float]:
    """Yield the mean distance of each annotated face's points to the best found ones, in eye distances."""
    found = [face.landmarks for face in reader.detector(photo.image) if face.landmarks is not None]
    for points in photo.points:
        eyes = float(np.linalg.norm(points[36] - points[45]))
        distances = [float(np.linalg.norm(one - points, axis=1).mean()) / eyes for one in found]
        yield from [distance for distance in sorted(distances)[:1] if distance < 0.5]


def agreement(readers: dict[str, EmotionRecognizer], files: list[Path]) -> dict[str, Any]:
    """Compare the labels of the largest face of each photo."""
    labels: list[tuple[str | None, ...]] = []
    for file in files:
        image = load_image(file)
        found = [reader.analyze_image(image).faces for reader in readers.values()]
        labels.append(tuple(faces[0].emotion if faces else None for faces in found))
    return {"n": len(labels), "same_label": round(float(np.mean([one == other for one, other in labels])), 4)}


def times_of(readers: dict[str, EmotionRecognizer], images: list[Any]) -> dict[str, float]:
    """Return the CPU seconds over all images, both precisions by turns."""
    total = dict.fromkeys(readers, 0.0)
    for image in images:
        least = dict.fromkeys(readers, float("inf"))
        for name, reader in [*readers.items()] * ROUNDS:
            started = time.process_time()
            reader.analyze_image(image)
            least[name] = min(least[name], time.process_time() - started)
        total = {name: total[name] + least[name] for name in readers}
    return {name: round(seconds, 3) for name, seconds in total.items()}


PAGE = """# Precision: fp32 and int8

This page is written by `scripts/measure_precision.py`.

By default, networks compute in single precision (`fp32`). With `--precision int8` or
`EmotionRecognizer(precision="int8")`, the model `default` and the landmark network compute with 8-bit integers. The
detection network stays in fp32, because its depthwise convolutions are slower with integers. `nano` has no int8
file.

{rows}

The largest face of each of {news} news photos has the same label in {same} of them. On the {tiles} images of
PublicTest with a FER+ majority, the label is the same in {tile_same}; the negative log-likelihood is {nll} (fp32:
{nll_fp32}). `facemood models show default --precision int8` has the accuracy of the int8 file on all splits. Its
temperature, threshold of certainty and operating point are fitted with it.

The CPU time of the {photos} photos with {faces} faces is {ratio} times that of fp32 ({machine}). On a CPU without VNNI
the gain is smaller and was not measured, and so fp32 is the default.

## Make an int8 file

    facemood export MODEL.onnx --precision int8 --data fer2013:DATA/fer2013 -o MODEL.int8.onnx

The file stands next to `MODEL.onnx`; `--model MODEL.onnx --precision int8` then uses it. The ranges of activations are
measured on {calibration} images of the training split. Convolutions wider than 1 x 1 are quantized, except the first
one; the heads stay in fp32. When `default.onnx` or `parts/landmarks.onnx` in
`src/facemood/models/weights/` changes, make its int8 file again, and then run `scripts/measure_precision.py DATA`.
"""
"""The page."""


def page(found: dict[str, Any]) -> str:
    """Return the page for the figures."""
    first, second = (found["faces"][name] for name in PRECISIONS)
    rows = [{"": key, "fp32": shown(first[key]), "int8": shown(second[key])} for key in first]
    tiles, times = found["tiles"][MAJORITY], found["time"]
    return PAGE.format(
        rows=markdown_table(rows),
        news=found["labels"]["n"],
        same=exact_percent(found["labels"]["same_label"]),
        tiles=f"{tiles['n']:,}",
        tile_same=exact_percent(tiles["same_label"]),
        nll=tiles["nll"],
        nll_fp32=tiles["nll_fp32"],
        photos=times["photos"],
        faces=first["faces in photos"],
        ratio=f"{times[INT8] / times[FP32]:.2f}",
        machine=found["machine"],
        calibration=CALIBRATION_IMAGES,
    )


def shown(figure: float) -> str:
    """Return a count, or a share as a percentage."""
    return f"{figure:,}" if isinstance(figure, int) else exact_percent(figure)


if __name__ == "__main__":
    main()
