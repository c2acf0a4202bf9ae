"""Decode ahead: one thread decodes the next images while the ones before are read."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

Step = TypeVar("Step")

MOST_ITEMS = 16
"""Most images that wait to be read."""

MOST_PIXELS = 16_000_000
"""Most pixels that wait to be read: 48 MB. One image waits in any case."""

PATIENCE = 3.0
"""Longest time in seconds that closing waits for an image that is being decoded; without it, Ctrl-C would wait for a
network share that hangs."""


def read_ahead(steps: Iterator[Step], pixels_of: Callable[[Step], int]) -> Generator[Step, None, None]:
    """Yield what an iterator yields, in the same order, and run it in a thread a bounded number of steps ahead.

    An exception is raised where it would be raised without the thread. If this generator is closed early, the thread
    closes the iterator and ends.

    Args:
        steps: The iterator. It runs in the thread only, once the first step is asked for.
        pixels_of: How much a step weighs, in pixels.

    Example:
        >>> list(read_ahead(iter("abc"), lambda step: 0))
        ['a', 'b', 'c']
    """
    shelf = _Shelf(pixels_of)
    worker = threading.Thread(target=shelf.fill, args=(steps,), name="facemood-decode", daemon=True)
    worker.start()
    try:
        yield from shelf
    finally:
        shelf.stop()
        worker.join(PATIENCE)


class _Shelf(Generic[Step]):
    """Steps that wait, between the thread that makes them and the one that takes them."""

    def __init__(self, pixels_of: Callable[[Step], int]) -> None:
        self._pixels_of = pixels_of
        self._steps: deque[tuple[Step, int]] = deque()
        self._pixels = 0
        self._changed = threading.Condition()
        self._stopped = self._ended = False
        self._error: BaseException | None = None

    def fill(self, steps: Iterator[Step]) -> None:
        """Make all steps; the thread runs this."""
        try:
            for step in steps:
                if not self._put(step):
                    break
        except BaseException as error:  # raised again where the step is asked for
            self._error = error
        finally:
            with contextlib.suppress(Exception):
                getattr(steps, "close", lambda: None)()
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def stop(self) -> None:
        """Make no further steps."""
        with self._changed:
            self._stopped = True
            self._steps.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Step]:
        """Yield the steps as they come, and raise what ended them."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._steps or self._ended)
                if not self._steps:
                    break
                step, pixels = self._steps.popleft()
                self._pixels -= pixels
                self._changed.notify_all()
            yield step
        if self._error is not None:
            raise self._error

    def _put(self, step: Step) -> bool:
        """Wait for room, and add a step; return whether more are wanted."""
        pixels = self._pixels_of(step)
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._has_room(pixels))
            if self._stopped:
                return False
            self._steps.append((step, pixels))
            self._pixels += pixels
            self._changed.notify_all()
            return True

    def _has_room(self, pixels: int) -> bool:
        """Return whether a step may be added."""
        return not self._steps or (len(self._steps) < MOST_ITEMS and self._pixels + pixels <= MOST_PIXELS)
