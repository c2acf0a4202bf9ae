"""Damaged images, videos, models and files of training: an error of facemood's or a result, in bounded time and memory.

Some thousands of them are tried with every run of the tests, always the same ones. `make fuzz` tries others for
minutes; `--fuzz-times 8` tries eight times as many files.
A file that leads to a fault is kept in `seeds/`, and tried with every run from then on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.watching import Report, read_damaged
from tests.fuzz.whole_files import WRITERS

CASES = {"images": 2500, "videos": 150, "files": 900}
"""How many damaged files of each kind are tried: about 15, 8 and 8 seconds."""

SEEDS = Path(__file__).parent / "seeds"
"""Files that once led to a fault, by kind."""

CHUNK = {"images": 500, "videos": 50, "files": 2000}
"""Files between two looks at the clock."""


def whole_files(folder: Path) -> list[Path]:
    """The files that nothing is wrong with."""
    return sorted(path for path in folder.iterdir() if path.is_file())


def cases_of(kind: str, config: pytest.Config, folder: Path) -> Report:
    """Read whole files, kept ones and damaged ones: a number of them, then as many as fit into the option's minutes."""
    minutes, seed = config.getoption("fuzz_minutes", 0), config.getoption("fuzz_seed", 0)
    first = CASES[kind] * config.getoption("fuzz_times", 1)
    kept = sorted(path for path in (SEEDS / kind).rglob("*") if path.is_file() and not path.name.startswith("."))
    total = read_damaged(kind, [*whole_files(folder), *kept, *range(first)], folder, seed=seed)
    end = time.monotonic() + 60 * minutes / len(CASES)
    while time.monotonic() < end and not total.faults:
        more = read_damaged(kind, range(first, first + CHUNK[kind]), folder, seed=seed)
        first += CHUNK[kind]
        total.outcomes += more.outcomes
        total.faults += more.faults
        total.slowest, total.peak = max(total.slowest, more.slowest), max(total.peak, more.peak)
    return total


@pytest.mark.slow
@pytest.mark.timeout(0)  # of one file the watch sees that it hangs
@pytest.mark.parametrize("kind", CASES)
def test_a_damaged_file_is_an_error_of_ours_or_a_result(
    kind: str, tmp_path: Path, pytestconfig: pytest.Config, record_property: Callable[[str, object], None]
) -> None:
    if kind == "files":
        for module in ("torch", "onnx"):
            pytest.importorskip(module, reason="needs the extra train")
    WRITERS[kind](tmp_path)
    report = cases_of(kind, pytestconfig, tmp_path)
    summary = f"{dict(report.outcomes)}, slowest {report.slowest:.1f} s, peak {report.peak:.0f} MB"
    record_property(kind, summary)
    sys.stdout.write(f"\n{kind}: {summary}\n")  # pytest -s shows it
    assert not report.faults, "keep these files in tests/fuzz/seeds: " + "\n".join(report.faults)
    assert not {str(file) for file in whole_files(tmp_path)} & set(report.refused)
    assert sum(report.outcomes.values()) > CASES[kind]
    assert len(report.refused) > CASES[kind] / 20
