"""Take results in a thread of their own, so that a window never waits for a network."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from facemood.flow import close_results
from facemood.results import Result
from facemood.sources.live import Newest

PATIENCE = 2.0
"""Seconds that closing waits for a result that is on its way."""


class Rate:
    """How often something happens, over the last second.

    Args:
        span: Seconds that are looked at.

    Example:
        >>> rate = Rate()
        >>> for moment in (0.0, 0.1, 0.2, 0.3):
        ...     rate.tick(moment)
        >>> round(rate.at(0.3)), rate.at(5.0)
        (10, 0.0)
    """

    def __init__(self, *, span: float = 1.0) -> None:
        self.span = span
        self._moments: deque[float] = deque(maxlen=1000)

    def tick(self, moment: float) -> None:
        """Note that it happened at a moment in seconds; moments only grow."""
        while self._moments and self._moments[0] < moment - self.span:
            self._moments.popleft()
        self._moments.append(moment)

    def at(self, moment: float) -> float:
        """Return how often it happened in a second, up to a moment; 0 where it did not happen twice."""
        recent = [past for past in tuple(self._moments) if past >= moment - self.span]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 and recent[-1] > recent[0] else 0.0


class ResultThread:
    """Takes results as they come, does with each what is asked, and keeps the newest for whom it may concern.

    Args:
        results: What is read; a generator is closed in the end, in the thread that read from it.
        change: What each result becomes before anything else sees it, such as one with hidden faces; None leaves it.
        each: What is done with every result, in order, in the reader's thread.

    Example:
        >>> seen = []
        >>> reader = ResultThread([Result("a"), Result("b")], each=[seen.append])
        >>> reader.close(); len(seen)
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
        self._going, self._stop = threading.Event(), threading.Event()
        self._going.set()
        self._thread = threading.Thread(target=self._run, name="facemood results", daemon=True)
        self._thread.start()

    @property
    def paused(self) -> bool:
        """Whether nothing is read at present."""
        return not self._going.is_set()

    def pause(self, paused: bool = True) -> None:
        """Stop reading for a while, or go on; a result that is on its way still comes."""
        if paused:
            self._going.clear()
        else:
            self._going.set()

    def close(self) -> None:
        """End the thread; where a source gives nothing, it ends by itself as soon as something comes."""
        self._stop.set()
        self._going.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        """Read to the end; what goes wrong is raised to who takes the newest result."""
        try:
            for result in self._wanted():
                self._take(result)
        except Exception as error:
            self.newest.finish(error)
        else:
            self.newest.finish()

    def _wanted(self) -> Iterator[Result]:
        """Yield results until it is enough, and let the source go."""
        try:
            for result in self._results:
                yield result
                self._going.wait()
                if self._stop.is_set():
                    return
        finally:
            close_results(self._results)

    def _take(self, result: Result) -> None:
        """Do with one result what is asked, and lay it down."""
        changed = result if self._change is None else self._change(result)
        for action in self._each:
            action(changed)
        self.count += 1
        self.rate.tick(time.monotonic())
        self.newest.put(changed)
