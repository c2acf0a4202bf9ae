"""The one place where faces are read: a thread that takes what waits of all clients and reads it together."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.schema import Face, Frame
from facemood.server.problems import Problem
from facemood.tracking.scene import Scene

logger = logging.getLogger("facemood")

BATCH = 8
"""Frames that are read together at most, so that nobody waits long for those of others."""

Take = Callable[[], Sequence[Frame]]
"""Gives the frames of a client when their turn comes: then, not before, the newest is chosen and decoded."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one client wants to have read."""

    take: Take
    scene: Scene
    answer: Future[list[Result]] = field(default_factory=Future)


class _Crowd:
    """The scenes of several clients as one: each frame goes to the scene that it belongs to."""

    def __init__(self, scenes: Sequence[Scene], frames: Sequence[Frame]) -> None:
        self._scenes = {id(frame): scene for frame, scene in zip(frames, scenes, strict=True)}

    def find(self, frame: Frame) -> list[Face]:
        """Return the faces of a frame, without expressions."""
        return self._scenes[id(frame)].find(frame)

    def finish(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Return the faces of a frame as they are to be told."""
        return self._scenes[id(frame)].finish(frame, faces)


class Engine:
    """Reads frames of many clients with one recognizer in one thread.

    Turns are taken in the order in which they were asked for. A client asks for its next one when it has the answer to
    the last, so each gets an equal share. Frames of several clients go through the network in one run.

    Args:
        recognizer: What reads them.
        waiting: How many turns wait at most.

    Attributes:
        frames: How many frames were read.
        runs: In how many runs.

    Example:
        >>> import numpy as np
        >>> engine = Engine(EmotionRecognizer(), waiting=4)
        >>> blank = Frame(np.full((48, 64, 3), 128, np.uint8))
        >>> [len(result) for result in engine.read(lambda: [blank], engine.photos()).result()]
        [0]
        >>> engine.close()
    """

    def __init__(self, recognizer: EmotionRecognizer, *, waiting: int) -> None:
        self.recognizer, self.most = recognizer, waiting
        self.frames = self.runs = 0
        self._turns: deque[_Turn] = deque()
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="facemood-engine", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many turns wait."""
        return len(self._turns)

    def photos(self) -> Scene:
        """Return a scene for pictures that have nothing to do with each other."""
        return self.recognizer.pipeline.photos()

    def read(self, take: Take, scene: Scene) -> Future[list[Result]]:
        """Ask for a turn.

        Args:
            take: Gives the frames when the turn comes; it is called in the engine's thread.
            scene: What is remembered of the frames before. A scene has one turn at a time.

        Returns:
            What was read of each frame, with its image; or the error of `take`.

        Raises:
            Problem: Too many wait already (503).
        """
        turn = _Turn(take, scene)
        with self._change:
            if self._closed or len(self._turns) >= self.most:
                raise Problem(503, "too much is being read already; ask again in a moment", {"Retry-After": "1"})
            self._turns.append(turn)
            self._change.notify()
        return turn.answer

    def close(self) -> None:
        """Finish what is being read, and refuse what waits."""
        with self._change:
            self._closed = True
            for turn in self._turns:
                turn.answer.cancel()
            self._turns.clear()
            self._change.notify()
        self._thread.join()

    def _work(self) -> None:
        """Read, until it is closed."""
        while turns := self._next():
            self._read(turns)

    def _next(self) -> list[_Turn]:
        """Wait for turns and return some of them; none once it is closed."""
        with self._change:
            self._change.wait_for(lambda: self._turns or self._closed)
            return [self._turns.popleft() for _ in range(min(BATCH, len(self._turns)))]

    def _read(self, turns: Sequence[_Turn]) -> None:
        """Read the frames of some turns together, and answer each."""
        taken = [(turn, frames) for turn in turns if (frames := _take(turn)) is not None]
        frames = [frame for _, part in taken for frame in part]
        scenes = [turn.scene for turn, part in taken for _ in part]
        try:
            read = list(self.recognizer.pipeline.read(frames, _Crowd(scenes, frames), keep_images=True))
        except Exception as error:  # whatever it is, the thread must live on, and the clients must hear of it
            logger.exception("frames could not be read")
            for turn, _ in taken:
                turn.answer.set_exception(error)
            return
        self.frames, self.runs = self.frames + len(read), self.runs + bool(read)
        for turn, part in taken:
            turn.answer.set_result(read[: len(part)])
            del read[: len(part)]


def _take(turn: _Turn) -> Sequence[Frame] | None:
    """Take a turn's frames; where they cannot be had, or nobody waits for them, return None."""
    if not turn.answer.set_running_or_notify_cancel():
        return None
    try:
        return turn.take()
    except Exception as error:  # the client's own trouble, such as a damaged picture
        turn.answer.set_exception(error)
        return None
