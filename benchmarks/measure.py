"""Shared by all measurements: effort, timing of calls and processes, and rows."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Row = dict[str, str | int | float]
"""One line of a table: column to value, numbers unrounded. All rows of a table have the same columns."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Effort:
    """How often things are measured.

    Attributes:
        seconds: How long a call is repeated.
        starts: How often a process is started.
        rounds: How often two tools take turns.
        folders: How many photos the folders hold read to measure memory.
        videos: How many minutes the videos last read to measure time and memory.
    """

    seconds: float = 5.0
    starts: int = 11
    rounds: int = 21
    folders: tuple[int, ...] = (100, 1000)
    videos: tuple[float, ...] = (1.0, 10.0)


QUICK = Effort(seconds=0.05, starts=1, rounds=1, folders=(4, 8), videos=(0.01, 0.02))
"""For a check that everything runs; its figures mean nothing."""


def repeat(call: Callable[[], T], seconds: float, *, least: int = 3, warmups: int = 2) -> list[T]:
    """Call again and again for some seconds and return the answers, without those of the warm-up."""
    for _ in range(warmups):
        call()
    answers: list[T] = []
    end = time.perf_counter() + seconds
    while len(answers) < least or time.perf_counter() < end:
        answers.append(call())
    return answers


def time_call(call: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def time_process(command: Sequence[str]) -> float:
    """Return the milliseconds from starting a process to its end.

    Raises:
        RuntimeError: It failed, so that its time would mean nothing.
    """
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    elapsed = 1000 * (time.perf_counter() - started)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return elapsed


def timing(what: str, times: Sequence[float], **more: str | float) -> Row:
    """Return the row of something that was timed several times, in milliseconds."""
    return {"what": what, "median ms": statistics.median(times), "min ms": min(times), "runs": len(times), **more}


def facemood_command() -> str:
    """Return the command line's script that belongs to this interpreter.

    Raises:
        RuntimeError: It is not next to the interpreter.
    """
    found = shutil.which("facemood", path=str(Path(sys.executable).parent))
    if found is None:
        raise RuntimeError(f"there is no command facemood next to {sys.executable}; install the package there first")
    return found
