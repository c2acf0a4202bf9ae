"""Connections to Ray: the one that the program has, one to a cluster, or to a new one on this machine.

A new one listens on the loopback address only, wants a random token from whoever connects, tells nobody about its use,
and ends with its owner.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from facemood.errors import WorkerError, require

logger: logging.Logger = logging.getLogger("facemood")

LOOPBACK = "127.0.0.1"
"""Address that only this machine reaches."""

OBJECT_BYTES = 80_000_000
"""Memory for Ray's objects, about the least that it takes: only descriptions of parts pass through it."""

QUIET = {"log_to_driver": False, "configure_logging": False}
"""Settings of a connection: what workers log comes with their answers."""

CONNECTIONS = 3
"""How often a client server is asked: at times the process dies that it starts for a new client."""

ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # despite its name the switch, on each system, for the loopback address
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""Variables of the processes of a new Ray. By itself, it wants a token from whoever connects."""

SPARING = {
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
    "RAY_gcs_pull_resource_loads_period_milliseconds": "10000",
    "RAY_memory_monitor_refresh_ms": "1000",
    "RAY_raylet_check_gc_period_milliseconds": "10000",
    "RAY_raylet_report_resources_period_milliseconds": "1000",
    "RAY_task_events_report_interval_ms": "0",
}
"""Variables that keep the processes of a new Ray from looking after what one machine needs less often, or not at all:
they take a third less of a processor while they have nothing to do."""

NEEDLESS = ("log_monitor", "monitor")
"""Processes of a new Ray that are ended: they pass on what workers print, and look after the number of machines."""

PRINTS = "print_to_stdstream"
"""The function with which Ray prints messages of its processes, such as those on workers that died."""

TEMPORARY = "/tmp"
"""Folder for the sockets and logs of a new Ray. The paths of sockets must be short, so it is not that of TMPDIR."""


class RaySession:
    """A connection to Ray.

    Args:
        address: Where a cluster is, such as ``"ray://head:10001"``. If it is empty: the connection that the program
            has, the cluster that the variable RAY_ADDRESS names, or else a new Ray on this machine.
        cores: Number of tasks that a new Ray runs at the same time.

    Attributes:
        ray: The package.
        is_new: Whether Ray was started on this machine, and ends with the session.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: Nothing answers, or Ray cannot be started.
    """

    ray: Any
    is_new: bool

    def __init__(self, address: str, cores: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        self._entered = contextlib.ExitStack()
        address = address or os.environ.get("RAY_ADDRESS", "")
        self.is_new, self._folder = False, ""
        if address:
            self.ray = require("ray", extra="ray")
            self._is_own = self._connect(address)
            self._entered.enter_context(_messages_in_log())
            return
        with _environment({**ALONE, **SPARING, "RAY_AUTH_TOKEN": _token()}):
            self.ray = require("ray", extra="ray")
            self._is_own = self.is_new = not self.ray.is_initialized()
            if self.is_new:
                with _on_loopback(), _silent(logging.getLogger("ray")):
                    self._start(cores)
                self._entered.enter_context(_messages_in_log())

    def close(self) -> None:
        """Leave the cluster, and end a new one. The connection of the program stays."""
        if self._is_own:
            self.ray.shutdown()
        self._entered.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self, address: str) -> bool:
        """Connect to a cluster; return whether the program was not connected before."""
        if self.ray.is_initialized():
            raise WorkerError(f"{address}: this program is connected to another Ray; call ray.shutdown() first")
        for attempt in range(1, CONNECTIONS + 1):
            try:
                self.ray.init(address, **QUIET)
            except Exception as error:  # Ray raises errors of many classes here
                if isinstance(error, ConnectionAbortedError) and attempt < CONNECTIONS:
                    continue
                raise WorkerError(
                    f"{address}: no Ray cluster can be reached there ({_shortened(error)}); it must run, with the same "
                    "versions of Ray and Python, and for ray:// with its client server (port 10001)"
                ) from error
            break
        return True

    def _start(self, cores: int) -> None:
        """Start Ray on this machine."""
        within = os.environ.get("RAY_TMPDIR") or TEMPORARY
        self._folder = tempfile.mkdtemp(prefix="facemood-ray-", dir=within if os.path.isdir(within) else None)
        try:
            self.ray.init(
                "local", num_cpus=cores, include_dashboard=False, object_store_memory=OBJECT_BYTES,
                _node_ip_address=LOOPBACK, _temp_dir=self._folder, **QUIET,
            )  # fmt: skip
            (node,) = self.ray.nodes()
            if node["NodeManagerAddress"] != LOOPBACK:
                raise RuntimeError(f"it would listen on the network, at {node['NodeManagerAddress']}")
            _end_needless()
        except Exception as error:
            self.close()
            raise WorkerError(f"Ray cannot be started on this machine ({_shortened(error)})") from error


def _end_needless() -> None:
    """End processes that a run does without. Ray has no setting for that, so another version may keep them."""
    with contextlib.suppress(AttributeError, ImportError):
        own: Any = importlib.import_module("ray._private.worker")
        for name in NEEDLESS:
            getattr(own._global_node, f"kill_{name}")(check_alive=False)


@cache
def _token() -> str:
    """Return the token of this process's own Ray; Ray remembers the first one."""
    return secrets.token_hex(32)


@contextlib.contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while; those that are set already stay, and what Ray adds goes."""
    before = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    os.environ.update({**variables, **before})
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith("RAY_") and name not in before]:
            del os.environ[name]


@contextlib.contextmanager
def _on_loopback() -> Iterator[None]:
    """Let a Ray that starts in the block listen on the loopback address, also if the program imported ray before."""
    constants: Any = importlib.import_module("ray._private.ray_constants")
    before, constants.ENABLE_RAY_CLUSTER = constants.ENABLE_RAY_CLUSTER, False  # the first variable of ALONE sets it
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


@contextlib.contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Silence the warnings of a logger in the block; errors are told."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextlib.contextmanager
def _messages_in_log() -> Iterator[None]:
    """Let Ray's messages go to the log in the block. It prints them on stdout, where data is, and has no setting."""
    own: Any = importlib.import_module("ray._private.worker")
    before = getattr(own, PRINTS, None)

    def log(message: Mapping[str, Any], ignore_prefix: bool = False) -> None:
        for line in message["lines"]:
            logger.info("Ray: %s", line.partition(". ")[0])

    if before is not None:  # another version may call it otherwise
        setattr(own, PRINTS, log)
    try:
        yield
    finally:
        if before is not None:
            setattr(own, PRINTS, before)


def _shortened(error: Exception) -> str:
    """Return the first and the last line of what an error says: between them Ray writes a traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return " ".join(dict.fromkeys((lines[0], lines[-1])))
