"""The process that forks commands for the tests."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemood import __version__
from tests.forking import ForkServer

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture
def server() -> Iterator[ForkServer]:
    """A server that imported nothing before."""
    server = ForkServer([])
    yield server
    server.close()


def test_a_command_that_takes_too_long_is_ended_alone(server: ForkServer, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never.png")
    with pytest.raises(RuntimeError, match=r"(?s)took longer than 4 s.*most recent call first"):
        server.run(["analyze", "never.png"], tmp_path, os.environ, timeout=4)
    assert server.run(["--version"], tmp_path, os.environ, timeout=60).returncode == 0


def test_a_server_that_was_killed_starts_anew(server: ForkServer, tmp_path: Path) -> None:
    os.kill(server._process.pid, signal.SIGKILL)
    server._process.wait()
    done = server.run(["--version"], tmp_path, os.environ, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, __version__)


def test_a_server_starts_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    server = ForkServer([])
    done = server.run(["--version"], tmp_path, os.environ, timeout=60)
    server.close()
    assert (done.returncode, done.stdout.strip()) == (0, __version__)
