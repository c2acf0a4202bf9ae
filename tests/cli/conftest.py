"""The command line as users run it: in a process of its own (`tests.forking`)."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forking import run_command
from tests.growing import part_of

Run = Callable[..., "subprocess.CompletedProcess[str]"]


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


def wait_for_rows(table: Path, size: int, *, seconds: float = 60) -> None:
    """Wait until a table that grows holds so many bytes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        part = part_of(table)
        if part is not None and part.stat().st_size > size:
            return
        time.sleep(0.02)
    raise TimeoutError(table)
