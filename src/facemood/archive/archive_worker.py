"""A process that reads inputs: parts of an archive, or inputs whose results it sends back.

`WorkerProcess` starts it. Tasks come from one pipe, messages go to another; both are pickled. The process ends with its
owner.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pickle
import signal
import sys
from typing import IO, Any

import cv2

from facemood.archive.part import ArchivePart
from facemood.archive.part_work import open_part_worker
from facemood.archive.reading import ReadTask
from facemood.archive.worker_process import READY, WorkerSetup
from facemood.errors import FacemoodError


class ArchiveWorker:
    """Does the tasks of its owner.

    Args:
        setup: How inputs are read.
        target: Where messages go.
    """

    def __init__(self, setup: WorkerSetup, target: IO[bytes]) -> None:
        self._setup, self._target = setup, target
        os.chdir(setup.folder)
        self._recognizer = setup.reading.open()
        self._parts = open_part_worker(setup, self._recognizer) if setup.archive else None

    def run(self, source: IO[bytes]) -> None:
        """Do tasks until the owner is gone."""
        self.send(READY, None)
        while True:
            self._do(pickle.load(source))

    def send(self, kind: str, value: Any) -> None:
        """Send a message."""
        pickle.dump((kind, value), self._target, protocol=pickle.HIGHEST_PROTOCOL)
        self._target.flush()

    def _do(self, task: ArchivePart | ReadTask) -> None:
        """Do one task, and say what came of it."""
        try:
            if isinstance(task, ReadTask):
                self._read(task)
            elif self._parts is not None:
                self.send("part", self._parts.work(task, lambda done, failed: self.send("read", (done, failed))))
        except FacemoodError as error:
            self.send("error", error)

    def _read(self, task: ReadTask) -> None:
        """Read inputs, and send each result and each failure in order."""
        reading, done = self._setup.reading, 0

        def advance(now: int, total: int | None) -> None:
            nonlocal done
            self.send("advance", now - done)
            done = now

        results = reading.results(
            self._recognizer,
            task.items(allow_download=reading.allow_download),
            on_error=lambda name, error: self.send("failure", (name, error)),
            progress=advance,
        )
        for result in results:
            self.send("result", pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL))  # the owner may let it wait
        self.send("end", None)


class _LogHandler(logging.Handler):
    """Sends the library's log messages to the owner.

    Args:
        worker: Who sends them.
    """

    def __init__(self, worker: ArchiveWorker) -> None:
        super().__init__()
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        """Send one message."""
        self._worker.send("log", (record.levelno, record.getMessage()))


def main(source: io.FileIO, target: io.FileIO, _: list[str]) -> None:
    """Do the tasks that come from the owner."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    cv2.setNumThreads(1)
    tasks, messages = io.BufferedReader(source), io.BufferedWriter(target)
    with contextlib.suppress(EOFError, BrokenPipeError):
        worker = ArchiveWorker(pickle.load(tasks), messages)
        logger = logging.getLogger("facemood")
        logger.handlers, logger.propagate = [_LogHandler(worker)], False
        worker.run(tasks)
    os._exit(0)  # the owner is gone: nothing is left to write
