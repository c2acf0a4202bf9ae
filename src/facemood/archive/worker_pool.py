"""Processes that wait for tasks: each takes one at a time, and a dead one is replaced when there is a task."""

from __future__ import annotations

from queue import Empty, Queue
from typing import Any

from facemood.archive.worker_process import (
    DIED,
    READY,
    WorkerLog,
    WorkerMessage,
    WorkerProcess,
    WorkerSetup,
    end_all,
)
from facemood.errors import WorkerError

MOST_EARLY_DEATHS = 3
"""So many processes may end before they are ready, one after the other; then starting more is of no use."""


QUEUED = 64
"""Messages that may wait to be taken; more wait in their processes."""


class WorkerPool:
    """Processes on this machine.

    Args:
        setup: How inputs are read.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._messages: Queue[WorkerMessage] = Queue(QUEUED)
        self._workers: list[WorkerProcess] = []
        self._early = 0
        self._log = WorkerLog()

    def give(self, task: Any) -> None:
        """Give a task to a process that waits; a new process is started if none does."""
        for worker in self._workers:
            if worker.task is None:
                worker.give(task)
                return
        worker = WorkerProcess(self._setup, self._messages)
        self._workers.append(worker)
        worker.give(task)

    def next_message(self, seconds: float) -> WorkerMessage | None:
        """Return what a process says next of its task; None if there is nothing, after some seconds at the latest.

        Raises:
            OutputError: A part cannot be written.
            WorkerError: No process can be started.
        """
        try:
            message = self._messages.get(timeout=seconds)
        except Empty:
            return None
        worker, kind, value = message
        if kind == READY:
            worker.ready, self._early = True, 0
        elif kind == "log":
            self._log.tell(*value)
        elif kind == "error":
            raise value
        elif kind != DIED or self._bury(worker, value):
            return message
        return None

    def close(self) -> None:
        """End all processes at once."""
        end_all(self._workers)

    def _bury(self, worker: WorkerProcess, how: str) -> bool:
        """Forget a process that ended; return whether its task died with it, which is not so before it was ready."""
        self._workers.remove(worker)
        worker.wait()
        if worker.ready:
            return worker.task is not None
        self._early += 1
        if self._early >= MOST_EARLY_DEATHS:
            raise WorkerError(f"the processes that read inputs end before they are ready ({how}); see above")
        if worker.task is not None:
            self.give(worker.task)
        return False
