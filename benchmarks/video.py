"""Videos and live images: milliseconds per frame by stage, and whether time and memory grow with a video's length."""

from __future__ import annotations

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from example_photos import SIZE, Image, fill, load_examples
from measure import Effort, Row, facemood_command, repeat, timing
from memory import PEAK

from facemood import Frame, open_recognizer
from facemood.sinks.video_writer import VideoWriter
from facemood.tracking import VideoOptions

RATE, SWAY, PERIOD = 15, 12, 60
"""Frames a second; by how many pixels faces move, and in how many frames to and fro."""

STAGES = ("detect", "landmarks", "align", "classify", "draw", "total")


def measure_live(effort: Effort) -> list[Row]:
    """Time the stages of each camera image, up to the drawn image, with one face and with four."""
    return [row for people in (1, 4) for row in _time_stages(people, effort)]


def _time_stages(people: int, effort: Effort) -> list[Row]:
    """Read moving frames one after the other, and return a row a stage.

    Raises:
        RuntimeError: Somebody was not found, so that the times would mean nothing.
    """
    recognizer = open_recognizer(device="cpu")
    scene, frames = recognizer.pipeline.track(VideoOptions()), moving_frames(people)

    def read() -> dict[str, float]:
        result = next(recognizer.pipeline.read([(next(frames), scene)], keep_images=True))
        if len(result) != people:
            raise RuntimeError(f"expected {people} faces, but {len(result)} were found")
        started = time.perf_counter()
        result.draw()
        drawn = 1000 * (time.perf_counter() - started)
        return {**result.speed, "draw": drawn, "total": result.speed["total"] + drawn}

    speeds = repeat(read, effort.seconds)
    rows = [timing(f"{stage}, faces={people}", [speed[stage] for speed in speeds]) for stage in STAGES]
    means = [statistics.fmean(speed[stage] for speed in speeds) for stage in STAGES]
    return [{**row, "mean ms": mean} for row, mean in zip(rows, means, strict=True)]


def measure_videos(effort: Effort) -> list[Row]:
    """Read videos of growing length with the command line into a table, a report and an annotated video."""
    with tempfile.TemporaryDirectory() as place:
        return [_read_video(Path(place), minutes) for minutes in effort.videos]


def moving_frames(people: int) -> Iterator[Frame]:
    """Yield 640x480 frames without end, in which one face or four sway to and fro."""
    width, height = SIZE
    parts = [image[:, ::step] for step in (1, -1) for image in load_examples()]
    still = [fill(parts[0], SIZE)] if people == 1 else [fill(part, (width // 2, height // 2)) for part in parts]
    for index in itertools.count():
        moved = [_sway(image, index + 17 * number) for number, image in enumerate(still)]
        whole = moved[0] if people == 1 else np.vstack([np.hstack(moved[:2]), np.hstack(moved[2:])])
        yield Frame(np.ascontiguousarray(whole), source="camera:0", index=index, timestamp=index / 30)


def _sway(image: Image, index: int) -> Image:
    """Move an image along a circle."""
    angle = 2 * np.pi * index / PERIOD
    shift = np.array([[1, 0, SWAY * np.cos(angle)], [0, 1, SWAY * np.sin(angle) / 2]], np.float32)
    moved = cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def _read_video(folder: Path, minutes: float) -> Row:
    """Make a video of a length, and read it in a process of its own.

    Raises:
        RuntimeError: The command failed.
    """
    video = folder / f"{minutes:g}.mp4"
    frames = max(10, round(minutes * 60 * RATE))
    writer = VideoWriter(video)
    for frame in itertools.islice(moving_frames(1), frames):
        writer.add(frame.image, frame.index / RATE)
    writer.close()
    made = [video.with_suffix(suffix) for suffix in (".csv", ".jsonl", ".html", ".drawn.mp4")]
    outputs = [part for file in made for part in ("-o", str(file))]
    command = [facemood_command(), "analyze", str(video), *outputs, "--quiet"]
    started = time.perf_counter()
    done = subprocess.run([sys.executable, str(PEAK), *command], capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    speeds = [json.loads(line)["speed"]["total"] for line in made[1].read_text().splitlines()]
    tenth = len(speeds) // 10
    return {
        "minutes": minutes,
        "frames": len(speeds),
        "peak MB": int(done.stdout) / 1e6,
        "seconds": elapsed,
        "frames a second": len(speeds) / elapsed,
        "ms a frame, first tenth": statistics.median(speeds[:tenth]),
        "ms a frame, last tenth": statistics.median(speeds[-tenth:]),
    }
