"""What the engines of Ray and Dask share: the number of workers, which may change, and what their answers mean."""

from __future__ import annotations

import pickle
import time
from abc import ABC, abstractmethod

from facemood.archive.part import ArchivePart
from facemood.archive.part_engine import EngineEvent, PartDone
from facemood.archive.remote_work import RemoteOutcome
from facemood.archive.worker_process import WorkerLog, WorkerSetup
from facemood.errors import FacemoodError

RECOUNT = 5.0
"""Seconds after which the workers are counted again: machines come and go."""


class RemoteEngine(ABC):
    """Runs parts on the workers of a cluster.

    Args:
        setup: How inputs are read.
        most: Most parts that are submitted at the same time; None for as many as there are workers.
    """

    def __init__(self, setup: WorkerSetup, most: int | None) -> None:
        self._setup = pickle.dumps(setup, protocol=pickle.HIGHEST_PROTOCOL)
        self._most = most
        self._counted, self._due = 1, 0.0
        self._log = WorkerLog()

    @property
    def slots(self) -> int:
        """How many parts may be submitted at the same time; 1 while there are no workers yet."""
        if self._most is not None:
            return self._most
        if time.monotonic() >= self._due:
            self._counted, self._due = max(1, self._count_slots()), time.monotonic() + RECOUNT
        return self._counted

    @abstractmethod
    def _count_slots(self) -> int:
        """Count the parts that may be submitted to the workers that are there now."""

    @abstractmethod
    def submit(self, part: ArchivePart) -> None:
        """Begin to run a part."""

    @abstractmethod
    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what happens next; None if nothing happens in some seconds."""

    @abstractmethod
    def close(self) -> None:
        """End all that runs, and a cluster that this engine started."""

    def _done(self, answer: RemoteOutcome) -> PartDone:
        """Return what a worker's answer means; log what it logged.

        Raises:
            FacemoodError: The worker cannot read or write anything.
        """
        for level, text in answer.messages:
            self._log.tell(level, text)
        if isinstance(answer.outcome, FacemoodError):
            raise answer.outcome
        return PartDone(answer.outcome)
