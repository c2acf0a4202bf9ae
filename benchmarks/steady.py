"""Does memory stay flat? Thousands of calls in one process, and one long video: ``python benchmarks/steady.py``.

The resident memory of the process is noted a hundred times. The first fifth warms up. Then the medians of the next
tenth and of the last tenth are compared. The command fails if memory grew by more than 2%. 10,000 calls and an hour of
video take about ten minutes on one core. ``--calls 1000 --minutes 6`` takes one.

``--people`` reads a video with a cut every ten seconds as ``facemood analyze --people auto`` does, in two passes, each
of which must stay flat. ``--rate 2`` makes a video of two frames a second, so that an hour takes a few minutes.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from example_photos import load_examples

from facemood import open_recognizer

GROWTH = 0.02
"""Share by which memory may grow."""

SAMPLES = 100
"""How often memory is noted."""

RATE = 25
"""Frames a second of the video, unless another rate is asked for."""

SHOT = 10
"""Seconds between two cuts of the video whose people are joined."""

SIZE = (320, 240)
"""Width and height of photos and frames."""

FORMATS = (".jpg", ".png", ".webp", ".tiff", ".bmp")
"""Formats of the photos, in turn."""

STATM = Path("/proc/self/statm")
"""Where Linux tells how much memory a process has, in pages of 4 KiB."""


def resident() -> float:
    """Return the resident memory of this process in MB."""
    return int(STATM.read_text().split()[1]) * 4096 / 1e6


def read_photos(calls: int) -> Iterator[None]:
    """Analyze photos of several formats, and yield after each."""
    recognizer = open_recognizer(device="cpu", threads=1)
    photos = [cv2.resize(image, SIZE) for image in load_examples()]
    files = [cv2.imencode(suffix, photo)[1].tobytes() for photo in photos for suffix in FORMATS]
    for number in range(calls):
        recognizer.analyze_image(files[number % len(files)])
        yield


def read_video(frames: int, rate: int) -> Iterator[None]:
    """Read a video in which a face sways to and fro, and yield after each frame."""
    recognizer = open_recognizer(device="cpu", threads=1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "long.mp4"
        write_video(file, frames, rate)
        for _ in recognizer.stream(str(file)):
            yield


def read_people(frames: int, rate: int) -> list[list[float]]:
    """Read a video of two people in turns, join their tracks, and return the memory during each pass, in MB."""
    recognizer = open_recognizer(device="cpu", threads=1)
    passes: list[list[float]] = [[], []]

    def note(done: int, total: int | None) -> None:
        notes = passes[done > frames]
        if (done - 1) % frames >= len(notes) * frames / SAMPLES:
            notes.append(resident())

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "long.mp4"
        write_video(file, frames, rate, shot=SHOT * rate)
        tracks = {
            face.track_id for result in recognizer.stream(str(file), people="auto", progress=note) for face in result
        }
    print(f"{frames // (SHOT * rate):,} shots of two people are joined to {len(tracks)}")
    return passes


def write_video(file: Path, frames: int, rate: int, *, shot: int = 0) -> None:
    """Write a video of so many frames, with a cut to another photo after each shot of so many frames."""
    photos = [np.asarray(cv2.resize(photo, SIZE), np.uint8) for photo in load_examples()]
    shifted = [[np.ascontiguousarray(np.roll(photo, shift, axis=1)) for shift in range(24)] for photo in photos]
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "30"})
        stream.width, stream.height = SIZE
        for number in range(frames):
            images = shifted[number // shot % len(shifted) if shot else 0]
            place = number // 2 % (2 * len(images))
            image = images[min(place, 2 * len(images) - 1 - place)]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())


def measure(title: str, steps: Iterator[None], count: int) -> bool:
    """Note memory during a number of steps, say how it went, and return whether it stayed flat."""
    return compare(title, [resident() for number, _ in enumerate(steps) if number % max(1, count // SAMPLES) == 0])


def compare(title: str, notes: list[float]) -> bool:
    """Compare memory at the beginning and at the end, say how it went, and return whether it stayed flat."""
    tenth = max(1, len(notes) // 10)
    early, late = (statistics.median(part) for part in (notes[2 * tenth : 3 * tenth], notes[-tenth:]))
    growth = late / early - 1
    print(f"{title}: {early:.1f} MB after the first fifth, {late:.1f} MB at the end: {100 * growth:+.1f}%")
    return growth <= GROWTH


def main() -> int:
    """Measure both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000, help="photos; 0 for none")
    parser.add_argument("--minutes", type=float, default=60, help="length of the video; 0 for none")
    parser.add_argument("--rate", type=int, default=RATE, help="frames a second of the video")
    parser.add_argument("--people", action="store_true", help="join the tracks of each person in the video")
    options = parser.parse_args()
    if not STATM.is_file():
        print("this measurement needs Linux", file=sys.stderr)
        return 2
    flat = True
    if options.calls:
        flat &= measure(f"{options.calls:,} photos", read_photos(options.calls), options.calls)
    frames, title = round(60 * options.minutes * options.rate), f"{options.minutes:g} minutes of video"
    if options.minutes and options.people:
        for number, notes in enumerate(read_people(frames, options.rate), 1):
            flat &= compare(f"{title}, people joined, pass {number}", notes)
    elif options.minutes:
        flat &= measure(title, read_video(frames, options.rate), frames)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
