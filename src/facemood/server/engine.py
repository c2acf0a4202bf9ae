"""One thread reads the frames of all clients: it takes the requests that wait and reads them as one batch."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.schema import Frame
from facemood.server.problems import Problem
from facemood.tracking import Scene

logger: logging.Logger = logging.getLogger("facemood")

BATCH = 8
"""Most requests in one batch, so that no client waits long for the others."""

Take = Callable[[], Sequence[Frame]]
"""Gives the frames of a request when it is read: only then the newest picture is chosen and decoded."""


@dataclass(frozen=True, slots=True)
class _Request:
    """Frames that one client wants to have read, and the future that gets the results."""

    take: Take
    scene: Scene
    answer: Future[list[Result]] = field(default_factory=Future)


class Engine:
    """Reads frames of many clients with one recognizer in one thread.

    Requests are read in the order in which they came. A client sends its next request when it has the answer to the
    last one, so each gets an equal share. Frames of several clients go through the network in one batch.

    Args:
        recognizer: What reads them.
        waiting: How many requests may wait.

    Attributes:
        frames: How many frames were read.
        runs: In how many batches.

    Example:
        >>> import numpy as np
        >>> engine = Engine(EmotionRecognizer(), waiting=4)
        >>> blank = Frame(np.full((48, 64, 3), 128, np.uint8))
        >>> [len(result) for result in engine.read(lambda: [blank], engine.photos()).result()]
        [0]
        >>> engine.close()
    """

    recognizer: EmotionRecognizer
    most: int
    frames: int
    runs: int

    def __init__(self, recognizer: EmotionRecognizer, *, waiting: int) -> None:
        self.recognizer, self.most = recognizer, waiting
        self.frames = self.runs = 0
        self._requests: deque[_Request] = deque()
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="facemood-engine", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._requests)

    def photos(self) -> Scene:
        """Return a scene for unrelated pictures."""
        return self.recognizer.pipeline.photos()

    def read(self, take: Take, scene: Scene) -> Future[list[Result]]:
        """Add a request.

        Args:
            take: Gives the frames when the request is read; it is called in the engine's thread.
            scene: The scene of these frames. Only one request of a scene may wait at a time.

        Returns:
            The result of each frame, with its image; or the error of `take`.

        Raises:
            Problem: Too many wait already (503).
        """
        request = _Request(take, scene)
        with self._change:
            if self._closed or len(self._requests) >= self.most:
                raise Problem(503, "too much is being read already; ask again in a moment", {"Retry-After": "1"})
            self._requests.append(request)
            self._change.notify()
        return request.answer

    def close(self) -> None:
        """Finish the batch that is being read, and cancel the requests that wait."""
        with self._change:
            self._closed = True
            for request in self._requests:
                request.answer.cancel()
            self._requests.clear()
            self._change.notify()
        self._thread.join()

    def _work(self) -> None:
        """Read, until it is closed."""
        while batch := self._next():
            self._read(batch)

    def _next(self) -> list[_Request]:
        """Wait for requests and return the next batch; an empty one once the engine is closed."""
        with self._change:
            self._change.wait_for(lambda: self._requests or self._closed)
            return [self._requests.popleft() for _ in range(min(BATCH, len(self._requests)))]

    def _read(self, batch: Sequence[_Request]) -> None:
        """Read the frames of a batch together, and answer each request."""
        taken = [(request, frames) for request in batch if (frames := _take(request)) is not None]
        pairs = [(frame, request.scene) for request, part in taken for frame in part]
        try:
            read = list(self.recognizer.pipeline.read(pairs, keep_images=True))
        except Exception as error:  # whatever it is, the thread must live on, and the clients must hear of it
            logger.exception("frames could not be read")
            for request, _ in taken:
                request.answer.set_exception(error)
            return
        self.frames, self.runs = self.frames + len(read), self.runs + bool(read)
        for request, part in taken:
            request.answer.set_result(read[: len(part)])
            del read[: len(part)]


def _take(request: _Request) -> Sequence[Frame] | None:
    """Take the frames of a request; return None if that fails, or if the request was cancelled."""
    if not request.answer.set_running_or_notify_cancel():
        return None
    try:
        return request.take()
    except Exception as error:  # the client's own trouble, such as a damaged picture
        request.answer.set_exception(error)
        return None
