"""The engine of one machine: a process for each core."""

from __future__ import annotations

from facemood.archive.part import ArchivePart
from facemood.archive.part_engine import EngineEvent, PartDied, PartDone, PartProgress
from facemood.archive.worker_pool import WorkerPool
from facemood.archive.worker_process import DIED, WorkerSetup


class LocalEngine:
    """Runs parts in processes on this machine.

    Args:
        setup: How inputs are read.
        slots: Number of processes.
    """

    slots: int

    def __init__(self, setup: WorkerSetup, slots: int) -> None:
        self.slots, self._pool = slots, WorkerPool(setup)

    def submit(self, part: ArchivePart) -> None:
        """Give a part to a process."""
        self._pool.give(part)

    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what happens next; None if nothing happens in some seconds.

        Raises:
            OutputError: A part cannot be written.
            WorkerError: No process can be started.
        """
        message = self._pool.next_message(seconds)
        if message is None:
            return None
        worker, kind, value = message
        if kind == DIED:
            return PartDied(worker.task, value)
        if kind == "read":
            return PartProgress(worker.task, *value)
        worker.task = None
        return PartDone(value)

    def close(self) -> None:
        """End all processes at once."""
        self._pool.close()
