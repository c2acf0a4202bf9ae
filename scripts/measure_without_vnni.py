"""Compare int8 with and without VNNI, by emulation of an older CPU. Writes docs/without-vnni.json.

    python scripts/measure_without_vnni.py DATA [--emulator "qemu-x86_64 -cpu Haswell-v4"]

DATA holds ``photos`` and ``fer2013``. The emulator runs this Python on a CPU that has AVX2, and neither AVX-512 nor
VNNI. It says what such a CPU computes, not how fast. Then ``measure_precision.py --page`` puts the figures into
docs/precision.md.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facemood import EmotionRecognizer  # noqa: E402
from facemood.datasets import open_dataset  # noqa: E402
from facemood.defaults import FP32  # noqa: E402
from facemood.models.registry import INT8, PRECISIONS  # noqa: E402
from facemood.spacing import evenly_spaced  # noqa: E402
from scripts import detection_metrics  # noqa: E402

FIGURES = ROOT / "docs" / "without-vnni.json"

EMULATOR = "qemu-x86_64 -cpu Haswell-v4"
"""Command that runs a program on an emulated CPU with AVX2 and without VNNI."""

TILES = 400
"""Tiles of PublicTest with a FER+ majority, evenly spaced."""

WHAT = ("tiles", "boxes", "faces")
"""What is recorded."""

NAMES = ("fp32 here", "int8 here", "int8 emulated")
"""What is compared."""


def main() -> None:
    """Record on this CPU and on the emulated one, compare, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--emulator", default=EMULATOR)
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.record:
        record(options.data, options.record)
        return
    emulator = shlex.split(options.emulator)
    with tempfile.TemporaryDirectory() as name:
        tiles, labels = majority(options.data)
        folders = {"here": Path(name) / "here", "there": Path(name) / "there"}
        for where, folder in folders.items():
            folder.mkdir()
            np.save(folder / "tiles.npy", tiles)
            command = [sys.executable, str(Path(__file__)), str(options.data), "--record", str(folder)]
            subprocess.run([*(emulator if where == "there" else []), *command], check=True)
        figures = compare(folders["here"], folders["there"], labels)
    version = subprocess.run([emulator[0], "--version"], check=True, capture_output=True, text=True).stdout
    known = {"emulator": options.emulator, "version": version.splitlines()[0], **figures}
    FIGURES.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(known, indent=1))


def majority(data: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return tiles of PublicTest with a FER+ majority, (N, 48, 48) uint8, and the index of the label of each."""
    split = open_dataset(data / "fer2013").split("PublicTest").ferplus_majority()
    rows = evenly_spaced(len(split), TILES)
    return np.asarray(split.images[rows]), split.labels[rows]


def record(data: Path, folder: Path) -> None:
    """Write the probabilities of the tiles in a folder, and the boxes and probabilities of the faces in photos."""
    cv2.setNumThreads(1)
    tiles, photos = np.load(folder / "tiles.npy"), detection_metrics.read_photos(data / "photos")
    for precision in PRECISIONS if folder.name == "here" else (INT8,):
        reader = EmotionRecognizer(device="cpu", threads=1, precision=precision, prior="dataset")
        faces = [face for photo in photos for face in reader.analyze_image(photo.image)]
        np.save(folder / f"{precision} tiles.npy", reader.pipeline.strategy.classify_crops(tiles).probabilities)
        np.save(folder / f"{precision} boxes.npy", np.stack([face.box for face in faces]))
        np.save(folder / f"{precision} faces.npy", np.stack([face.probabilities for face in faces]))


def compare(here: Path, there: Path, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return how int8 on the emulated CPU differs from int8 and from fp32 on this one."""
    tiles, boxes, faces = ([np.load(folder / f"{INT8} {what}.npy") for folder in (here, there)] for what in WHAT)
    fp32_tiles, fp32_boxes = (np.load(here / f"{FP32} {what}.npy") for what in WHAT[:2])
    same_faces = boxes[0].shape == boxes[1].shape
    return {
        "tiles": len(labels),
        "largest change of a probability, tiles": largest(*tiles),
        "same label as int8 here": share(*tiles),
        "same label as fp32 here": share(fp32_tiles, tiles[1]),
        "nll": dict(zip(NAMES, [nll(one, labels) for one in (fp32_tiles, *tiles)], strict=True)),
        "faces in photos": dict(zip(NAMES, map(len, (fp32_boxes, *boxes)), strict=True)),
        "largest shift of a box, pixels": largest(*boxes) if same_faces else None,
        "largest change of a probability, faces": largest(*faces) if same_faces else None,
    }


def largest(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the largest difference of two arrays."""
    return float(np.abs(first - second).max())


def share(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Return the share of rows whose most probable label is the same."""
    return round(float((first.argmax(axis=1) == second.argmax(axis=1)).mean()), 4)


def nll(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Return the mean negative log-likelihood."""
    return round(float(-np.log(probabilities[np.arange(len(labels)), labels]).mean()), 4)


if __name__ == "__main__":
    main()
