"""Real processes, real signals: what a run leaves, and how the next one goes on with it."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.growing import part_of

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals of POSIX")

INPUTS = ["a.png", "b.png", "pipe.png", "c.png"]
OUTPUTS = ["-o", "t.csv", "-o", "own/{name}.csv", "-o", "r.html"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with three pictures and a pipe: a run stands still at it, until somebody writes into it."""
    for name in INPUTS:
        if name == "pipe.png":
            os.mkfifo(tmp_path / name)
        else:
            Image.new("RGB", (32, 32), "grey").save(tmp_path / name)
    return tmp_path


@contextlib.contextmanager
def standing_still(place: Path, outputs: Sequence[str], *, ignored: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A run that has read two pictures and waits for the third."""
    command = [sys.executable, "-m", "facemood", "analyze", *INPUTS, *outputs, "--batch", "1", "--threads", "1", "-q"]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN) if ignored else None
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=place)
    finally:
        if before is not None:
            signal.signal(signal.SIGHUP, before)
    with process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            if part_of(place / "own" / "b.csv") is not None and (place / "t.csv.json").exists():
                time.sleep(0.1)
                break
            time.sleep(0.02)
        try:
            yield process
        finally:
            process.kill()


def sources(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["source"] for row in csv.DictReader(file)]


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - set(INPUTS)


def fill(place: Path) -> None:
    """Put a picture where the pipe was."""
    (place / "pipe.png").unlink()
    Image.new("RGB", (32, 32), "black").save(place / "pipe.png")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_request_to_end_keeps_what_was_read(facemood: Run, place: Path, number: signal.Signals, code: int) -> None:
    with standing_still(place, OUTPUTS) as process:
        process.send_signal(number)
        _, words = process.communicate(timeout=60)
    assert (process.returncode, words) == (code, "facemood: interrupted after 2 images; what was read is kept\n")
    assert names(place) == {
        "t.unfinished.csv", "t.csv.json", "own/a.csv", "own/b.unfinished.csv", "own/facemood.json", "r.unfinished.html",
    }  # fmt: skip
    assert sources(place / "t.unfinished.csv") == ["a.png", "b.png"]
    fill(place)
    done = facemood("analyze", *INPUTS, *OUTPUTS[:4], "-q", "--resume", "--threads", 1)
    assert (done.returncode, done.stderr) == (0, "facemood: 1 of 4 inputs are done already\n")
    assert sorted(sources(place / "t.csv")) == sorted(INPUTS)
    expected = {"t.csv", "t.csv.json", "own/facemood.json", *(f"own/{name[:-4]}.csv" for name in INPUTS)}
    assert names(place) - {"r.unfinished.html"} == expected


def test_after_a_kill_one_table_goes_on_and_a_second_run_beside_it_is_told(facemood: Run, place: Path) -> None:
    (place / "t.csv").write_text("of yesterday")
    with standing_still(place, OUTPUTS) as process:
        second = facemood("analyze", "a.png", "-o", "t.csv", "-q", "--threads", 1)
        assert second.returncode == 3
        assert f"another process is writing it (process ID {process.pid})" in second.stderr
        process.kill()
        process.wait()
    assert (place / "t.csv").read_text() == "of yesterday"
    fill(place)
    done = facemood("analyze", *INPUTS, *OUTPUTS[:4], "-q", "--resume", "--threads", 1)
    assert (done.returncode, done.stderr) == (0, "facemood: 1 of 4 inputs are done already\n")
    assert sorted(sources(place / "t.csv")) == sorted(INPUTS)
    assert sorted(path.name for path in (place / "own").iterdir()) == [
        "a.csv", "b.csv", "c.csv", "facemood.json", "pipe.csv",
    ]  # fmt: skip
    left = {name for name in names(place) if name.endswith((".part", ".lock"))}
    assert {name.partition(".html")[0] for name in left} <= {"r", ".r"}  # the report is another run's to write


def test_a_hangup_that_is_ignored_stays_so(place: Path) -> None:
    with standing_still(place, OUTPUTS, ignored=True) as process:
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert process.poll() is None
        (place / "pipe.png").write_bytes((place / "a.png").read_bytes())
        _, words = process.communicate(timeout=60)
    assert (process.returncode, words) == (0, "")
    assert sources(place / "t.csv") == INPUTS


def test_a_table_to_a_pipe_that_nobody_reads_ends_without_a_word(place: Path) -> None:
    fill(place)
    for number in range(30):
        os.link(place / "a.png", place / f"n{number:02}.png")
    command = f"{sys.executable} -m facemood analyze . -q --threads 1 --batch 1 -o - -o t.jsonl | head -n 2"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, cwd=place
    )
    assert (done.returncode, done.stderr) == (141, "")
    assert len(done.stdout.splitlines()) == 2
    assert (place / "t.unfinished.jsonl").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_must_not_be_interrupted_comes_to_its_end(number: signal.Signals) -> None:
    code = (
        "import signal, sys; from facemood.cli.signals import exit_code, listen, uninterrupted\n"
        "listen()\n"
        "try:\n"
        "    with uninterrupted():\n"
        f"        signal.raise_signal({number.value}); print('whole')\n"
        "    print('never')\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(exit_code())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "whole\n", "")
