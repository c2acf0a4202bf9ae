"""The engine of Ray: a task for each part. Only descriptions of parts pass through it.

Ray does not repeat a task, as the pool decides what is run again.
"""

from __future__ import annotations

import contextlib
from typing import Any

from facemood.archive.part_engine import EngineEvent, Part, PartDied, PartLost
from facemood.archive.ray_session import RaySession
from facemood.archive.remote_engine import RemoteEngine
from facemood.archive.remote_work import read_part
from facemood.archive.worker_process import WorkerSetup, usable_cores
from facemood.errors import OptionError, WorkerError

AHEAD = 2
"""Parts for each core that may be submitted, so that no worker waits for the next one."""


class RayEngine(RemoteEngine):
    """Runs parts as tasks of Ray.

    Args:
        setup: How inputs are read.
        address: As for `RaySession`.
        workers: Most parts that run at the same time; None for the cores of the cluster.
        gpus: GPUs of each worker; may be a fraction.

    Raises:
        MissingExtraError: Ray is not installed.
        OptionError: No machine has so many GPUs.
        WorkerError: Nothing answers, or Ray cannot be started.
    """

    def __init__(self, setup: WorkerSetup, address: str, workers: int | None, gpus: float = 0.0) -> None:
        self._session = RaySession(address, workers or usable_cores())
        self._ray = self._session.ray
        super().__init__(setup, None if self._session.is_new else workers)
        try:
            self._refuse_lacking(gpus)
        except OptionError:
            self._session.close()
            raise
        self._read = self._ray.remote(num_cpus=1, num_gpus=gpus, max_retries=0)(read_part)
        self._running: dict[Any, Part] = {}

    def submit(self, part: Part) -> None:
        """Begin to run a part."""
        self._running[self._read.remote(self._setup, part)] = part

    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what happens next; None if nothing happens in some seconds.

        Raises:
            OutputError: A part cannot be written.
            WorkerError: The workers cannot run facemood.
        """
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=seconds)
        if not ready:
            return None
        part, known = self._running.pop(ready[0]), self._ray.exceptions
        try:
            return self._done(self._ray.get(ready[0]))
        except (known.NodeDiedError, known.LocalRayletDiedError):
            return PartLost(part)
        except (known.WorkerCrashedError, known.OutOfMemoryError) as error:
            return PartDied(part, "out of memory" if isinstance(error, known.OutOfMemoryError) else "killed or crashed")
        except known.RayError as error:
            raise WorkerError(f"a worker of Ray cannot run facemood: {_last_line(error)}") from error

    def close(self) -> None:
        """End all that runs, and a Ray that was started for this run."""
        if not self._session.is_new:
            for reference in self._running:
                with contextlib.suppress(Exception):  # the cluster may be gone
                    self._ray.cancel(reference, force=True)
        self._session.close()

    def _count_slots(self) -> int:
        """Count the cores that Ray has."""
        return AHEAD * int(self._ray.cluster_resources().get("CPU", 0))

    def _refuse_lacking(self, gpus: float) -> None:
        """Refuse more GPUs than a machine has: Ray would wait for one for ever."""
        most = max((node["Resources"].get("GPU", 0.0) for node in self._ray.nodes()), default=0.0)
        if gpus > most:
            raise OptionError(f"{gpus:g} GPUs for each worker are asked for, but Ray knows no machine with more than "
                              f"{most:g}")  # fmt: skip


def _last_line(error: Exception) -> str:
    """Return the last line of what an error says, which is the worker's own error."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]
