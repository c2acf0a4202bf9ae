"""``facemood live --on-change``: tell a program when a person's expression changes, beside the reading."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

from facemood.cli.change_senders import sender_for
from facemood.cli.terminal import say

if TYPE_CHECKING:
    from types import TracebackType

    from facemood.expression_changes import ExpressionChange
    from facemood.results import Result

WAITING = 100
"""Most changes that wait; of more, the oldest are dropped."""

LAST_WAIT = 5.0
"""Seconds for which the end of a run waits for what is due."""


class ChangeReaction:
    """Tells a command, a WebSocket or an MQTT broker of each change, one after the other, beside the reading.

    A command gets the change as a line of JSON on its standard input, and as the environment variables of `VARIABLES`.
    What it prints goes to standard error.

    Args:
        text: The command, or the address of a WebSocket or of an MQTT topic.

    Raises:
        typer.BadParameter: It is neither.
        MissingExtraError: A package is not installed.
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
