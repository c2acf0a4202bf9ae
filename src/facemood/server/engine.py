"""Two threads analyze the frames of all clients: one small frames in batches, the other large frames and videos."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.schema import Frame
from facemood.server.niceness import give_way
from facemood.server.problems import Problem
from facemood.tracking import Scene

logger: logging.Logger = logging.getLogger("facemood")

BATCH = 8
"""Most requests in one batch, so that no client waits long for the others."""

BATCH_PIXELS = 2_000_000
"""Pixels from which on a batch takes no more requests: six frames of 640 x 480, or two of 1280 x 720."""

RECENT = 1.0
"""Seconds after a small frame for which the thread of large ones rests as long as it works."""

LONGEST_REST = 2.0
"""Most seconds of one such rest."""

Take = Callable[[], Sequence[Frame]]
"""Gives the frames of a request when it is read."""


@dataclass(frozen=True, slots=True)
class _Request:
    """Frames that one client wants to have read, and the future that gets the results."""

    take: Take
    scene: Scene
    answer: Future[list[Result]] = field(default_factory=Future)
    came: float = field(default_factory=time.monotonic)


class Engine:
    """Reads frames of many clients with one recognizer in two threads.

    Small frames of several clients go through the network in one batch. Large ones, and those of videos, are read by a
    thread of their own, one request at a time; while clients send small ones it rests after each for as long as that
    took. So a large image, or a video, makes small frames somewhat slower, but they never wait for it.

    Requests are read in the order in which they came. A client sends its next request when it has the answer to the
    last one, so each gets an equal share.

    Args:
        recognizer: What reads them.
        max_waiting: Requests that may wait for each thread.

    Example:
        >>> import numpy as np
        >>> engine = Engine(EmotionRecognizer(), max_waiting=4)
        >>> blank = Frame(np.full((48, 64, 3), 128, np.uint8))
        >>> [len(result) for result in engine.read(lambda: [blank], engine.photos()).result()]
        [0]
        >>> engine.close()
    """

    recognizer: EmotionRecognizer

    def __init__(self, recognizer: EmotionRecognizer, *, max_waiting: int) -> None:
        self.recognizer = recognizer
        self._small = _Lane(recognizer, max_waiting, "facemood-engine", batch=BATCH)
        self._large = _Lane(recognizer, max_waiting, "facemood-engine-large", batch=1, before=self._small)

    @property
    def frames(self) -> int:
        """How many frames were read."""
        return self._small.frames + self._large.frames

    @property
    def runs(self) -> int:
        """In how many batches."""
        return self._small.runs + self._large.runs

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return self._small.waiting + self._large.waiting

    @property
    def oldest(self) -> float:
        """Seconds for which the oldest request waits; 0 where none does."""
        return max(self._small.oldest, self._large.oldest)

    @property
    def busy_for(self) -> float:
        """Seconds for which the batch is read that takes longest at this moment; 0 where none is read."""
        return max(self._small.busy_for, self._large.busy_for)

    def photos(self) -> Scene:
        """Return a scene for unrelated images."""
        return self.recognizer.pipeline.photos()

    def read(self, take: Take, scene: Scene, *, large: bool = False) -> Future[list[Result]]:
        """Add a request.

        Args:
            take: Gives the frames when the request is read; it is called in the engine's thread.
            scene: The scene of these frames. Only one request of a scene may wait at a time.
            large: Whether the frames are large, or of a video.

        Returns:
            The result of each frame, with its image; or the error of `take`.

        Raises:
            Problem: Too many wait already (503).
        """
        return (self._large if large else self._small).add(_Request(take, scene))

    def stop(self) -> None:
        """Take no more requests, and cancel those that wait; return at once."""
        self._small.stop()
        self._large.stop()

    def close(self) -> None:
        """Finish the batches that are being read, and cancel the requests that wait."""
        self.stop()
        self._small.join()
        self._large.join()


class _Lane:
    """One thread, and the requests that wait for it.

    Args:
        recognizer: What reads.
        max_waiting: Requests that may wait.
        name: The thread's.
        batch: Most requests in one batch.
        before: The lane that has precedence: while it works, this one rests as long as it works.
    """

    def __init__(
        self, recognizer: EmotionRecognizer, max_waiting: int, name: str, *, batch: int, before: _Lane | None = None
    ) -> None:
        self.recognizer, self.max_waiting = recognizer, max_waiting
        self.batch, self.before = batch, before
        self.frames = self.runs = 0
        self._requests: deque[_Request] = deque()
        self._change = threading.Condition()
        self._closed = False
        self._began: float | None = None
        self._worked = float("-inf")
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._requests)

    @property
    def oldest(self) -> float:
        """Seconds for which the oldest request waits."""
        with self._change:
            return time.monotonic() - self._requests[0].came if self._requests else 0.0

    @property
    def busy_for(self) -> float:
        """Seconds for which the batch of this moment is read."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    def add(self, request: _Request) -> Future[list[Result]]:
        """Add a request."""
        with self._change:
            if self._closed or len(self._requests) >= self.max_waiting:
                raise Problem(503, "too much is being read already; ask again in a moment", {"Retry-After": "1"})
            self._requests.append(request)
            self._change.notify()
        return request.answer

    def stop(self) -> None:
        """Take no more requests, and cancel those that wait."""
        with self._change:
            self._closed = True
            for request in self._requests:
                request.answer.cancel()
            self._requests.clear()
            self._change.notify()

    def join(self) -> None:
        """Wait for the batch that is being read."""
        self._thread.join()

    def _work(self) -> None:
        """Read, until it is closed."""
        if self.before is not None:
            give_way()
        while self._wait():
            began = self._began = time.monotonic()
            self._read(self._gather())
            self._began, self._worked = None, time.monotonic()
            self._rest(self._worked - began)

    def _wait(self) -> bool:
        """Wait for requests; False once the lane is closed."""
        with self._change:
            self._change.wait_for(lambda: self._requests or self._closed)
            return not self._closed

    def _rest(self, took: float) -> None:
        """Let the lane that has precedence have the processor for as long as this one had it."""
        if self.before is not None and time.monotonic() - self.before._worked < RECENT:
            with self._change:
                self._change.wait_for(lambda: self._closed, timeout=min(took, LONGEST_REST))

    def _gather(self) -> list[tuple[_Request, Sequence[Frame]]]:
        """Take the frames of the requests that wait, as many as go into one batch."""
        batch: list[tuple[_Request, Sequence[Frame]]] = []
        pixels = 0
        while len(batch) < self.batch and pixels < BATCH_PIXELS:
            with self._change:
                if not self._requests:
                    break
                request = self._requests.popleft()
            if (frames := _take(request)) is not None:
                batch.append((request, frames))
                pixels += sum(frame.size[0] * frame.size[1] for frame in frames)
        return batch

    def _read(self, batch: Sequence[tuple[_Request, Sequence[Frame]]]) -> None:
        """Read the frames of a batch together, and answer each request."""
        pairs = [(frame, request.scene) for request, part in batch for frame in part]
        try:
            read = list(self.recognizer.pipeline.read(pairs, keep_images=True))
        except Exception as error:  # whatever it is, the thread must live on, and the clients must hear of it
            logger.exception("frames could not be read")
            for request, _ in batch:
                request.answer.set_exception(error)
            return
        self.frames, self.runs = self.frames + len(read), self.runs + bool(read)
        for request, part in batch:
            request.answer.set_result(read[: len(part)])
            del read[: len(part)]


def _take(request: _Request) -> Sequence[Frame] | None:
    """Take the frames of a request; return None if that fails, or if the request was cancelled."""
    if not request.answer.set_running_or_notify_cancel():
        return None
    try:
        return request.take()
    except Exception as error:  # the client's own trouble, such as a damaged image
        request.answer.set_exception(error)
        return None
