"""Read one picture again and again, and print the seconds that one takes without the start: CPU time and wall time.

    python benchmarks/repeated.py photo PHOTO [--threads N]
    python benchmarks/repeated.py live PHOTO [--threads N]

*live* reads the picture as frames of a camera, 15 a second, in which it sways. `ratios.py` runs this file with the
facemood of each commit, so it must know earlier names too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from facemood import EmotionRecognizer
from facemood.schema import Frame, Image
from facemood.sources import load_image

PHOTOS = 40
"""How often a photo is read."""

FRAMES = 90
"""Frames of a camera: six seconds, because not every frame is searched as a whole."""

WARM = 10
"""Pictures before the measurement."""

RATE = 15
"""Frames a second of the camera."""


def main() -> None:
    """Read the options, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["photo", "live"])
    parser.add_argument("photo")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    image = load_image(Path(options.photo))
    recognizer = EmotionRecognizer(device="cpu", threads=options.threads)
    times = repeat_photo(recognizer, image) if options.what == "photo" else repeat_frame(recognizer, image)
    print(*times)


def repeat_photo(recognizer: EmotionRecognizer, image: Image) -> list[float]:
    """Return CPU time and wall time of a photo: the first quartile each, which other programs hardly disturb."""
    times = [timed(lambda: recognizer.analyze_image(image)) for _ in range(WARM + PHOTOS)][WARM:]
    return [sorted(each)[len(each) // 4] for each in zip(*times, strict=True)]


def repeat_frame(recognizer: EmotionRecognizer, image: Image) -> list[float]:
    """Return the mean CPU time and wall time of a frame of a camera."""
    pipeline: Any = recognizer.pipeline
    if hasattr(pipeline, "track"):
        scene = pipeline.track()
    else:  # its name until November 2026
        scene = pipeline.film(import_module("facemood.scene").FilmOptions())
    times = []
    for number in range(WARM + FRAMES):
        shifted = np.ascontiguousarray(np.roll(image, round(20 * np.sin(number / 10)), axis=1))
        frame = Frame(shifted, source="camera", index=number, timestamp=number / RATE)
        times.append(timed(lambda frame=frame: read_frame(pipeline, frame, scene)))  # type: ignore[misc]
    return [sum(each) / FRAMES for each in zip(*times[WARM:], strict=True)]


def read_frame(pipeline: Any, frame: Frame, scene: Any) -> None:
    """Read a frame, in which one face must be."""
    (result,) = pipeline.read([(frame, scene)]) if hasattr(pipeline, "track") else pipeline.read([frame], scene)
    if len(result.faces) != 1:
        raise RuntimeError(f"expected one face in frame {frame.index}, but found {len(result.faces)}")


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Return the CPU time and the wall time of a call in seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


if __name__ == "__main__":
    main()
