"""What it brings to run networks over several photos at once. Writes batching.json.

    python benchmarks/batching.py [--rounds N]

Each network runs on 8 inputs one by one and together, by turns, on one thread. The least CPU time of each counts.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from example_photos import load_photos
from machine import describe_machine
from numpy.typing import NDArray

from facemood import EmotionRecognizer
from facemood.models import FINDER, LANDMARKS, ModelSession, find_model
from facemood.stages.detect import MIN_FACE
from facemood.stages.detect.finder import WINDOW, pyramid_levels, tiles

MANY = 8
"""Photos that are read together, as `EmotionRecognizer.stream` does."""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    machine = describe_machine()
    cv2.setNumThreads(1)
    photo = load_photos()[0]
    rows = {
        name: compare(ModelSession(find_model(model), device="cpu", threads=1), shape, rounds)
        for name, (model, shape) in inputs(photo).items()
    }
    reader = EmotionRecognizer(device="cpu", threads=1)
    photo_ms = least(lambda: reader.analyze_image(photo), rounds)
    saved = {name: one - together for name, (one, together) in rows.items()}
    done = saved.pop("expressions")
    known = {
        **machine,
        "photos together": MANY,
        "ms one by one and together": {name: [round(value, 3) for value in row] for name, row in rows.items()},
        "ms a photo": round(photo_ms, 2),
        "ms saved a photo": {"expressions": round(done, 2), "detection and landmarks": round(sum(saved.values()), 2)},
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(known, indent=1))


def inputs(photo: NDArray[np.uint8]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the network and the shape of each run for a photo of 640x480 with one face."""
    grey = np.asarray(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), np.uint8)
    levels = [tile.shape for level, _ in pyramid_levels(grey, WINDOW / MIN_FACE) for tile, _ in tiles(level)]
    return {
        **{f"detection, {width} x {height}": (FINDER, (1, height, width)) for height, width in levels},
        "landmarks": (LANDMARKS, (1, 64, 64)),
        "expressions": ("default", (1, 48, 48)),
    }


def compare(session: ModelSession, shape: tuple[int, ...], rounds: int) -> tuple[float, float]:
    """Return the CPU milliseconds of one input, run alone and together with others."""
    batch = np.random.default_rng(0).uniform(0, 255, (MANY, *shape)).astype(np.float32)
    alone, together = float("inf"), float("inf")
    for _ in range(max(1, rounds // 4)):
        alone = min(alone, least(lambda: [session.run_batch(one[None]) for one in batch], 4))
        together = min(together, least(lambda: session.run_batch(batch), 4))
    return alone / MANY, together / MANY


def least(run: Callable[[], object], rounds: int) -> float:
    """Return the least CPU milliseconds of a call."""
    found = []
    for _ in range(rounds):
        started = time.process_time()
        run()
        found.append(1000 * (time.process_time() - started))
    return min(found)


if __name__ == "__main__":
    main()
