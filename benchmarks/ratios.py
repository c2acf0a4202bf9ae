"""Ratios of CPU time and wall time against other commits, in one run. Appends to history.jsonl.

    python benchmarks/ratios.py COMMIT [COMMIT ...] [--rounds N] [--only WORD ...]

Each commit is checked out into a git worktree of its own, and its commands and those of this tree run by turns. The
least time of each counts. So the ratios hold on a machine that does other things too; seconds do not.
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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from machine import describe_machine

from facemood.schema import Image
from facemood.sinks.video_writer import VideoWriter
from facemood.sources import load_image

ROOT = Path(__file__).parents[1]

HISTORY = Path(__file__).with_name("history.jsonl")
"""A line of JSON for each commit that was compared."""

SIZE = (640, 480)
"""Width and height of photos and frames, in pixels."""

PHOTOS = 1000
"""Photos in the folder."""

FRAMES = 1500
"""Frames of the video, 25 a second: enough that the start of Python counts little."""

REPEATED = Path(__file__).with_name("repeated.py")
"""Reads one picture again and again, and prints its CPU time and wall time without the start. It is that of this tree
for all commits."""

FACES = 7
"""Faces of the photo with many."""


def main() -> None:
    """Measure, print and append."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("commits", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="WORD", help="only runs with one of these in the name"
    )
    options = parser.parse_args()
    machine = describe_machine()  # before the run, whose own load must not count
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = {
            what: command
            for what, command in make_commands(folder).items()
            if any(word in what for word in options.only)
        }
        with checked_out(options.commits, folder) as trees:
            for tree in trees.values():  # bytecode, as an installed package has it
                subprocess.run([sys.executable, "-m", "compileall", "-q", tree / "src"], check=False)
            found = {what: measure(command, trees, options.rounds) for what, command in commands.items()}
    for commit in options.commits:
        line = {
            "commit": short("HEAD"),
            "against": short(commit),
            "rounds": options.rounds,
            **({} if options.only == [""] else {"only": options.only}),
            **machine,
            "ratios": ratios(found, commit),
        }
        with HISTORY.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line["ratios"], indent=1))


def ratios(found: Mapping[str, Mapping[str, tuple[float, float]]], commit: str) -> dict[str, dict[str, float]]:
    """Return CPU and wall time of this tree over those of a commit, by what was run."""
    return {
        what: {kind: round(times[""][place] / times[commit][place], 2) for place, kind in enumerate(("cpu", "wall"))}
        for what, times in found.items()
    }


def make_commands(folder: Path) -> dict[str, list[str]]:
    """Write photos and a video, and return what is run."""
    photos = folder / "photos"
    photos.mkdir()
    face = np.asarray(cv2.resize(load_image(ROOT / "examples" / "photos" / "astronaut.png"), (480, 480)), np.uint8)
    view = cv2.copyMakeBorder(face, 0, 0, 80, 80, cv2.BORDER_REFLECT)[:, : SIZE[0]]
    for number in range(PHOTOS):
        cv2.imwrite(str(photos / f"{number:03}.jpg"), np.roll(view, number % 60, axis=1))
    many = str(folder / "many.png")
    cv2.imwrite(many, draw_many(face))
    video = folder / "video.mp4"
    writer = VideoWriter(video)
    for number in range(FRAMES):
        shift = round(20 * np.sin(number / 10))
        writer.add(np.ascontiguousarray(np.roll(view, shift, axis=1)).astype(np.uint8), timestamp=number / 25)
    writer.close()
    photo, command = str(photos / "000.jpg"), [sys.executable, "-m", "facemood"]
    repeated = [sys.executable, str(REPEATED)]
    return {
        "facemood --help": [*command, "--help"],
        "analyze PHOTO": [*command, "analyze", photo],
        "a photo, 1 thread": [*repeated, "photo", photo, "--threads", "1"],
        "a photo, default threads": [*repeated, "photo", photo],
        f"{FACES} faces, 1 thread": [*repeated, "photo", many, "--threads", "1"],
        f"{FACES} faces, default threads": [*repeated, "photo", many],
        "a live frame, 1 thread": [*repeated, "live", photo, "--threads", "1"],
        "a live frame, default threads": [*repeated, "live", photo],
        f"{PHOTOS:,} photos": [*command, "analyze", str(photos), "-q", "-o", str(folder / "photos.csv")],
        "video to a table": [*command, "analyze", str(video), "-q", "-o", str(folder / "video.csv")],
        "video, drawn": [*command, "analyze", str(video), "-q", "-o", str(folder / "drawn.mp4")],
    }


def draw_many(photo: Image) -> Image:
    """Draw a photo with many faces: the one of a photo, in two rows."""
    face = cv2.resize(photo[:244, 84:328], (150, 150), interpolation=cv2.INTER_AREA)
    many = np.full((SIZE[1], SIZE[0], 3), 128, np.uint8)
    for number in range(FACES):
        x, y = 10 + 158 * (number % 4), 10 + 230 * (number // 4)
        many[y : y + 150, x : x + 150] = face
    return many


@contextmanager
def checked_out(commits: list[str], folder: Path) -> Iterator[dict[str, Path]]:
    """Check commits out, and remove them afterwards. This tree has an empty name."""
    trees = {"": ROOT}
    try:
        for commit in commits:
            trees[commit] = folder / f"tree-{short(commit)}"
            git("worktree", "add", "--detach", str(trees[commit]), commit)
        yield trees
    finally:
        for commit in set(trees) - {""}:
            git("worktree", "remove", "--force", str(trees[commit]))


def measure(command: list[str], trees: Mapping[str, Path], rounds: int) -> dict[str, tuple[float, float]]:
    """Run a command in each tree by turns, and return the least CPU and wall time of each, in seconds."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in trees}
    names = list(trees)
    for turn in range(rounds + 1):
        first = turn % len(names)  # nobody is always the first, when the processor is cool
        for name in names[first:] + names[:first]:
            times[name].append(run(command, trees[name]))
    kept = {name: found[1:] for name, found in times.items()}  # the first round fills the system's cache
    return {name: (min(cpu for cpu, _ in found), min(wall for _, wall in found)) for name, found in kept.items()}


def run(command: list[str], tree: Path) -> tuple[float, float]:
    """Run a command in a tree, and return its CPU and wall time in seconds, or those that `REPEATED` prints."""
    environment = {**os.environ, "PYTHONPATH": str(tree / "src")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True, text=True)
    if str(REPEATED) in command:
        cpu, elapsed = map(float, done.stdout.split())
        return cpu, elapsed
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def short(commit: str) -> str:
    """Return the first digits of a commit."""
    return git("rev-parse", "--short", commit).strip()


def git(*arguments: str) -> str:
    """Run git in this tree."""
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
