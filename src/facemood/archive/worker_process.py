"""Starts a process that reads inputs, sends it tasks and takes its messages. `archive_worker` is what it runs."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import Full, Queue
from typing import Any, NamedTuple

from facemood.archive.reading import Reading
from facemood.child_process import start_child
from facemood.text import count

logger: logging.Logger = logging.getLogger("facemood")

WORKER = "facemood.archive.archive_worker"
"""The module that the process runs."""

ENDING = 10.0
"""Seconds that a process may take to end after it was asked to; then it is killed."""


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker process needs to know before its first task.

    Attributes:
        reading: How inputs are read.
        folder: The working folder, in which relative names start.
        archive: The folder of the archive; empty for a worker that sends its results back.
        looks: How images are drawn; None if an archive has none.
    """

    reading: Reading
    folder: str = field(default_factory=os.getcwd)
    archive: str = ""
    looks: Mapping[str, Any] | None = None


class WorkerMessage(NamedTuple):
    """A message of a worker process.

    Attributes:
        worker: Who sent it.
        kind: `READY`, `DIED`, ``"log"``, or what its task says.
        value: Its content.
    """

    worker: WorkerProcess
    kind: str
    value: Any


class WorkerLog:
    """Logs what worker processes log, each message once: all segments of a video that breaks off say so.

    Example:
        >>> log = WorkerLog()
        >>> log.tell(10, "a.mp4: breaks off"), log.tell(10, "a.mp4: breaks off")
        (True, False)
    """

    def __init__(self) -> None:
        self._told = set[tuple[int, str]]()

    def tell(self, level: int, text: str) -> bool:
        """Log a message; return whether it is a new one."""
        new = (level, text) not in self._told
        if new:
            self._told.add((level, text))
            logger.log(level, "%s", text)
        return new


READY = "ready"
"""Kind of the message that a process has opened its networks."""

DIED = "died"
"""Kind of the message that a process has ended; its value says how."""


FULL = 0.5
"""Seconds after which a message that finds the queue full looks whether its process is to end."""


class WorkerProcess:
    """A process that reads inputs. Its messages come through a queue that several processes may share.

    While the queue is full, the process waits.

    Args:
        setup: What it needs to know.
        messages: Takes its messages.

    Attributes:
        task: Its current task; None while it waits.
        ready: Whether it has opened its networks.
        gate: A thread that takes its messages waits for this event; clear it to let the process wait.
    """

    task: Any
    ready: bool
    gate: threading.Event

    def __init__(self, setup: WorkerSetup, messages: Queue[WorkerMessage]) -> None:
        self.task, self.ready, self.gate = None, False, threading.Event()
        self.gate.set()
        self._messages, self._closing = messages, False
        self._process = start_child(WORKER)
        threading.Thread(target=self._listen, daemon=True).start()
        self._send(setup)

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._process.pid

    def give(self, task: Any) -> None:
        """Send a task. If the process is dead, `DIED` tells it."""
        self.task = task
        self._send(task)

    def ask_to_end(self) -> None:
        """Ask the process to end at once; what it was writing is removed."""
        self._closing = True
        self.gate.set()
        with contextlib.suppress(OSError):
            self._process.terminate()

    def wait(self) -> None:
        """Wait until the process has ended; kill it if it takes too long."""
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _send(self, value: Any) -> None:
        """Send a value."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            pickle.dump(value, self._process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()

    def _listen(self) -> None:
        """Take the messages of the process until it ends."""
        assert self._process.stdout is not None
        with contextlib.suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
            while not self._closing:
                self.gate.wait()
                kind, value = pickle.load(self._process.stdout)
                self._put(kind, value)
        if not self._closing:
            self._put(DIED, ended(self._process.wait()))

    def _put(self, kind: str, value: Any) -> None:
        """Hand on a message, unless the process is to end."""
        while not self._closing:
            with contextlib.suppress(Full):
                self._messages.put(WorkerMessage(self, kind, value), timeout=FULL)
                return


def ended(code: int) -> str:
    """Return how a process ended, as text.

    Example:
        >>> ended(-9), ended(3)
        ('SIGKILL', 'exit code 3')
    """
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def end_all(workers: list[WorkerProcess]) -> None:
    """End processes, all at the same time."""
    for worker in workers:
        worker.ask_to_end()
    for worker in workers:
        worker.wait()
    workers.clear()


def usable_cores() -> int:
    """Return how many cores this process may use: batch systems and containers may give fewer than there are.

    Example:
        >>> usable_cores() >= 1
        True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def describe_death(how: str, times: int) -> str:
    """Return why an input is given up.

    Example:
        >>> describe_death("SIGKILL", 2)
        'the process that read it died 2 times (SIGKILL)'
    """
    return f"the process that read it died {count(times, 'time')} ({how})"
