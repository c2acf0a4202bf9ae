"""``facemood live --on-change``: tell a command or a WebSocket when a person's expression changes."""

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
from typing import TYPE_CHECKING, Any

import typer

from facemood.cli.terminal import say
from facemood.errors import require
from facemood.filenames import printable

if TYPE_CHECKING:
    from types import TracebackType

    from facemood.expression_changes import ExpressionChange
    from facemood.results import Result

WAITING = 100
"""Most changes that wait; of more, the oldest are dropped."""

LAST_WAIT = 5.0
"""Seconds for which the end of a run waits for what is due."""

CONNECT = 5.0
"""Seconds after which a WebSocket counts as not reachable."""

VARIABLES = {
    "person": "PERSON",
    "label": "EXPRESSION",
    "before": "BEFORE",
    "confidence": "CONFIDENCE",
    "time": "TIME",
    "source": "SOURCE",
}
"""Environment variable of each value, after ``FACEMOOD_``."""


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


class CommandSender:
    """Runs a command for each change, and waits for its end.

    Args:
        command: Its parts.
    """

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self._running: subprocess.Popen[bytes] | None = None

    def send(self, change: ExpressionChange) -> str:
        """Run the command; return what went wrong, or an empty text."""
        values = change.to_dict()
        known = {f"FACEMOOD_{variable}": str(values[name]) for name, variable in VARIABLES.items()}
        try:
            with subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=sys.stderr.fileno(), env={**os.environ, **known}
            ) as running:
                self._running = running
                running.communicate(line_of(change).encode("utf-8", "surrogateescape"))
        except (OSError, ValueError) as error:
            return f"{printable(self.command[0])}: {error}"
        finally:
            self._running = None
        code = running.returncode
        return f"{printable(self.command[0])} ended with exit code {code}" if code else ""

    def close(self) -> None:
        """End the command, if it runs."""
        running = self._running
        if running is not None:
            with contextlib.suppress(OSError):
                running.kill()


class WebSocketSender:
    """Sends each change as a text message to a WebSocket; the connection is opened for the first one.

    A connection that was lost is opened again for the next change.

    Args:
        address: The address, ``ws://`` or ``wss://``.

    Raises:
        MissingExtraError: websockets is not installed (extra ``serve``).
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._connect: Any = require("websockets.sync.client", extra="serve").connect
        self._errors = (OSError, ValueError, require("websockets.exceptions", extra="serve").WebSocketException)
        self._open: Any = None
        self._stack = contextlib.ExitStack()

    def send(self, change: ExpressionChange) -> str:
        """Send the change; return what went wrong, or an empty text."""
        from facemood.sources.live import public_name

        for last in (self._open is None, True):
            try:
                if self._open is None:
                    self._open = self._stack.enter_context(self._connect(self.address, open_timeout=CONNECT))
                self._open.send(line_of(change).rstrip("\n"))
            except self._errors as error:
                self.close()
                if last:
                    return f"{public_name(self.address)}: {error}"
            else:
                return ""
        return ""

    def close(self) -> None:
        """Close the connection."""
        self._open = None
        with contextlib.suppress(*self._errors):
            self._stack.close()


def line_of(change: ExpressionChange) -> str:
    """Return a change as a line of JSON."""
    return json.dumps(change.to_dict(), ensure_ascii=False) + "\n"


def sender_for(text: str) -> CommandSender | WebSocketSender:
    """Return what a change is sent to: a WebSocket's address, or a command.

    Raises:
        typer.BadParameter: It is no command.
        MissingExtraError: A package is not installed.
    """
    if text.lower().startswith(("ws://", "wss://")):
        return WebSocketSender(text)
    return CommandSender(parse_command(text))


class ChangeReaction:
    """Tells a command or a WebSocket of each change, one after the other, beside the reading.

    A command gets the change as a line of JSON on its standard input, and as the environment variables of `VARIABLES`.
    What it prints goes to standard error.

    Args:
        text: The command, or the address of a WebSocket.

    Raises:
        typer.BadParameter: It is no command.
    """

    def __init__(self, text: str) -> None:
        from facemood.expression_changes import ChangeWatcher

        self.dropped: int = 0
        self._sender = sender_for(text)
        self._watcher = ChangeWatcher()
        self._changes: queue.Queue[ExpressionChange | None] = queue.Queue()
        self._ended = False
        self._told: set[str] = set()
        self._thread = threading.Thread(target=self._work, name="on-change", daemon=True)

    def __enter__(self) -> ChangeReaction:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._changes.put(None)
        self._thread.join(0.0 if kind is KeyboardInterrupt else LAST_WAIT)
        self._ended = True
        self._sender.close()
        if self.dropped:
            say(f"facemood: --on-change was too slow for {self.dropped} changes, which were dropped")

    def __call__(self, result: Result) -> None:
        """Tell of the changes in a result."""
        for change in self._watcher.update(result):
            if self._changes.qsize() >= WAITING:
                with contextlib.suppress(queue.Empty):
                    self._changes.get_nowait()
                    self.dropped += 1
            self._changes.put(change)

    def _work(self) -> None:
        """Tell of the changes that are due, until the end; each kind of failure is told once."""
        while not self._ended and (change := self._changes.get()) is not None:
            problem = self._sender.send(change)
            if problem and not self._ended and problem not in self._told:
                self._told.add(problem)
                say(f"facemood: --on-change: {problem}; live goes on")
