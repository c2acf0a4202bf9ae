"""What an archive costs: one plain process against archives with 1 and 2 workers, and the planning of many files.

    python benchmarks/archive.py PHOTOS [--video FILE] [--files 1000000]

Prints CPU seconds, which other processes hardly disturb, and times. With a video, also what a million photos and 10,000
hours of video would cost by these figures.
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

from facemood.archive.made_by import processor
from facemood.sources import find_inputs, probe_video

PLAIN = "import sys\nfrom facemood.cli import main\nsys.argv = ['facemood', 'analyze', *sys.argv[1:]]\nmain()"
"""Runs the command line."""

PER_FOLDER = 1000
"""Files of each folder that planning finds."""

MANY_PHOTOS = 1_000_000
"""Photos whose cost is told on paper."""

MANY_HOURS = 10_000
"""Hours of video whose cost is told on paper."""

MANY_CORES = (8, 100)
"""Numbers of cores for which times are told on paper."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--video", type=Path, help="Video of which the cost of a second is measured.")
    parser.add_argument("--files", type=int, default=0, help="Empty files whose reading is planned, such as 1000000.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain = timed([str(options.photos), "-o", f"{folder}/one.csv", "--threads", "1", "-q"])
        print("one process, one thread", json.dumps(plain), flush=True)
        for workers in (1, 2):
            told = timed([str(options.photos), "-o", f"{folder}/out-{workers}/", "--workers", str(workers), "-q"])
            ratio = told["cpu_s"] / plain["cpu_s"]
            print(f"archive, workers {workers}", json.dumps(told), f"CPU {ratio:.2f} of one process")
        if options.video:
            on_paper(Path(folder), options.photos, options.video)
        if options.files:
            print("planning", json.dumps(plan_files(Path(folder), options.files)))


def timed(arguments: Sequence[str]) -> dict[str, float]:
    """Run the command line, and return its CPU seconds with those of its processes, and its time."""
    before, began = os.times(), time.monotonic()
    subprocess.run([sys.executable, "-c", PLAIN, *arguments], check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"cpu_s": round(cpu, 1), "wall_s": round(time.monotonic() - began, 1)}


def on_paper(folder: Path, photos: Path, video: Path) -> None:
    """Print the cost of a photo and of a second of video, and what many of them would cost."""
    names = [Path(str(item)) for item in find_inputs(str(photos))]
    seconds = probe_video(video).duration
    if not seconds:
        raise SystemExit(f"{video}: its duration is unknown; give another video")
    print("machine", processor(), f"{os.cpu_count()} cores, load", *(f"{load:.1f}" for load in os.getloadavg()))
    start, _ = cost_of([names[0]], folder / "start")
    cpu, size = cost_of([photos], folder / "photos")
    photo, photo_bytes = (cpu - start) / (len(names) - 1), size / len(names)
    cpu, size = cost_of([video], folder / "video")
    second, second_bytes = (cpu - start) / seconds, size / seconds
    print(f"start of driver, worker and first photo {start:.1f} CPU s")
    print(f"a photo {photo * 1000:.1f} CPU ms, {photo_bytes:.0f} B of parts; {len(names)} photos of {photos.name}")
    print(f"a second of video {second:.2f} CPU s, {second_bytes:.0f} B of parts; {seconds:.0f} s of {video.name}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"largest process {peak:.0f} MB")
    many = MANY_HOURS * 3600
    for label, hours, total in (
        (f"{MANY_PHOTOS:,} photos", photo * MANY_PHOTOS / 3600, photo_bytes * MANY_PHOTOS),
        (f"{MANY_HOURS:,} hours of video", second * many / 3600, second_bytes * many),
    ):
        walls = ", ".join(f"{hours / cores:,.2f} h on {cores} cores" for cores in MANY_CORES)
        print(f"on paper: {label} {hours:,.1f} CPU hours ({walls}), {total / 1e9:.1f} GB of parts")


def cost_of(inputs: Sequence[Path], place: Path) -> tuple[float, int]:
    """Read inputs into an archive with one worker; returns CPU seconds, and the bytes of the parts."""
    spent = timed([*map(str, inputs), "-o", f"{place}/", "--workers", "1", "-q"])
    return spent["cpu_s"], sum(part.stat().st_size for part in place.glob("parts/*.parquet"))


def plan_files(folder: Path, count: int) -> dict[str, float]:
    """Make empty files, plan their reading, and return what that costs."""
    from facemood.archive import ArchiveJob, Reading

    for number in range(count):
        place = folder / "files" / f"{number // PER_FOLDER:04d}"
        if number % PER_FOLDER == 0:
            place.mkdir(parents=True)
        (place / f"{number:07d}.jpg").touch()
    began, cpu, waited = time.monotonic(), time.process_time(), waiting()
    plan = ArchiveJob(Reading(), folder / "planned").plan(map(str, find_inputs(str(folder / "files"))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = {"cpu_s": round(time.process_time() - cpu, 1), "wall_s": round(time.monotonic() - began, 1)}
    spent["waited_for_a_core_s"] = round(waiting() - waited, 1)
    return {"files": plan.inputs, "parts": len(plan.parts), **spent, "peak_mb": round(peak)}


def waiting() -> float:
    """Return the seconds that this thread was ready to run and had no core, as Linux tells them; 0 elsewhere."""
    facts = Path("/proc/self/schedstat")
    return int(facts.read_text().split()[1]) / 1e9 if facts.is_file() else 0.0


if __name__ == "__main__":
    main()
