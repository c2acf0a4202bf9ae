"""Write behind: one thread draws and encodes while the next images are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future

MOST_ITEMS = 8
"""Most images that wait to be written: as many as are read together."""

MOST_PIXELS = 8_000_000
"""Most pixels that wait to be written: 24 MB. One image waits in any case."""


class WriteBehind:
    """Does pieces of work in one thread, in the order in which they come.

    What a piece raises comes out of a later call of `do` or `finish`, once; the pieces after it are dropped.

    Example:
        >>> from functools import partial
        >>> done = []
        >>> behind = WriteBehind()
        >>> for number in range(3):
        ...     behind.do(partial(done.append, number))
        >>> behind.finish()
        >>> done
        [0, 1, 2]
    """

    def __init__(self) -> None:
        from concurrent.futures import ThreadPoolExecutor  # photos need no thread

        self._thread = ThreadPoolExecutor(1, thread_name_prefix="facemood-write")
        self._waiting: deque[tuple[Future[object], int]] = deque()

    def do(self, work: Callable[[], object], *, pixels: int = 0) -> None:
        """Have a piece of work done, as soon as there is room for it.

        Args:
            work: What to do.
            pixels: How much it weighs while it waits.

        Raises:
            Exception: What an earlier piece raised.
        """
        while self._waiting and (self._waiting[0][0].done() or not self._has_room(pixels)):
            self._take()
        self._waiting.append((self._thread.submit(work), pixels))

    def finish(self) -> None:
        """Wait until all work is done, and end the thread.

        Raises:
            Exception: What a piece raised.
        """
        try:
            while self._waiting:
                self._take()
        finally:
            self.discard()

    def discard(self) -> None:
        """Drop what waits, and end the thread; a piece that has begun comes to its end."""
        self._waiting.clear()
        self._thread.shutdown(cancel_futures=True)

    def _take(self) -> None:
        """Wait for the first piece, and raise what it raised."""
        from concurrent.futures import wait

        wait([self._waiting[0][0]])  # Ctrl-C comes out here: the piece still waits then
        done, _ = self._waiting.popleft()
        error = done.exception()
        if error is not None:
            for piece, _ in self._waiting:
                piece.cancel()
            self._waiting.clear()
            raise error

    def _has_room(self, pixels: int) -> bool:
        """Return whether a piece of work may wait, too."""
        return len(self._waiting) < MOST_ITEMS and sum(weight for _, weight in self._waiting) + pixels <= MOST_PIXELS
