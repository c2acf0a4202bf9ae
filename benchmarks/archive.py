"""What an archive costs: one plain process against archives with 1 and 2 workers, and the planning of many files.

    python benchmarks/archive.py PHOTOS [--files 1000000]

Prints CPU seconds, which other processes hardly disturb, and times.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PLAIN = "import sys\nfrom facemood.cli import main\nsys.argv = ['facemood', 'analyze', *sys.argv[1:]]\nmain()"
"""Runs the command line."""

PER_FOLDER = 1000
"""Files of each folder that planning finds."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--files", type=int, default=0, help="Empty files whose reading is planned, such as 1000000.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain = timed([str(options.photos), "-o", f"{folder}/one.csv", "--threads", "1", "-q"])
        print("one process, one thread", json.dumps(plain))
        for workers in (1, 2):
            told = timed([str(options.photos), "-o", f"{folder}/out-{workers}/", "--workers", str(workers), "-q"])
            ratio = told["cpu_s"] / plain["cpu_s"]
            print(f"archive, workers {workers}", json.dumps(told), f"CPU {ratio:.2f} of one process")
        if options.files:
            print("planning", json.dumps(plan_files(Path(folder), options.files)))


def timed(arguments: Sequence[str]) -> dict[str, float]:
    """Run the command line, and return its CPU seconds with those of its processes, and its time."""
    before, began = os.times(), time.monotonic()
    subprocess.run([sys.executable, "-c", PLAIN, *arguments], check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"cpu_s": round(cpu, 1), "wall_s": round(time.monotonic() - began, 1)}


def plan_files(folder: Path, count: int) -> dict[str, float]:
    """Make empty files, plan their reading, and return what that costs."""
    from facemood.archive import ArchiveJob, Reading
    from facemood.sources import find_inputs

    for number in range(count):
        place = folder / "files" / f"{number // PER_FOLDER:04d}"
        if number % PER_FOLDER == 0:
            place.mkdir(parents=True)
        (place / f"{number:07d}.jpg").touch()
    began, cpu = time.monotonic(), time.process_time()
    plan = ArchiveJob(Reading(), folder / "planned").plan(map(str, find_inputs(str(folder / "files"))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = {"cpu_s": round(time.process_time() - cpu, 1), "wall_s": round(time.monotonic() - began, 1)}
    return {"files": plan.inputs, "parts": len(plan.parts), **spent, "peak_mb": round(peak)}


if __name__ == "__main__":
    main()
