"""Where parts are read: by processes on this machine, by Ray or by Dask."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from facemood.archive.dask_engine import DaskEngine
from facemood.archive.part_engine import PartEngine
from facemood.archive.ray_engine import RayEngine
from facemood.archive.worker_process import WorkerSetup
from facemood.errors import OptionError, did_you_mean, require

MODULES = {"ray": "ray", "dask": "distributed"}
"""The module that each engine needs; the extras have the names of the engines."""

SCHEMES = {"ray": "ray://", "dask": "tcp://"}
"""How the address of a cluster begins for each engine."""


@dataclass(frozen=True)
class EngineChoice:
    """An engine of Ray or Dask that is opened when there is something to read.

    Attributes:
        name: ``"ray"`` or ``"dask"``.
        address: Address of a cluster; empty for workers on this machine.
        workers: Most parts that are read at the same time; None for all that there are.
        gpus: GPUs of each worker; may be a fraction.

    Example:
        >>> EngineChoice("ray", "ray://head:10001").address
        'ray://head:10001'
    """

    name: str
    address: str = ""
    workers: int | None = None
    gpus: float = 0.0

    @classmethod
    def parse(cls, text: str, workers: int | None = None, gpus: float = 0.0) -> EngineChoice:
        """Return the engine that a text such as ``ray`` or ``dask://head:8786`` names.

        Raises:
            OptionError: It names none, or the number of GPUs is negative or not for that engine.
            MissingExtraError: The package of the engine is not installed.
        """
        name, scheme, place = text.partition("://")
        host, _, port = place.rpartition(":")
        if name not in MODULES or (scheme and not (host and port.isdecimal())):
            raise OptionError(
                f"an engine is ray, ray://HOST:PORT, dask or dask://HOST:PORT, but is {text!r}."
                f"{did_you_mean(name, MODULES)}"
            )
        if gpus < 0:
            raise OptionError(f"the GPUs of a worker must be a number from 0 on, but are {gpus:g}")
        if gpus and name == "dask" and not scheme:
            raise OptionError("GPUs of a worker are for ray, ray://HOST:PORT and dask://HOST:PORT")
        if find_spec(MODULES[name]) is None:  # Ray is imported later, as it must be told before how to start
            require(MODULES[name], extra=name)
        return cls(name, f"{SCHEMES[name]}{place}" if scheme else "", workers, gpus)

    def __call__(self, setup: WorkerSetup) -> PartEngine:
        """Open the engine.

        Raises:
            OptionError: No machine has so many GPUs.
            WorkerError: Nothing answers, or no worker can be started.
        """
        kind = RayEngine if self.name == "ray" else DaskEngine
        return kind(setup, self.address, self.workers, self.gpus)
