"""A process that reads inputs: parts of an archive, or inputs whose results it sends back.

`WorkerProcess` starts this file. Tasks come from standard input, messages go to what was standard output; both are
pickled. The process ends with its owner.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import sys
from pathlib import Path
from typing import IO, Any

if __name__ == "__main__":  # the folder of this file must not hide packages, and its package must be found
    sys.path[0:1] = []
    sys.path.append(str(Path(__file__).resolve().parents[2]))

import cv2

from facemood.archive.archive_folder import ArchiveFolder
from facemood.archive.drawn import DrawnInputs
from facemood.archive.part import ArchivePart
from facemood.archive.part_work import PartWorker
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
        self._parts = self._open_parts(setup) if setup.archive else None

    def _open_parts(self, setup: WorkerSetup) -> PartWorker:
        """Return what reads parts into the archive."""
        folder = ArchiveFolder(Path(setup.archive))
        info = {**self._recognizer.info(), **setup.reading.video.info()}
        drawn = None if setup.looks is None else DrawnInputs(folder.pictures, info, dict(setup.looks))
        return PartWorker(setup.reading, self._recognizer, folder, drawn)

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
            self.send("result", result)
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


def main() -> None:
    """Do the tasks that come from standard input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the owner decides
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not come between the messages
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    cv2.setNumThreads(1)
    with contextlib.suppress(EOFError, BrokenPipeError):
        worker = ArchiveWorker(pickle.load(source), target)
        logger = logging.getLogger("facemood")
        logger.handlers, logger.propagate = [_LogHandler(worker)], False
        worker.run(source)
    os._exit(0)  # the owner is gone: nothing is left to write


if __name__ == "__main__":
    main()
