"""Read results in a separate thread, so that the window never waits for a network."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from facemood.flow import close_results
from facemood.results import Result
from facemood.sources.live import Newest

PATIENCE = 2.0
"""Longest time, in seconds, that `close` waits for the current result."""


class Rate:
    """Rate of events per second, over the last second.

    Args:
        span: Length of the time window in seconds.

    Example:
        >>> rate = Rate()
        >>> for moment in (0.0, 0.1, 0.2, 0.3):
        ...     rate.tick(moment)
        >>> round(rate.at(0.3)), rate.at(5.0)
        (10, 0.0)
    """

    def __init__(self, *, span: float = 1.0) -> None:
        self.span = span
        self._times: deque[float] = deque(maxlen=1000)

    def tick(self, moment: float) -> None:
        """Count an event at a time in seconds; times must not decrease."""
        while self._times and self._times[0] < moment - self.span:
            self._times.popleft()
        self._times.append(moment)

    def at(self, moment: float) -> float:
        """Return the events per second at a time in seconds; 0 with fewer than two events."""
        recent = [past for past in tuple(self._times) if past >= moment - self.span]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0


class ResultThread:
    """Reads results in a thread, calls functions with each, and keeps the newest one for the window.

    Args:
        results: The results; a generator is closed at the end, in the thread that reads it.
        change: Applied to each result before anything else, for example to hide faces; None changes nothing.
        each: Functions that are called with each result, in order, in the thread.

    Example:
        >>> collected = []
        >>> thread = ResultThread([Result("a"), Result("b")], each=[collected.append])
        >>> thread.close(); len(collected)
        2
    """

    rate: Rate
    count: int

    def __init__(
        self,
        results: Iterable[Result],
        *,
        change: Callable[[Result], Result] | None = None,
        each: Iterable[Callable[[Result], object]] = (),
    ) -> None:
        self.newest: Newest[Result] = Newest()
        self.rate, self.count = Rate(), 0
        self._results, self._change, self._each = iter(results), change, tuple(each)
        self._running, self._stop = threading.Event(), threading.Event()
        self._running.set()
        self._thread = threading.Thread(target=self._run, name="facemood results", daemon=True)
        self._thread.start()

    @property
    def paused(self) -> bool:
        """Whether reading is paused."""
        return not self._running.is_set()

    def pause(self, paused: bool = True) -> None:
        """Pause reading, or continue it; the current result is still delivered."""
        if paused:
            self._running.clear()
        else:
            self._running.set()

    def close(self) -> None:
        """End the thread. If the source is silent for `PATIENCE` seconds, the thread ends after its next result."""
        self._stop.set()
        self._running.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        """Read to the end; errors are raised in the thread that takes the newest result."""
        try:
            for result in self._until_stopped():
                self._take(result)
        except Exception as error:
            self.newest.finish(error)
        else:
            self.newest.finish()

    def _until_stopped(self) -> Iterator[Result]:
        """Yield results until `close` is called, then close the source."""
        try:
            for result in self._results:
                yield result
                self._running.wait()
                if self._stop.is_set():
                    return
        finally:
            close_results(self._results)

    def _take(self, result: Result) -> None:
        """Change one result, call the functions with it, and store it as the newest."""
        changed = result if self._change is None else self._change(result)
        for action in self._each:
            action(changed)
        self.count += 1
        self.rate.tick(time.monotonic())
        self.newest.put(changed)
