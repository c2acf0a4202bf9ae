"""Read inputs with several processes, and yield their results in the order of the inputs, as one process does.

Tasks are a few photos, or one video, or a segment of one. Their messages wait until all earlier tasks are done. Those
of a single input are handed on as they come; if its process dies, it is read again, and what was handed on is left out.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from facemood.archive.part_engine import ATTEMPTS, LOOK
from facemood.archive.reading import Reading, ReadTask
from facemood.archive.segment_edges import count_segments
from facemood.archive.worker_pool import WorkerPool
from facemood.archive.worker_process import DIED, WorkerMessage, WorkerProcess, WorkerSetup, describe_death
from facemood.errors import WorkerError
from facemood.progress import Hook, open_hook, tell_name
from facemood.results import Result
from facemood.sources import ErrorHandler
from facemood.sources.remote import is_remote
from facemood.stream import count_frames, moves
from facemood.video_segments import SegmentJoiner, SegmentTimes

TASK_PHOTOS = 8
"""Photos of a task."""

TASK_IMAGES = 2
"""Photos of a task whose results keep their images, which wait in memory."""

HELD_BYTES = 64_000_000
"""Bytes of results of a task that may wait for their turn; then its process does."""

AHEAD = 2
"""Tasks for each process that may be read before their turn."""


@dataclass(eq=False)
class _Turn:
    """A task in the line of all tasks.

    Attributes:
        task: The task.
        said: Messages that wait for its turn.
        size: Bytes of their results.
        ahead: How many photos and frames they tell.
        ended: Whether it is done.
        handed: How many messages were handed on.
        known: How many messages of the process are left out, because those of a dead one were handed on.
        deaths: How many processes died with it.
        worker: The process that reads it.
    """

    task: ReadTask
    said: deque[tuple[str, Any]] = field(default_factory=deque)
    size: int = 0
    ahead: int = 0
    ended: bool = False
    handed: int = 0
    known: int = 0
    deaths: int = 0
    worker: WorkerProcess | None = None

    def take(self) -> Iterator[tuple[str, Any]]:
        """Yield the messages that can be handed on: several inputs together, a single one as it is read."""
        while self.said and (self.ended or len(self.task.names) == 1):
            self.handed += 1
            kind, value = self.said.popleft()
            if kind == "result":
                self.size -= len(value)
                value = pickle.loads(value)
            elif kind == "advance":
                self.ahead -= value
            yield kind, value

    def add(self, message: WorkerMessage) -> None:
        """Take in a message."""
        self.worker = message.worker
        if message.kind == "end":
            self.ended, self.worker = True, None
        elif self.known:
            self.known -= 1
        else:
            self.said.append((message.kind, message.value))
            self.size += len(message.value) if message.kind == "result" else 0
            self.ahead += message.value if message.kind == "advance" else 0


@dataclass(frozen=True)
class OrderedReading:
    """Reads with several processes in order.

    Attributes:
        reading: How inputs are read.
        workers: Number of processes.
    """

    reading: Reading
    workers: int

    def results(
        self, inputs: Sequence[str], *, on_error: ErrorHandler, progress: bool | Hook = False
    ) -> Iterator[Result]:
        """Yield the results of inputs in order.

        Args:
            inputs: Names of photos and videos.
            on_error: Called with the name and the error of each input that cannot be read, in order, too.
            progress: As for `open_hook`.

        Raises:
            WorkerError: No process can be started.
        """
        total = count_frames(inputs, self.reading.video) if progress else None
        done = 0
        with open_hook(progress) as hook, closing(_Line(self, inputs)) as line:
            hook(done, total)
            known = 0
            for kind, value in _joined(line.run(), SegmentTimes.of(self.reading.video)):
                if kind == "result":
                    tell_name(hook, value.source)
                    yield value
                elif kind == "failure":
                    on_error(*value)
                else:
                    done += value
                    known = max(known, done + line.ahead)
                    hook(known, total)

    def tasks(self, inputs: Sequence[str]) -> Iterator[ReadTask]:
        """Yield tasks: a few photos, a video, or a segment of one."""
        moving = any(map(moves, inputs))
        photos: list[str] = []
        for name in inputs:
            if photos and (moves(name) or len(photos) == (TASK_IMAGES if self.reading.images else TASK_PHOTOS)):
                yield ReadTask(tuple(photos), moving)
                photos = []
            if moves(name):
                segments = self._count_segments(name)
                yield from (ReadTask((name,), moving, number, segments) for number in range(segments))
            else:
                photos.append(name)
        if photos:
            yield ReadTask(tuple(photos), moving)

    def _count_segments(self, name: str) -> int:
        """Return in how many segments a video is read."""
        segment = self.reading.video.segment
        return 1 if segment is None or is_remote(name) else count_segments(name, segment)


def _joined(messages: Iterator[tuple[ReadTask, str, Any]], times: SegmentTimes) -> Iterator[tuple[str, Any]]:
    """Yield messages as one process says them: a video that is cut is joined, and ends where it cannot be read."""
    joiner, last, broken = SegmentJoiner(times), None, False
    for task, kind, value in messages:
        if task is not last and (last is None or task.segment == 0 or task.names != last.names):
            joiner, broken = SegmentJoiner(times), False
        last = task
        if not task.is_cut:
            yield kind, value
        elif broken:
            continue
        elif kind == "failure":
            broken = True
            yield kind, value
        elif kind == "result":
            result = joiner.join(value, task.segment)
            if result is not None:
                yield "result", result
                yield "advance", 1


class _Line:
    """The line of tasks in one run. The first one is always read, or the next to be."""

    def __init__(self, owner: OrderedReading, inputs: Sequence[str]) -> None:
        self._coming = owner.tasks(inputs)
        self._slots = owner.workers
        self._pool = WorkerPool(WorkerSetup(owner.reading))
        self._line: list[_Turn] = []
        self._running: dict[int, _Turn] = {}  # by the ID of their task

    def run(self) -> Iterator[tuple[ReadTask, str, Any]]:
        """Yield the messages of all tasks in order, each with its task."""
        while self._fill():
            first = self._line[0]
            for kind, value in first.take():
                yield first.task, kind, value
            if first.ended and not first.said:
                del self._line[0]
                continue
            if first.worker is not None:
                first.worker.gate.set()
            message = self._pool.next_message(LOOK)
            if message is not None:
                self._take(message)

    @property
    def ahead(self) -> int:
        """How many photos and frames were read whose turn has not come."""
        return sum(turn.ahead for turn in self._line)

    def close(self) -> None:
        """End all processes."""
        self._pool.close()

    def _fill(self) -> bool:
        """Give tasks to processes, the first in the line first; return whether a task is left."""
        while len(self._line) < AHEAD * self._slots and (new := next(self._coming, None)) is not None:
            self._line.append(_Turn(new))
        for turn in self._line:
            if len(self._running) < self._slots and not turn.ended and id(turn.task) not in self._running:
                self._running[id(turn.task)] = turn
                self._pool.give(turn.task)
        return bool(self._line)

    def _take(self, message: WorkerMessage) -> None:
        """Take in what a process says."""
        worker = message.worker
        turn = self._running[id(worker.task)]
        if message.kind == DIED:
            del self._running[id(worker.task)]
            self._after_death(turn, message.value)
            return
        turn.add(message)
        if turn.ended:
            del self._running[id(worker.task)]
            worker.task = None
        elif turn.size > HELD_BYTES and turn is not self._line[0]:
            worker.gate.clear()

    def _after_death(self, turn: _Turn, how: str) -> None:
        """Let a task be read again; after the second death, each of its inputs alone, or list the only one."""
        turn.deaths, turn.known, turn.worker = turn.deaths + 1, turn.handed, None
        turn.said.clear()
        turn.size = turn.ahead = 0
        if turn.deaths < ATTEMPTS:
            return
        names = turn.task.names
        if len(names) == 1:
            error = WorkerError(f"{names[0]}: {describe_death(how, ATTEMPTS)}")
            turn.said.extend([("failure", (names[0], error)), ("advance", 1)])
            turn.ended = True
            return
        place = self._line.index(turn)
        self._line[place : place + 1] = [_Turn(turn.task.only(name)) for name in names]
