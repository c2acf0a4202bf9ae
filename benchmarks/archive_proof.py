"""Whether an archive has the rows of one process, whatever is killed: thousands of photos, and videos, one of them cut.

    python benchmarks/archive_proof.py DATA PLACE [--only ray ...]

DATA has the folders news_faces, scenes and videos. PLACE is made and filled: inputs, tables and archives; what is there
of an earlier run is used again. Four inputs are damaged, and one kills each process that reads it. The inputs are read
by two workers, which nobody disturbs, or whose driver or one of which is killed, and by Ray and by Dask. Prints CPU
seconds, memory and what was compared, and ends with exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import av
import cv2

from facemood.archive.made_by import processor
from facemood.sources import read_video

SEGMENT = "15s"
"""Length of the segments."""

MIRRORED = 400
"""Photos of faces that are mirrored for more."""

ROUNDS = 3
"""How often the long video shows all clips."""

RATE = 25
"""Frames a second of the made videos."""

CRASHING = "crashing.png"
"""A pipe: a process that reads it is killed."""

DAMAGED = {
    "in/damaged.jpg": b"\xff\xd8\xff no photo",
    "in/empty.png": b"",
    "in/noise.mp4": bytes(range(256)) * 9,
    "in/text.gif": b"GIF89a says the text",
}
"""Inputs that cannot be read, and their bytes."""

KILL_AFTER = 12
"""Parts that are done when a process is killed."""

EARLY = 5
"""Parts after which the memory of the driver is compared with its peak."""

COMMAND = "import sys\nfrom facemood.cli import main\nsys.argv = ['facemood', *sys.argv[1:]]\nmain()"
"""Runs the command line."""

LOOK = 0.1
"""Seconds between two looks at processes and parts."""

Row: TypeAlias = "tuple[str, ...]"
"""A row of a table."""

Victims: TypeAlias = "Callable[[int], list[int]]"
"""Returns the processes to kill, from the process ID of the driver."""


WAYS: dict[str, Victims | None] = {
    "two": None,
    "driver": lambda driver: [driver],
    "worker": lambda driver: workers_of(driver)[:1],
    "ray": None,
    "dask": None,
}
"""How the inputs are read, and which processes are killed on the way."""

ENGINES = ("ray", "dask")
"""Ways that are engines."""


class Spent(NamedTuple):
    """What a command took.

    Attributes:
        code: Its exit code.
        cpu: CPU seconds of the process and of those that it started.
        wall: Seconds.
        early: Most memory of the process in MB until `EARLY` parts were done.
        most: Most memory of the process in MB.
    """

    code: int
    cpu: float
    wall: float
    early: float
    most: float


def main() -> None:
    """Make the inputs, read them in four ways, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("place", type=Path)
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS), help="How the inputs are read.")
    options = parser.parse_args()
    if not (options.place / "in").exists():
        options.place.mkdir(parents=True, exist_ok=True)
        make_inputs(options.data.resolve(), options.place / "making")
        (options.place / "making").rename(options.place / "in")
        os.mkfifo(options.place / CRASHING)
    os.chdir(options.place)
    kinds = [path.suffix for path in Path("in").iterdir()]
    print(f"{kinds.count('.mp4') - 1} videos and {len(kinds) - kinds.count('.mp4') - 3} photos; {len(DAMAGED)} damaged")
    print(
        "machine",
        processor(),
        f"{os.cpu_count()} cores, load",
        *(f"{load:.1f}" for load in os.getloadavg()),
        flush=True,
    )
    if not Path("one.csv").exists():
        told("one process", run(["in", "--threads", "1", "-o", "one.csv"]))
    expected = rows_of(Path("one.csv"))
    with killing_readers(Path(CRASHING)):
        same = [is_same(name, expected) for name in options.only]
    raise SystemExit(0 if all(same) else 1)


def make_inputs(data: Path, folder: Path) -> None:
    """Fill a folder with photos, videos and damaged files."""
    folder.mkdir()
    news = sorted((data / "news_faces").glob("*.jpg"))
    scenes = [path for ending in ("jpg", "JPEG", "png") for path in sorted((data / "scenes").glob(f"*.{ending}"))]
    for path in (*news, *scenes):
        shutil.copy(path, folder / f"{path.parent.name}-{path.name}")
    for path in news[:MIRRORED]:
        cv2.imwrite(str(folder / f"mirrored-{path.name}"), cv2.flip(cv2.imread(str(path)), 1))  # type: ignore[arg-type]
    clips = sorted((data / "videos").glob("*.mp4"))
    for path in clips:
        shutil.copy(path, folder / path.name)
    images = [[cv2.resize(frame.image, (480, 270)) for frame in read_video(path)] for path in clips]
    for number, clip in enumerate(images):
        write_video(folder / f"back-{number}.mp4", clip[::-1])
        write_video(folder / f"mirrored-{number}.mp4", [cv2.flip(image, 1) for image in clip])
    write_video(folder / "long.mp4", itertools.chain.from_iterable(images * ROUNDS))
    for name, content in DAMAGED.items():
        (folder / Path(name).name).write_bytes(content)


def write_video(path: Path, images: Iterable[Any]) -> None:
    """Write images as H.264."""
    with av.open(str(path), "w") as video:
        stream: Any = video.add_stream("libx264", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for image in images:
            video.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        video.mux(stream.encode(None))


def run(arguments: list[str], victims: Victims | None = None) -> Spent:
    """Analyze inputs; kill processes when some parts are done."""
    parts = Path(arguments[-1], "parts")
    before, began = os.times(), time.monotonic()
    early, most = 0.0, 0.0
    command = [sys.executable, "-c", COMMAND, "analyze", *arguments, "--segment", SEGMENT, "-q"]
    with open("messages.txt", "a") as messages, subprocess.Popen(command, stderr=messages) as process:
        while process.poll() is None:
            done, most = len(list(parts.glob("[!.]*.parquet"))), max(most, memory_of(process.pid))
            early = most if done <= EARLY else early
            if victims is not None and done >= KILL_AFTER:
                for victim in victims(process.pid):
                    os.kill(victim, signal.SIGKILL)
                victims = None
            time.sleep(LOOK)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(process.returncode, cpu, time.monotonic() - began, early, most)


def is_same(name: str, expected: list[Row]) -> bool:
    """Read with two processes, and return whether the rows are those of one process, and the failures are the known."""
    more = ["--on", name] if name in ENGINES else []
    arguments = ["in", CRASHING, "--workers", "2", *more, "-o", f"{name}/"]
    told(f"two workers, {name}", spent := run(arguments, WAYS[name]))
    if spent.code < 0:
        told(f"two workers, {name}, again", run(arguments))
    call("archive", "collect", f"{name}/", "-o", f"{name}.csv")
    status = json.loads(call("archive", "status", f"{name}/", "--json"))
    left = [path.name for path in Path(name, "parts").iterdir() if path.name.startswith(".")]
    failed = sorted(one for one, _ in status["failures"])
    rows = rows_of(Path(f"{name}.csv"))
    print(f"  {status['inputs']} inputs in {status['parts']} parts, {len(rows) - 1} rows; left over: {left}")
    print(f"  rows equal to those of one process: {rows == expected}; failed:")
    for one, reason in status["failures"]:
        print("   ", one, reason, flush=True)
    return rows == expected and failed == sorted([*DAMAGED, CRASHING]) and not left


def told(name: str, spent: Spent) -> None:
    """Print what a command took."""
    memory = f"driver {spent.early:.0f} MB after {EARLY} parts, {spent.most:.0f} MB at most"
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(
        f"{name}: exit code {spent.code}, {spent.cpu:.0f} CPU s, {spent.wall:.0f} s, {memory}, load {load}", flush=True
    )


def call(*arguments: str) -> str:
    """Run another command, and return what it prints."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def rows_of(table: Path) -> list[Row]:
    """Return the rows of a CSV file, sorted, with its header as the first one."""
    with table.open(newline="") as file:
        header, *rows = map(tuple, csv.reader(file))
    return [header, *sorted(rows)]


def memory_of(process: int) -> float:
    """Return the memory of a process in MB; 0 if it is gone."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def workers_of(driver: int) -> list[int]:
    """Return the processes that a process started."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            if entry.name.isdecimal() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == driver:
                found.append(int(entry.name))
    return found


@contextlib.contextmanager
def killing_readers(pipe: Path) -> Iterator[None]:
    """Kill each process that opens a pipe."""
    stop, name = threading.Event(), str(pipe.resolve())

    def kill() -> None:
        while not stop.is_set():
            try:
                handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)  # fails while nobody reads
            except OSError:
                time.sleep(LOOK / 10)
                continue
            for entry in Path("/proc").iterdir():
                if entry.name.isdecimal() and int(entry.name) != os.getpid() and has_open(entry, name):
                    with contextlib.suppress(OSError):
                        os.kill(int(entry.name), signal.SIGKILL)
            os.close(handle)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def has_open(process: Path, name: str) -> bool:
    """Return whether a process has a file open."""
    with contextlib.suppress(OSError):
        return any(os.path.realpath(handle) == name for handle in (process / "fd").iterdir())
    return False


if __name__ == "__main__":
    main()
