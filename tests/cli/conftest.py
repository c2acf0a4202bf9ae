"""The command line as users run it: in a process of its own (`tests.forking`)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.forking import run_command
from tests.growing import part_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]

START = "import sys; from facemood.cli import main; main()"
"""A process that runs the command line, and can be prepared by code before it."""


def command_in(folder: Path) -> Run:
    """What runs the command in a folder."""

    def run(*arguments: object, cwd: Path = folder, columns: int = 100) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        return run_command([*map(str, arguments)], cwd, environment, timeout=300)

    return run


@pytest.fixture
def facemood(tmp_path: Path) -> Run:
    """Run the command in an empty folder; returns exit code, stdout and stderr."""
    return command_in(tmp_path)


@contextlib.contextmanager
def started(*arguments: object, before: str = "") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a command that serves a page at any free port, after some code; gives the address that it prints."""
    pytest.importorskip("fastapi", reason="needs the extra serve")
    command = [sys.executable, "-c", before + START, *map(str, arguments), "--port", "0"]
    environment = {**os.environ, "NO_COLOR": "1"}
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("facemood: open http"), line + process.stderr.read()
            yield line.split()[-1], process
        finally:
            process.kill()


def wait_for_rows(table: Path, size: int, *, seconds: float = 60) -> None:
    """Wait until a table that grows holds so many bytes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        part = part_of(table)
        if part is not None and part.stat().st_size > size:
            return
        time.sleep(0.02)
    raise TimeoutError(table)
