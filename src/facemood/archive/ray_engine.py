"""The engine of Ray: a task for each part. Only descriptions of parts pass through it.

Ray does not repeat a task, as the pool decides what is run again. How far long parts are stands on a board, an actor
that workers write to and the driver asks. It is started when a part takes long.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from typing import Any, NamedTuple

from facemood.archive.part import ArchivePart
from facemood.archive.part_engine import EngineEvent, PartDied, PartLost, PartProgress
from facemood.archive.ray_session import RaySession
from facemood.archive.remote_engine import RemoteEngine
from facemood.archive.remote_work import TELL_EVERY, read_part
from facemood.archive.worker_process import WorkerSetup, usable_cores
from facemood.errors import OptionError, WorkerError, require

AHEAD = 2
"""Parts for each core that may be submitted, so that no worker waits for the next one."""


class ProgressBoard:
    """How far running parts are; an actor of Ray."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[float, int]] = {}

    def tell(self, part: str, done: float, failed: int) -> None:
        """Note how far a part is."""
        self._told[part] = done, failed

    def take(self) -> dict[str, tuple[float, int]]:
        """Return what was noted since the last time, by the ID of the part."""
        told, self._told = self._told, {}
        return told


class BoardTeller(NamedTuple):
    """Writes to the board.

    Attributes:
        board: The name of the actor.
    """

    board: str

    def tell(self, part: str, done: float, failed: int) -> None:
        """Note how far a part is, without waiting.

        Raises:
            ValueError: There is no board yet.
        """
        require("ray", extra="ray").get_actor(self.board).tell.remote(part, done, failed)


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
        self._running: dict[Any, ArchivePart] = {}
        self._teller = BoardTeller(f"facemood-{os.urandom(8).hex()}")
        self._board: Any = None
        self._asked: Any = None
        self._told = deque[PartProgress]()
        self._known, self._look_at = set[Any](), 0.0  # what ran at the last look, and when the next one is

    def submit(self, part: ArchivePart) -> None:
        """Begin to run a part."""
        self._running[self._read.remote(self._setup, part, self._teller)] = part

    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what happens next; None if nothing happens in some seconds.

        Raises:
            OutputError: A part cannot be written.
            WorkerError: The workers cannot run facemood.
        """
        if self._told:
            return self._told.popleft()
        self._look()
        asked = [] if self._asked is None else [self._asked]
        ready, _ = self._ray.wait([*asked, *self._running], num_returns=1, timeout=seconds)
        if not ready:
            return None
        if ready == asked:
            self._hear(asked[0])
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

    def _look(self) -> None:
        """Ask the board now and then, if a part takes long."""
        if self._asked is not None or time.monotonic() < self._look_at:
            return
        long, self._known = self._known & self._running.keys(), set(self._running)
        self._look_at = time.monotonic() + TELL_EVERY
        if long:
            if self._board is None:
                board = self._ray.remote(num_cpus=0, max_restarts=-1)(ProgressBoard)
                self._board = board.options(name=self._teller.board).remote()
            self._asked = self._board.take.remote()

    def _hear(self, asked: Any) -> None:
        """Take in what the board says. It may be gone with its machine; Ray starts a new one."""
        self._asked = None
        told: dict[str, tuple[float, int]] = {}
        with contextlib.suppress(self._ray.exceptions.RayError):
            told = self._ray.get(asked)
        self._told.extend(PartProgress(part, *told[part.id]) for part in self._running.values() if part.id in told)

    def close(self) -> None:
        """End all that runs, and a Ray that was started for this run."""
        if not self._session.is_new:
            for reference in self._running:
                with contextlib.suppress(Exception):  # the cluster may be gone
                    self._ray.cancel(reference, force=True)
            if self._board is not None:
                with contextlib.suppress(Exception):
                    self._ray.kill(self._board)
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
