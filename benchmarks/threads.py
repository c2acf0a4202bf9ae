"""How many threads are best, alone and beside busy processes. Writes threads.json.

    python benchmarks/threads.py [--rounds N]

Recognizers with each number of threads read the same photos by turns, so that other load meets all of them alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
from example_photos import load_photos
from machine import describe_machine

from facemood import EmotionRecognizer
from facemood.models.cpu_share import usable_cpus
from facemood.models.runtime import default_threads
from facemood.schema import Image

BUSY = (0, 1, 2)
"""Numbers of busy processes beside the measured one."""

Times = dict[str, list[tuple[float, float]]]
"""Wall and CPU seconds of each photo, by the number of threads."""


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=80)
    rounds = parser.parse_args().rounds
    machine = describe_machine()
    cv2.setNumThreads(1)
    photo = load_photos()[0]
    readers = {
        str(threads): EmotionRecognizer(device="cpu", threads=threads) for threads in range(1, usable_cpus() + 1)
    }
    default = str(default_threads() or os.cpu_count())
    rows = {}
    for many in BUSY:
        with busy(many):
            rows[str(many)] = row(measure(readers, photo, rounds), default)
        print(many, rows[str(many)], flush=True)
    known = {**machine, "default": default, "rounds": rounds, "busy": rows}
    Path(__file__).with_suffix(".json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


@contextmanager
def busy(many: int) -> Iterator[None]:
    """Run processes beside this one that do nothing but work, as urgent as this one."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(many)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def measure(readers: dict[str, EmotionRecognizer], photo: Image, rounds: int) -> Times:
    """Read a photo again and again, by turns."""
    times: Times = {name: [] for name in readers}
    names = list(readers)
    for turn in range(rounds + 1):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            wall, cpu = time.perf_counter(), time.process_time()
            readers[name].analyze_image(photo)
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {name: found[len(names) :] for name, found in times.items()}


def row(times: Times, default: str) -> dict[str, object]:
    """Return the median milliseconds of each number of threads, and the ratio of the default to the best one."""
    wall, cpu = (
        {name: round(1000 * statistics.median(one[kind] for one in found), 2) for name, found in times.items()}
        for kind in (0, 1)
    )
    best = round(wall[default] / min(wall.values()), 2)
    return {"wall_ms": wall, "cpu_ms": cpu, "default_to_best": best, "load": round(os.getloadavg()[0], 1)}


if __name__ == "__main__":
    main()
