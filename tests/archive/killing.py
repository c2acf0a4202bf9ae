"""Processes that are killed while they read."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and _parent_of(entry) == pid and b"archive_worker" in _command_of(entry)
    ]


def _parent_of(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return -1


def _command_of(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def workers_of_ray() -> list[int]:
    """The processes of Ray that read."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if _command_of(entry).startswith(b"ray::read_part")]


def workers_of_dask() -> list[int]:
    """The processes that Dask started."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if b"--multiprocessing-fork" in _command_of(entry)]


def children_here() -> list[int]:
    """The processes that this one started."""
    return children_of(os.getpid())


@contextlib.contextmanager
def killing_readers(pipe: Path, readers: Callable[[], list[int]] = children_here) -> Iterator[None]:
    """Make an input that kills the process that reads it: a pipe, whose reader gets SIGKILL."""
    os.mkfifo(pipe)
    stop = threading.Event()

    def kill_each() -> None:
        while not stop.is_set():
            try:
                handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it
                time.sleep(0.005)
                continue
            ends = time.monotonic() + 10  # the reader has opened it, and waits for data
            while not _kill_readers(pipe, readers()) and time.monotonic() < ends and not stop.is_set():
                time.sleep(0.005)
            os.close(handle)

    thread = threading.Thread(target=kill_each)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _kill_readers(pipe: Path, pids: list[int]) -> bool:
    """Kill the processes that have opened a pipe; return whether there was one."""
    killed = False
    for pid in pids:
        with contextlib.suppress(OSError):  # the process, or a file of it, may be gone by now
            if any(os.path.realpath(handle) == os.path.realpath(pipe) for handle in _open_files(pid)):
                os.kill(pid, signal.SIGKILL)
                killed = True
    return killed


def _open_files(pid: int) -> list[str]:
    try:
        return [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []
