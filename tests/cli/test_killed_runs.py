"""A run that is killed goes on where it was: no row twice, none lost, and little is read again."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import PHOTOS


@pytest.mark.skipif(sys.platform == "win32", reason="needs a signal that kills")
@pytest.mark.parametrize(("option", "number", "count"), [("--threads", "1", 150), ("--workers", "2", 150)])
def test_a_run_that_is_killed_goes_on_in_the_same_tables(tmp_path: Path, option: str, number: str, count: int) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
    (tmp_path / "in").mkdir()
    for photo in range(count):
        shutil.copy(PHOTOS / "grace_hopper.jpg", tmp_path / "in" / f"{photo:03d}.jpg")
    command = [sys.executable, "-m", "facemood", "analyze", "in", "-o", "t.csv", "-o", "t.parquet", option, number]
    sidecars = [tmp_path / "t.csv.json", tmp_path / "t.parquet.json"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as running:
        ends = time.monotonic() + 120
        while min(map(done_in, sidecars)) < 3 and time.monotonic() < ends:
            time.sleep(0.02)
        os.kill(running.pid, signal.SIGKILL)
    before = min(map(done_in, sidecars))
    assert 3 <= before < count
    assert not (tmp_path / "t.csv").exists()
    for part in tmp_path.glob("*.part"):  # it may be long until the run goes on
        os.utime(part, (0, 0))
    again = subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"{count - before}" in again.stderr
    expected = [f"in/{photo:03d}.jpg" for photo in range(count)]
    with (tmp_path / "t.csv").open(newline="") as table:
        assert sorted(row["source"] for row in csv.DictReader(table)) == expected
    assert sorted(parquet.read_table(tmp_path / "t.parquet")["source"].to_pylist()) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["in", "t.csv", "t.csv.json", "t.parquet", "t.parquet.json"]
    )


def done_in(sidecar: Path) -> int:
    """The inputs that a sidecar lists as done."""
    try:
        return sum(entry["state"] == "done" for entry in json.loads(sidecar.read_bytes())["sources"])
    except FileNotFoundError:
        return 0
