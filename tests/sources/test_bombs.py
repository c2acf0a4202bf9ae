"""Small files that are costly to read: their cost stays within multiples of that of an ordinary photo.

CPU time and memory are measured in a process for each file, from when the networks are loaded.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.server.attacks import motion_jpeg, photo, png, scans_jpeg

CHILD = """
import json, pathlib, resource, sys, time
from facemood import EmotionRecognizer, FacemoodError
def peak():
    status = pathlib.Path("/proc/self/status")  # ru_maxrss would include the process that started this one
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
recognizer = EmotionRecognizer(threads=1)
unit = 1 if sys.platform == "darwin" else 1024
memory, began = peak(), time.process_time()
try:
    frames = sum(1 for _ in recognizer.stream(sys.argv[1]))
except FacemoodError:
    frames = -1
grown = peak() - memory
print(json.dumps([frames, time.process_time() - began, grown * unit]))
"""
"""Reads a file, and prints the number of frames (-1 for an error), CPU seconds, and bytes that the memory grew by."""

MOST_TIME = 12
"""CPU time of a small file, in units of that of a photo of 12 million pixels with a face."""

MOST_MEMORY = 10
"""The same for memory."""


class Cost(NamedTuple):
    """What a file costs.

    Attributes:
        frames: How many were read; -1 if the file was refused.
        seconds: CPU time.
        memory: Bytes.
    """

    frames: int
    seconds: float
    memory: int


def cost_of(file: Path) -> Cost:
    done = subprocess.run([sys.executable, "-c", CHILD, file], capture_output=True, text=True, check=True, timeout=300)
    return Cost(*json.loads(done.stdout))


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory: pytest.TempPathFactory) -> Cost:
    file = tmp_path_factory.mktemp("photo") / "photo.jpg"
    file.write_bytes(photo(4000, 3000))
    return cost_of(file)


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell the peak of a process's memory")
@pytest.mark.parametrize(
    ("name", "make", "frames"),
    [
        ("thin.png", lambda: png(40_000_000, 1), 1),
        ("scans.jpg", lambda: scans_jpeg(2000, 2000, 2000), 1),
        ("bits.png", lambda: png(6320, 6320, bits=1), 1),
        ("huge.png", lambda: png(32_000, 32_000, bits=1), -1),
        ("grows.avi", lambda: motion_jpeg([(320, 240)] * 2 + [(6000, 6000)]), 3),
    ],
)
def test_a_small_file_costs_no_more_than_some_photos(
    tmp_path: Path, ordinary: Cost, name: str, make: Callable[[], bytes], frames: int
) -> None:
    data = make()
    assert len(data) < 1_000_000
    (tmp_path / name).write_bytes(data)
    cost = cost_of(tmp_path / name)
    assert cost.frames == frames
    assert cost.seconds < MOST_TIME * ordinary.seconds
    assert cost.memory < MOST_MEMORY * ordinary.memory
