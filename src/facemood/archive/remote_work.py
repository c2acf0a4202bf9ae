"""What a worker of Ray or Dask does: it reads one part at a time, and returns what came of it."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple, Protocol

import cv2

from facemood.archive.part import ArchivePart, PartOutcome
from facemood.archive.part_work import PartWorker, open_part_worker
from facemood.archive.worker_process import WorkerSetup
from facemood.errors import FacemoodError, WorkerError

_ONE_AT_A_TIME = threading.Lock()
"""Workers of Dask may have several threads, but a process has one recognizer."""


TELL_EVERY = 5.0
"""Seconds between two messages on how far a part is. A part that takes less sends none."""


class Teller(Protocol):
    """Tells the driver how far a part is. It is sent to the worker along with the part."""

    def tell(self, part: str, done: float, failed: int) -> None:
        """Tell it.

        Args:
            part: ID of the part.
            done: Inputs that are done, as for `PartProgress`.
            failed: How many of them failed.
        """
        ...


class RemoteOutcome(NamedTuple):
    """What a worker returns.

    Attributes:
        outcome: What became of the part, or why nothing can be read.
        messages: Levels and texts that the library logged.
        host: The name of the worker's machine.
        process: The ID of its process.
    """

    outcome: PartOutcome | FacemoodError
    messages: tuple[tuple[int, str], ...]
    host: str
    process: int


def read_part(setup: bytes, part: ArchivePart, teller: Teller) -> RemoteOutcome:
    """Read a part in this process.

    Args:
        setup: The pickled `WorkerSetup`. The recognizer that it asks for is opened once, and kept for the next part.
        part: The part.
        teller: Tells how far it is.
    """
    with _ONE_AT_A_TIME, _noted_messages() as messages:
        outcome: PartOutcome | FacemoodError
        try:
            worker = _open_worker(setup)
            _check_mounted(part)
            outcome = worker.work(part, _Advance(teller, part.id))
        except FacemoodError as error:
            outcome = error
    return RemoteOutcome(outcome, tuple(messages), socket.gethostname(), os.getpid())


class _Advance:
    """Tells how far a part is, now and then.

    Args:
        teller: Who tells it.
        part: ID of the part.
    """

    def __init__(self, teller: Teller, part: str) -> None:
        self._teller, self._part = teller, part
        self._due = time.monotonic() + TELL_EVERY

    def __call__(self, done: float, failed: int) -> None:
        """Take in how far the part is."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + TELL_EVERY
            with contextlib.suppress(Exception):  # the part goes on, whether or not anybody hears of it
                self._teller.tell(self._part, done, failed)


@lru_cache(maxsize=1)
def _open_worker(setup: bytes) -> PartWorker:
    """Return what reads parts; it is opened when the setup is a new one."""
    known: WorkerSetup = pickle.loads(setup)
    cv2.setNumThreads(1)
    try:
        os.chdir(known.folder)
    except OSError as error:
        raise _not_shared(known.folder, error) from None
    return open_part_worker(known, known.reading.open())


def _check_mounted(part: ArchivePart) -> None:
    """Refuse a part whose inputs are in folders that this machine does not have, so that they do not count as failed.

    Raises:
        WorkerError: The machine lacks a folder in which an input was found when the part was planned.
    """
    there = (os.path.dirname(item.name) for item in part.items if item.size is not None and "://" not in item.name)
    for folder in dict.fromkeys(there):
        try:
            os.stat(folder or os.curdir)
        except OSError as error:
            raise _not_shared(folder, error) from None


def _not_shared(folder: str, error: OSError) -> WorkerError:
    """Return the error of a machine that lacks a folder."""
    return WorkerError(
        f"{folder}: the machine {socket.gethostname()} does not have this folder ({error.strerror}); mount inputs and "
        "archive at the same place on all machines"
    )


@contextlib.contextmanager
def _noted_messages() -> Iterator[list[tuple[int, str]]]:
    """Yield a list that takes what the library logs in the block."""
    messages: list[tuple[int, str]] = []

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append((record.levelno, record.getMessage()))

    logger, notes = logging.getLogger("facemood"), Notes()
    logger.addHandler(notes)
    try:
        yield messages
    finally:
        logger.removeHandler(notes)
