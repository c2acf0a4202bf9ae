"""What the tests ask of a page that another protocol than Chromium's drives, and how its browser is run."""

from __future__ import annotations

import contextlib
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

PATIENCE = 120.0
"""Seconds after which what was waited for counts as missing; a busy machine is slow."""


class DrivenPage(ABC):
    """The one page of a browser."""

    @abstractmethod
    def run(self, script: str) -> Any:
        """Return the value of an expression, or of the promise that it is: a text, number or truth value."""

    @abstractmethod
    def go_to(self, address: str) -> None:
        """Go to an address, and wait until it is loaded."""

    @abstractmethod
    def choose(self, name: str, *files: Path) -> None:
        """Choose files in the file input of a name."""

    def open(self, address: str) -> None:
        """Go to an address, and wait until the page says that it is ready."""
        self.go_to(address)
        self.wait("document.body && document.body.dataset.ready")

    def wait(self, script: str) -> Any:
        """Wait until an expression is true, and return its value."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if value := self.run(script):
                return value
            time.sleep(0.05)
        raise AssertionError(
            f"waited {PATIENCE:g} s for {script}; the page shows {self.run('document.body.innerText')}"
        )


@contextlib.contextmanager
def running(command: list[str], **options: Any) -> Iterator[IO[str] | None]:
    """Run a program until the block ends, and yield its stderr if the options make it a pipe."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, start_new_session=True, **{**quiet, **options}) as process:
        try:
            yield process.stderr
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
