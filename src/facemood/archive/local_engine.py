"""The engine of one machine: a process for each core."""

from __future__ import annotations

import logging
from queue import Empty, SimpleQueue

from facemood.archive.part_engine import EngineEvent, Part, PartDied, PartDone, PartProgress
from facemood.archive.worker_process import DIED, READY, WorkerMessage, WorkerProcess, WorkerSetup, end_all
from facemood.errors import WorkerError

logger: logging.Logger = logging.getLogger("facemood")

MOST_EARLY_DEATHS = 3
"""So many processes may end before they are ready, one after the other; then starting more is of no use."""


class LocalEngine:
    """Runs parts in processes on this machine.

    Args:
        setup: How inputs are read.
        slots: Number of processes.
    """

    slots: int

    def __init__(self, setup: WorkerSetup, slots: int) -> None:
        self.slots, self._setup = slots, setup
        self._messages: SimpleQueue[WorkerMessage] = SimpleQueue()
        self._workers: list[WorkerProcess] = []
        self._early = 0

    def submit(self, part: Part) -> None:
        """Give a part to a process that waits; a new process is started if none does."""
        for worker in self._workers:
            if worker.task is None:
                worker.give(part)
                return
        worker = WorkerProcess(self._setup, self._messages)
        self._workers.append(worker)
        worker.give(part)

    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what happens next; None if nothing happens in some seconds.

        Raises:
            OutputError: A part cannot be written.
            WorkerError: No process can be started.
        """
        try:
            message = self._messages.get(timeout=seconds)
        except Empty:
            return None
        return self._event_of(message)

    def close(self) -> None:
        """End all processes at once."""
        end_all(self._workers)

    def _event_of(self, message: WorkerMessage) -> EngineEvent | None:
        """Return what a message says."""
        worker, kind, value = message
        if kind == READY:
            worker.ready, self._early = True, 0
        elif kind == "log":
            logger.log(*value)
        elif kind == "error":
            raise value
        elif kind == "read":
            return PartProgress(worker.task, *value)
        elif kind == "part":
            worker.task = None
            return PartDone(value)
        elif kind == DIED:
            return self._bury(worker, value)
        return None

    def _bury(self, worker: WorkerProcess, how: str) -> EngineEvent | None:
        """Forget a process that ended. Before it was ready, that is no fault of its part."""
        self._workers.remove(worker)
        worker.wait()
        if not worker.ready:
            self._early += 1
            if self._early >= MOST_EARLY_DEATHS:
                raise WorkerError(f"the processes that read inputs end before they are ready ({how}); see above")
            if worker.task is not None:
                self.submit(worker.task)
            return None
        return PartDied(worker.task, how) if worker.task is not None else None
