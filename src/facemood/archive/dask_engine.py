"""The engine of Dask: a task for each part, on the workers of a cluster, or on new ones on this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from facemood.archive.part import ArchivePart
from facemood.archive.part_engine import EngineEvent, PartDied, PartLost, PartProgress
from facemood.archive.remote_engine import RemoteEngine
from facemood.archive.remote_work import read_part
from facemood.archive.worker_process import WorkerSetup, usable_cores
from facemood.errors import FacemoodError, OptionError, WorkerError, require

logger: logging.Logger = logging.getLogger("facemood")

LOOPBACK = "127.0.0.1"
"""Address that only this machine reaches."""

GONE = 30.0
"""Seconds without a worker after which a run starts its own workers again."""

OWN: dict[str, object] = {
    "distributed.scheduler.allowed-failures": 0,  # each death is told, so that the pool decides what is run again
    "distributed.scheduler.worker-saturation": 1.0,  # a part that waits is not blamed for the death of a worker
    "distributed.scheduler.http.routes": [],
}
"""Settings of new schedulers."""

PRELOAD = "facemood.archive.dask_preload"
"""The module that new workers load first."""

SILENT = 50
"""Level from which workers and scheduler on this machine log; the engine tells what happens."""


class TopicTeller(NamedTuple):
    """Tells the driver how far a part is by an event of Dask.

    Attributes:
        topic: The topic of the run's events.
    """

    topic: str

    def tell(self, part: str, done: float, failed: int) -> None:
        """Log the event."""
        from distributed import get_worker

        get_worker().log_event(self.topic, [part, done, failed])


class DaskEngine(RemoteEngine):
    """Runs parts as tasks of Dask.

    Args:
        setup: How inputs are read.
        address: Address of a scheduler, such as ``"tcp://head:8786"``; empty for new workers on this machine.
        workers: Most parts that run at the same time; None for the workers of the cluster, or the cores.
        gpus: What each part takes of the resource GPU of a worker; 0 for nothing.

    Raises:
        MissingExtraError: Dask is not installed.
        OptionError: No worker has so many GPUs.
        WorkerError: No scheduler answers, or no worker can be started.
    """

    def __init__(self, setup: WorkerSetup, address: str, workers: int | None, gpus: float = 0.0) -> None:
        super().__init__(setup, workers)
        self._dask: Any = require("distributed", extra="dask")
        self._cluster: Any = None
        self._ready: SimpleQueue[Any] = SimpleQueue()
        self._teller = TopicTeller(f"facemood-{os.urandom(8).hex()}")
        self._running: dict[str, ArchivePart] = {}
        self._lost: list[ArchivePart] = []
        self._seen = time.monotonic()
        try:
            self._client = self._connect(address) if address else self._start()
        except FacemoodError:
            raise
        except Exception as error:
            place = f"{address}: no scheduler of Dask can be reached there" if address else "Dask cannot be started"
            raise WorkerError(f"{place} ({type(error).__name__}: {error})") from error
        self._refuse_lacking(gpus)
        self._resources = {"GPU": gpus} if gpus else None

    def submit(self, part: ArchivePart) -> None:
        """Begin to run a part."""
        future = self._client.submit(read_part, self._setup, part, self._teller, pure=False, resources=self._resources)
        self._running[future.key] = part
        future.add_done_callback(self._ready.put)

    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what happens next; None if nothing happens in some seconds.

        Raises:
            OutputError: A part cannot be written.
            WorkerError: The workers cannot run facemood, or the scheduler is gone.
        """
        if self._lost:
            return PartLost(self._lost.pop())
        try:
            future = self._ready.get(timeout=seconds)
        except Empty:
            self._start_again()
            return None
        if isinstance(future, list):
            known, done, failed = future
            return next((PartProgress(part, done, failed) for part in self._running.values() if part.id == known), None)
        part = self._running.pop(future.key)
        try:
            return self._done(future.result())
        except self._dask.KilledWorker:
            return PartDied(part, "killed or crashed")
        except FacemoodError:
            raise
        except Exception as error:
            raise WorkerError(f"Dask cannot run facemood ({type(error).__name__}: {error})") from error

    def _start_again(self) -> None:
        """Start own workers again if all are gone for a while: Dask gives up one that is killed while it starts."""
        if self._cluster is None or self._client.scheduler_info(n_workers=-1)["workers"]:
            self._seen = time.monotonic()
        elif time.monotonic() > self._seen + GONE:
            logger.warning("all workers of Dask are gone; they are started again")
            self._lost = list(self._running.values())
            self._running, self._ready = {}, SimpleQueue()
            self.close()
            self._client, self._seen = self._start(), time.monotonic()

    def close(self) -> None:
        """End what runs, and workers that were started for this run."""
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self._client.close()
        if self._cluster is not None:
            self._cluster.close()

    def _connect(self, address: str) -> Any:
        """Connect to a scheduler."""
        return self._heard(self._dask.Client(address, set_as_default=False))

    def _heard(self, client: Any) -> Any:
        """Return a client that hears how far parts are."""
        client.subscribe_topic(self._teller.topic, lambda event: self._ready.put(list(event[1])))
        return client

    def _start(self) -> Any:
        """Start workers on this machine, whose connections are encrypted and closed to other users."""
        dask = require("dask", extra="dask")
        require("cryptography", extra="dask")
        with dask.config.set(OWN):
            self._cluster = self._dask.LocalCluster(
                n_workers=self._most or usable_cores(), threads_per_worker=1, host=LOOPBACK,
                dashboard_address=f"{LOOPBACK}:0",
                memory_limit=0, silence_logs=SILENT, preload=[PRELOAD], security=self._dask.Security.temporary(),
            )  # fmt: skip
        return self._heard(self._dask.Client(self._cluster, set_as_default=False))

    def _count_slots(self) -> int:
        """Count the workers. Each reads one part at a time."""
        return len(self._client.nthreads())

    def _refuse_lacking(self, gpus: float) -> None:
        """Refuse more GPUs than a worker has: Dask would wait for one for ever. Without workers, none is known yet."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        most = max((worker.get("resources", {}).get("GPU", 0.0) for worker in workers), default=gpus)
        if gpus > most:
            self.close()
            raise OptionError(
                f"{gpus:g} GPUs for each worker are asked for, but no worker of Dask has more than {most:g}; start "
                "them with --resources GPU=1"
            )
