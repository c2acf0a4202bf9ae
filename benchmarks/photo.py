"""Milliseconds a 640x480 photo by stage, from the pipeline's own clock."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from example_photos import load_photos, write_photos
from measure import Effort, Row, repeat, time_call, timing

from facemood import EmotionRecognizer, open_recognizer

STAGES = ("detect", "landmarks", "align", "classify", "total")
LARGER_FACES = 60.0
"""Faces before a webcam are larger than this."""


def measure_photo(effort: Effort) -> list[Row]:
    """Time the stages of a photo as users get them, then with larger faces only, then from a file."""
    rows = _time_stages(open_recognizer(device="cpu"), effort, "")
    rows += _time_stages(open_recognizer(device="cpu", min_face=LARGER_FACES), effort, f", min_face={LARGER_FACES:.0f}")
    with tempfile.TemporaryDirectory() as folder:
        return [*rows, _time_files(write_photos(Path(folder)), effort)]


def _time_stages(recognizer: EmotionRecognizer, effort: Effort, setting: str) -> list[Row]:
    """Read the photos in turn and return a row a stage."""
    photos = itertools.cycle(load_photos())
    speeds = repeat(lambda: recognizer.analyze_image(next(photos)).speed, effort.seconds)
    return [timing(stage + setting, [speed[stage] for speed in speeds]) for stage in STAGES]


def _time_files(files: list[Path], effort: Effort) -> Row:
    """Time everything between a PNG file's path and the result."""
    recognizer = open_recognizer(device="cpu")
    paths = itertools.cycle(files)
    times = repeat(lambda: time_call(lambda: recognizer.analyze_image(next(paths))), effort.seconds)
    return timing("from a PNG file to the result", times)
