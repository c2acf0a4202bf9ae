"""Engines run parts somewhere; `PartPool` decides which, and what happens if a process dies."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol, TypeAlias

from facemood.archive.part import BUSY, ArchivePart, PartOutcome
from facemood.archive.worker_process import describe_death

ATTEMPTS = 2
"""How often a part is read before it is split, and a single input before it is given up."""

MOST_LOST = 5
"""How often a part may be lost with its machine before that counts as a death: it may have brought the machine down."""

LOOK = 1.0
"""Seconds between two looks at parts that another job is writing."""


class PartDone(NamedTuple):
    """A part is done."""

    outcome: PartOutcome


class PartDied(NamedTuple):
    """The process that read a part died.

    Attributes:
        part: The part.
        how: How it died, such as ``"SIGKILL"``.
    """

    part: ArchivePart
    how: str


class PartLost(NamedTuple):
    """The machine that read a part is gone, which is no fault of the part.

    Attributes:
        part: The part.
    """

    part: ArchivePart


class PartProgress(NamedTuple):
    """Some inputs of a part are read.

    Attributes:
        part: The part.
        done: How many; the share of a video that is being read is a fraction.
        failed: How many of them failed.
    """

    part: ArchivePart
    done: float
    failed: int


EngineEvent: TypeAlias = "PartDone | PartDied | PartLost | PartProgress"
"""What an engine tells."""


class PartEngine(Protocol):
    """Runs parts."""

    @property
    def slots(self) -> int:
        """How many parts may be submitted at the same time."""
        ...

    def submit(self, part: ArchivePart) -> None:
        """Begin to run a part."""
        ...

    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what happens next; None if nothing happens in some seconds."""
        ...

    def close(self) -> None:
        """End all that runs."""
        ...


class PartPool:
    """Runs all parts on an engine.

    A part whose process dies is read again. If that dies too, the part is split, again and again, until the one input
    is found that no process survives; it is recorded as a failure. A part that is lost with its machine is read again.

    Args:
        engine: Runs the parts.
    """

    def __init__(self, engine: PartEngine) -> None:
        self._engine = engine
        self._deaths = Counter[str]()
        self._losses = Counter[str]()
        self._again: list[ArchivePart] = []  # to run before all others
        self._busy: list[ArchivePart] = []
        self._running = 0

    def run(self, parts: Iterable[ArchivePart]) -> Iterator[PartDone | PartProgress]:
        """Yield what is done, until all parts are."""
        coming = iter(parts)
        more = True
        while True:
            while self._running < self._engine.slots:
                part = self._again.pop() if self._again else next(coming, None)
                if part is None:
                    more = False
                    break
                self._engine.submit(part)
                self._running += 1
            if not (more or self._running or self._again):
                if not self._busy:
                    return
                time.sleep(LOOK)
                self._again, self._busy = self._busy[::-1], []
                continue
            event = self._engine.next_event(LOOK)
            if event is not None:
                yield from self._take(event)

    def _take(self, event: EngineEvent) -> Iterator[PartDone | PartProgress]:
        """Take in what happened."""
        if isinstance(event, PartProgress):
            yield event
            return
        self._running -= 1
        if isinstance(event, PartLost):
            self._again += self._after_loss(event.part)
        elif isinstance(event, PartDied):
            self._again += self._after_death(event)
        elif event.outcome.state == BUSY:
            self._busy.append(event.outcome.part)
        else:
            yield event

    def _after_loss(self, part: ArchivePart) -> list[ArchivePart]:
        """Return what is run instead of a part whose machine is gone."""
        self._losses[part.id] += 1
        if self._losses[part.id] % MOST_LOST:
            return [part]
        return self._after_death(PartDied(part, "its machine was lost"))

    def _after_death(self, event: PartDied) -> list[ArchivePart]:
        """Return what is run instead of a part whose process died."""
        part = event.part
        self._deaths[part.id] += 1
        if self._deaths[part.id] < ATTEMPTS:
            return [part]
        if len(part.items) == 1:
            return [part.given_up(describe_death(event.how, ATTEMPTS))]
        halves = part.halves()
        for half in halves:
            self._deaths[half.id] = 0 if len(half.items) == 1 else ATTEMPTS - 1  # one look is enough to split on
        return list(halves[::-1])
