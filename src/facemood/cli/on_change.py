"""``facemood live --on-change``: run a command when a person's expression changes."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shlex
import shutil
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import typer

from facemood.cli.terminal import say
from facemood.filenames import printable

if TYPE_CHECKING:
    from types import TracebackType

    from facemood.expression_changes import ExpressionChange
    from facemood.results import Result

WAITING = 100
"""Most changes that wait for the command; of more, the oldest are dropped."""

LAST_WAIT = 5.0
"""Seconds for which the end of a run waits for commands that are due."""


def parse_command(text: str) -> list[str]:
    """Return the parts of a command; it is not run by a shell.

    Raises:
        typer.BadParameter: It is no command, or its program does not exist.

    Example:
        >>> parse_command("echo 'a b'")
        ['echo', 'a b']
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise typer.BadParameter(f"--on-change: {text!r} is no command ({error})") from None
    if not parts or shutil.which(parts[0]) is None:
        name = parts[0] if parts else text
        raise typer.BadParameter(f"--on-change: there is no program {name!r}; give a command such as './react.sh'")
    return parts


class ChangeCommand:
    """Runs a command for each change, one after the other, beside the reading.

    The command gets the change as a line of JSON on its standard input, and as environment variables:
    ``FACEMOOD_PERSON``, ``FACEMOOD_EXPRESSION``, ``FACEMOOD_BEFORE``, ``FACEMOOD_CONFIDENCE``, ``FACEMOOD_TIME`` and
    ``FACEMOOD_SOURCE``. What it prints goes to standard error.

    Args:
        text: The command.

    Raises:
        typer.BadParameter: It is no command.
    """

    def __init__(self, text: str) -> None:
        from facemood.expression_changes import ChangeWatcher

        self.command = parse_command(text)
        self.dropped = 0
        self._watcher = ChangeWatcher()
        self._changes: queue.Queue[ExpressionChange | None] = queue.Queue()
        self._running: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="on-change", daemon=True)

    def __enter__(self) -> ChangeCommand:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._changes.put(None)
        self._thread.join(0.0 if kind is KeyboardInterrupt else LAST_WAIT)
        self._ended = True
        if self._running is not None:
            with contextlib.suppress(OSError):
                self._running.kill()
        if self.dropped:
            say(f"facemood: --on-change was too slow for {self.dropped} changes, for which it did not run")

    def __call__(self, result: Result) -> None:
        """Run the command for the changes in a result."""
        for change in self._watcher.update(result):
            if self._changes.qsize() >= WAITING:
                with contextlib.suppress(queue.Empty):
                    self._changes.get_nowait()
                    self.dropped += 1
            self._changes.put(change)

    def _work(self) -> None:
        """Run the commands that are due, until the end."""
        while not self._ended and (change := self._changes.get()) is not None:
            self._run(change)

    def _run(self, change: ExpressionChange) -> None:
        """Run the command for one change; each kind of failure is told once."""
        values = change.to_dict()
        names = {"person": "PERSON", "label": "EXPRESSION", "before": "BEFORE", "confidence": "CONFIDENCE",
                 "time": "TIME", "source": "SOURCE"}  # fmt: skip
        known = {f"FACEMOOD_{variable}": str(values[name]) for name, variable in names.items()}
        line = json.dumps(values, ensure_ascii=False) + "\n"
        try:
            with subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=sys.stderr.fileno(), env={**os.environ, **known}
            ) as running:
                self._running = running
                running.communicate(line.encode("utf-8", "surrogateescape"))
            problem = f"ended with exit code {running.returncode}" if running.returncode else ""
        except (OSError, ValueError) as error:
            problem = str(error)
        self._running = None
        if problem and not self._ended and problem not in self._told:
            self._told.add(problem)
            say(f"facemood: --on-change: {printable(self.command[0])} {problem}; live goes on")
