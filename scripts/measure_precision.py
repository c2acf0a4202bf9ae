"""Compare int8 with fp32: faces found, landmarks, expressions and time. Writes docs/precision.md and its figures.

    python scripts/measure_precision.py DATA
    python scripts/measure_precision.py DATA --time
    python scripts/measure_precision.py --page

DATA holds ``photos`` (with faces.json), ``scenes``, ``news_faces`` and ``fer2013``. The figures of the landmark network
are also written to the card of its int8 file. ``--time`` measures the time alone: run it on a CPU with VNNI and on one
without. ``--page`` only rewrites docs/precision.md, from the figures that are there and from those of
``measure_without_vnni.py``.
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

FIGURES = ("precision.json", "without-vnni.json")
"""Files of figures in `DOCS`: of this script, and of measure_without_vnni.py."""

ROUNDS = 3
"""How often each photo is timed; the least time counts."""

VNNI = ("avx512_vnni", "avx_vnni")
"""Flags of CPUs that multiply and add 8-bit integers in one instruction."""


def main() -> None:
    """Measure, and write figures, page and card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--time", action="store_true", help="measure the time on this CPU, and keep all other figures")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    if not options.page:
        if options.data is None:
            parser.error("expected DATA, or --page")
        known = figures_of(FIGURES[0])
        found = {**known, "time": {**known["time"], cpu(): times_of(open_readers(), read_images(options.data))}}
        if not options.time:
            found |= measure(options.data)
        (DOCS / FIGURES[0]).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (DOCS / "precision.md").write_text(page(*map(figures_of, FIGURES)), encoding="utf-8")


def open_readers() -> dict[str, EmotionRecognizer]:
    """Return a recognizer for each precision, which uses one thread."""
    cv2.setNumThreads(1)
    return {name: EmotionRecognizer(device="cpu", threads=1, precision=name) for name in PRECISIONS}


def read_images(data: Path) -> list[Any]:
    """Return the photos whose reading is timed."""
    return [photo.image for photo in detection_metrics.read_photos(data / "photos")]


def measure(data: Path) -> dict[str, Any]:
    """Measure all but the time, and write the card of the landmark network."""
    readers = open_readers()
    photos = detection_metrics.read_photos(data / "photos")
    scenes = sorted((data / "scenes").glob("*.jpg"))[::4]
    found = {
        "faces": {name: faces_of(reader, photos, scenes) for name, reader in readers.items()},
        "labels": agreement(readers, sorted((data / "news_faces").rglob("*.jpg"))),
        "tiles": ModelSession(find_model("default", precision=INT8), device="cpu").card.metrics[INT8],
    }
    file = find_model(LANDMARKS, precision=INT8)
    metrics = {"script": "scripts/measure_precision.py", **found["faces"][INT8]}
    write_card(file, replace(ModelSession(file, device="cpu").card, metrics=metrics))
    return found


def figures_of(file: str) -> dict[str, Any]:
    """Return the figures of a file in `DOCS`."""
    found: dict[str, Any] = json.loads((DOCS / file).read_text(encoding="utf-8"))
    return found


def cpu() -> str:
    """Return the kind of this CPU: whether Linux says that it has VNNI."""
    info = Path("/proc/cpuinfo")
    has = info.is_file() and any(flag in info.read_text().split() for flag in VNNI)
    return f"{platform.machine()} {'with' if has else 'without'} VNNI"


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
    """Return the number of photos, and the CPU seconds over all of them, both precisions by turns."""
    total = dict.fromkeys(readers, 0.0)
    for image in images:
        least = dict.fromkeys(readers, float("inf"))
        for name, reader in [*readers.items()] * ROUNDS:
            started = time.process_time()
            reader.analyze_image(image)
            least[name] = min(least[name], time.process_time() - started)
        total = {name: total[name] + least[name] for name in readers}
    return {"photos": len(images), **{name: round(seconds, 3) for name, seconds in total.items()}}


PAGE = """# Precision: fp32 and int8

This page is written by `scripts/measure_precision.py`.

By default, networks compute in single precision (`fp32`). With `--precision int8` or
`EmotionRecognizer(precision="int8")`, the model `default` and the landmark network compute with 8-bit integers. The
detection network stays in fp32, because its depthwise convolutions are slower with integers. `nano` and `steady`
have no int8 file.

{rows}

The largest face of each of {news} news photos has the same label in {same} of them. On the {tiles} images of
PublicTest with a FER+ majority, the label is the same in {tile_same}; the negative log-likelihood is {nll} (fp32:
{nll_fp32}). `facemood models show default --precision int8` has the accuracy of the int8 file on all splits. Its
temperature, threshold of certainty and operating point are fitted with it.

The CPU time of the {photos} photos with {faces} faces, with one thread:

{times}

## CPUs without VNNI

VNNI is an instruction of newer CPUs for 8-bit integers. Without it, products of 8-bit integers are added up in 16
bits, which can overflow. The networks have weights of 7 bits, so that this does not happen.
`scripts/measure_without_vnni.py` checks it on an emulated CPU that has AVX2, and neither AVX-512 nor VNNI:

{older}

On {older_tiles} tiles of PublicTest, int8 on the emulated CPU gives the same label as int8 on this one in
{older_same}, and as fp32 in {older_fp32}. The largest change of a probability is {older_change} on a tile, and
{older_face} on a face in a photo, where boxes move by up to {older_shift} pixels. So such a CPU computes the same. The
emulator was `{emulator}` ({version}). The time above was measured on a real CPU.

## Which is the default

fp32. int8 was to become the default if labels agree in 98.5%, if the negative log-likelihood rises by 0.005 at most,
and if the same faces are found, with VNNI and without. All of that holds, and it is faster on both kinds of CPU. Two
reasons are against it:

- The figures in these documents, the tables that users have, and the page in the browser are of fp32. int8 changes
  about one label in a hundred.
- No figure was to be more than 0.3 points worse. On PrivateTest with FER+ majorities, macro-F1 is {f1_int8} (fp32:
  {f1_fp32}). Without near-duplicates it is {f1_int8_alone} (fp32: {f1_fp32_alone}), so this may be chance: the rare
  expressions have few images. PrivateTest is only reported, so it decides nothing alone.

If you have hours of video, `--precision int8` saves a quarter to a third of the time. The next default model is to be
compared in both precisions before its figures are made.

## Make an int8 file

    facemood export MODEL.onnx --precision int8 --data fer2013:DATA/fer2013 -o MODEL.int8.onnx

The file stands next to `MODEL.onnx`; `--model MODEL.onnx --precision int8` then uses it. The ranges of activations are
measured on {calibration} images of the training split. Convolutions wider than 1 x 1 are quantized, except the first
one; the heads stay in fp32. `scripts/remake.py` makes the shipped files again when their networks have changed.
"""
"""The page."""


def page(found: dict[str, Any], older: dict[str, Any]) -> str:
    """Return the page for the figures of this CPU, and of an emulated older one."""
    first, second = (found["faces"][name] for name in PRECISIONS)
    rows = [{"": key, "fp32": shown(first[key]), "int8": shown(second[key])} for key in first]
    tiles = found["tiles"][MAJORITY]
    return PAGE.format(
        rows=markdown_table(rows),
        news=found["labels"]["n"],
        same=exact_percent(found["labels"]["same_label"]),
        tiles=f"{tiles['n']:,}",
        tile_same=exact_percent(tiles["same_label"]),
        nll=tiles["nll"],
        nll_fp32=tiles["nll_fp32"],
        photos=next(iter(found["time"].values()))["photos"],
        faces=first["faces in photos"],
        times=markdown_table([time_row(kind, times) for kind, times in found["time"].items()]),
        **older_figures(older),
        **private_figures(),
        calibration=CALIBRATION_IMAGES,
    )


def time_row(kind: str, times: dict[str, Any]) -> dict[str, str]:
    """Return the row of a kind of CPU: seconds, and int8 as a multiple of fp32."""
    seconds = {name: f"{times[name]:.2f} s" for name in PRECISIONS}
    return {"CPU": kind, **seconds, "int8 / fp32": f"{times[INT8] / times[FP32]:.2f}"}


def older_figures(older: dict[str, Any]) -> dict[str, str]:
    """Return what the page says of the emulated CPU."""
    names = list(older["nll"])
    return {
        "emulator": older["emulator"],
        "version": older["version"].partition(" (")[0],
        "older": markdown_table(
            [
                {"": what, **{name: f"{older[key][name]:g}" for name in names}}
                for key, what in (("nll", "negative log-likelihood, tiles"), ("faces in photos", "faces in photos"))
            ]
        ),
        "older_tiles": f"{older['tiles']:,}",
        "older_same": exact_percent(older["same label as int8 here"]),
        "older_fp32": exact_percent(older["same label as fp32 here"]),
        "older_change": f"{older['largest change of a probability, tiles']:.4f}",
        "older_face": f"{older['largest change of a probability, faces']:.3f}",
        "older_shift": f"{older['largest shift of a box, pixels']:.1f}",
    }


def private_figures() -> dict[str, str]:
    """Return the macro-F1 on PrivateTest that the cards of both files have."""
    made = {}
    for name in PRECISIONS:
        metrics = ModelSession(find_model("default", precision=name), device="cpu").card.metrics
        for suffix, protocol in (("", MAJORITY), ("_alone", f"{MAJORITY}, de-duplicated")):
            made[f"f1_{name}{suffix}"] = exact_percent(metrics[f"PrivateTest: {protocol}"]["macro_f1"])
    return made


def shown(figure: float) -> str:
    """Return a count, or a share as a percentage."""
    return f"{figure:,}" if isinstance(figure, int) else exact_percent(figure)


if __name__ == "__main__":
    main()
