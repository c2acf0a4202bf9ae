"""Peak memory of reading a folder, and whether it grows with the number of photos."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from example_photos import write_folder
from measure import Effort, Row, facemood_command

PEAK = Path(__file__).with_name("peak.py")


def measure_memory(effort: Effort) -> list[Row]:
    """Read folders of growing size with the command line into a table and a JSON-lines file."""
    with tempfile.TemporaryDirectory() as place:
        return [_read_folder(Path(place) / str(count), count) for count in effort.folders]


def _read_folder(folder: Path, count: int) -> Row:
    """Read one folder in a process of its own.

    Raises:
        RuntimeError: The command failed.
    """
    write_folder(folder, count)
    table, lines = folder.with_suffix(".csv"), folder.with_suffix(".jsonl")
    command = [facemood_command(), "analyze", str(folder), "-o", str(table), "-o", str(lines), "--quiet"]
    started = time.perf_counter()
    # A process inherits the peak of the one that starts it; peak.py is small, and this one is not.
    done = subprocess.run([sys.executable, str(PEAK), *command], capture_output=True, text=True, check=False)
    elapsed = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return {"photos": count, "peak MB": int(done.stdout) / 1e6, "seconds": elapsed, "photos a second": count / elapsed}
