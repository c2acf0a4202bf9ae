"""What Ray and Dask cost beside plain processes: CPU time in all and in the steady state, as ratios.

    python benchmarks/engines.py PHOTOS [--times 3] [--rounds 1] [--only ray]

Each engine reads the photos into an archive with two workers. CPU seconds are those of the driver and of all processes
that it started: other work on the machine hardly disturbs them, as it does the time on the clock. All engines read the
same parts. The steady state lies between the first parts, in which workers start and open their networks, and the last
part that is done; its rate is photos by CPU second.

What an engine takes by the second while it has nothing to do is measured too. It counts more the longer a run takes,
and so on a busy machine. The rate without it is what an engine costs for the work itself.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from facemood import archive
from facemood.archive import ArchiveJob, EngineChoice, Reading, planning
from facemood.archive.local_engine import LocalEngine
from facemood.archive.part_engine import PartDone
from facemood.archive.worker_process import WorkerSetup

PART = 25
"""Photos of a part, so that there are many."""

WARM = 12
"""Parts that are done before the steady state is measured, or half of them where there are few."""

ENGINES = {"processes": None, "ray": "ray", "dask": "dask"}
"""Names of the engines, and how they are asked for."""


IDLE = 20.0
"""Seconds in which an engine has nothing to do."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--times", type=int, default=3, help="Copies of each photo that are read.")
    parser.add_argument("--rounds", type=int, default=1, help="How often each engine runs, in turn.")
    parser.add_argument("--only", choices=("ray", "dask"), help="The engine that is compared with processes.")
    options = parser.parse_args()
    planning.PART_PHOTOS = PART
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for number in range(options.times):
            shutil.copytree(options.photos, place / "photos" / str(number))
        print(f"{os.cpu_count()} cores, load", *(f"{load:.1f}" for load in os.getloadavg()), flush=True)
        for _ in range(options.rounds):
            plain: dict[str, float] = {}
            for name, on in ENGINES.items():
                if on not in (None, options.only or on):
                    continue
                told = measured(place, on)
                plain = plain or told
                ratio = {
                    "steady_rate_to_processes": round(told["photos_per_cpu_s"] / plain["photos_per_cpu_s"], 3),
                    "without_idle_to_processes": round(told["without_idle"] / plain["without_idle"], 3),
                    "cpu_to_processes": round(told["cpu_s"] / plain["cpu_s"], 3),
                }
                print(name, json.dumps({**told, **ratio}), f"load {os.getloadavg()[0]:.0f}", flush=True)


def measured(place: Path, on: str | None) -> dict[str, float]:
    """Read the photos with an engine, and return what it took."""
    idle = idle_cost(place, on)
    marks: list[tuple[float, float, float]] = []
    counted: dict[int, float] = {}
    largest = [0.0]

    def mark(progress: archive.ArchiveProgress) -> None:
        if not marks or progress.done - marks[-1][0] >= PART:
            marks.append((progress.done, spent(counted), time.monotonic()))
            largest[0] = max(largest[0], memory())

    before, began = spent({}), time.monotonic()
    summary = archive.run(str(place / "photos"), place / "out", on=on, workers=2, progress=mark)
    wall = time.monotonic() - began
    own = psutil.Process().cpu_times()
    counted[os.getpid()] = own.user + own.system
    shutil.rmtree(place / "out")
    (first, early, begin), (last, late, end) = marks[min(WARM, len(marks) // 2)], marks[-1]
    return {
        "photos": summary.inputs,
        "failures": len(summary.failures),
        "cpu_s": round(sum(counted.values()) - before, 1),
        "wall_s": round(wall, 1),
        "photos_per_cpu_s": round((last - first) / (late - early), 2),
        "idle_cpu_by_s": round(idle, 4),
        "without_idle": round((last - first) / (late - early - idle * (end - begin)), 2),
        "memory_mb": round(largest[0]),
    }


def idle_cost(place: Path, on: str | None) -> float:
    """Return the CPU seconds that an engine takes in a second after its workers have read a part each."""
    folder = place / "idle"
    job = ArchiveJob(Reading(), folder)
    parts = job.plan(str(photo) for photo in sorted((place / "photos" / "0").glob("*.jpg"))[: 2 * PART]).parts
    setup = WorkerSetup(Reading(), archive=str(folder))
    engine = LocalEngine(setup, 2) if on is None else EngineChoice(on, workers=2)(setup)
    for part in parts:
        engine.submit(part)
    done = 0
    while done < len(parts):
        done += isinstance(engine.next_event(1.0), PartDone)
    before, began = spent({}), time.monotonic()
    time.sleep(IDLE)
    cost = (spent({}) - before) / (time.monotonic() - began)
    engine.close()
    shutil.rmtree(folder)
    return cost


def spent(counted: dict[int, float]) -> float:
    """Return the CPU seconds of this process and of all that it started, also of those that have ended since.

    Args:
        counted: The last known CPU seconds of each process, which are brought up to date.
    """
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        counted[process.pid] = times.user + times.system
    return sum(counted.values())


def memory() -> float:
    """Return the megabytes that this process and all that it started hold for themselves."""
    me, total = psutil.Process(), 0
    for process in [me, *me.children(recursive=True)]:
        try:
            total += process.memory_full_info().uss
        except psutil.Error:
            continue
    return total / 1e6


if __name__ == "__main__":
    main()
