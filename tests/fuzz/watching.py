"""Watch a process that reads damaged files: crashes, hangs, memory, and errors that are not facemood's."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

SECONDS = 5.0
"""Processor seconds that one file may take."""

STANDSTILL = 60.0
"""Seconds without a word after which the process is killed; more than `SECONDS`, since other processes may run."""

MEGABYTES = 1000.0
"""Peak memory of the process that reads."""


@dataclass
class Report:
    """What became of the files.

    Attributes:
        outcomes: How often files could be read, and how often each error was raised.
        faults: What should not have happened, each with its file.
        slowest: Processor seconds of the slowest file.
        peak: Megabytes of the process at its largest.
        refused: The cases that could not be read.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0
    peak: float = 0.0
    refused: list[str] = field(default_factory=list)


def read_damaged(kind: str, cases: Iterable[int | Path], folder: Path, *, seed: int = 0) -> Report:
    """Read damaged files in a process, and start another one where it ends or hangs.

    Args:
        kind: One of ``images``, ``videos`` and ``files``.
        cases: Numbers, from which the damage follows, and kept files.
        folder: Where the whole files of the kind are; faults are left there, in ``faults``.
        seed: Another one gives other damage.
    """
    report, left = Report(), [str(case) for case in cases]
    (folder / "faults").mkdir(exist_ok=True)
    while left:
        left = left[_read_some(kind, left, folder, seed, report) :]
    return report


def _read_some(kind: str, cases: list[str], folder: Path, seed: int, report: Report) -> int:
    """Let one process read as many cases as it can; return how many that were."""
    command = [sys.executable, "-m", "tests.fuzz.reading", kind, str(seed), str(folder)]
    with (folder / "faults" / "stderr.txt").open("ab") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT
        )
    assert process.stdin is not None
    process.stdin.write("\n".join(cases))
    process.stdin.close()
    done, current = 0, None
    lines = _lines_of(process)
    while True:
        try:
            line = lines.get(timeout=STANDSTILL)
        except queue.Empty:
            process.kill()
            break
        if line is None:
            break
        if "file" in line:
            current = line
            continue
        done += 1
        _note(line, current or {}, folder, report)
        current = None
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
    if current is not None:
        _note({"fault": f"the process stood still or ended, with {process.returncode}"}, current, folder, report)
        done += 1
    elif done < len(cases) and not done:
        raise AssertionError((folder / "faults" / "stderr.txt").read_text(errors="replace")[-3000:])
    return done


def _lines_of(process: subprocess.Popen[str]) -> queue.Queue[dict[str, Any] | None]:
    """Read what a process writes in a thread; None comes at its end."""
    lines: queue.Queue[dict[str, Any] | None] = queue.Queue()

    def read() -> None:
        for text in process.stdout or ():
            lines.put(json.loads(text))
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _note(line: dict[str, Any], current: dict[str, Any], folder: Path, report: Report) -> None:
    """Note what became of a file, and keep it where that was a fault."""
    why = line.get("fault")
    if why is None:
        report.outcomes[line["outcome"]] += 1
        if line["outcome"] != "read":
            report.refused.append(current["case"])
        report.slowest = max(report.slowest, line["seconds"])
        if line["seconds"] > SECONDS:
            why = f"it takes {line['seconds']:.1f} s"
        elif line["peak"] > MEGABYTES >= report.peak:
            why = f"memory grows to {line['peak']:.0f} MB"
        report.peak = max(report.peak, line["peak"])
    if why is not None:
        report.outcomes["fault"] += 1
        file = Path(current.get("file", "?"))
        kept = folder / "faults" / f"{current.get('case', '?').rpartition('/')[2]}-{file.name}"
        if file.is_file():
            kept.write_bytes(file.read_bytes())
        report.faults.append(f"{kept}: {why}")
