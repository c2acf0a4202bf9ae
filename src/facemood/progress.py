"""Progress of long jobs: hooks, and a bar on stderr with the file's name, rate, time left and failures."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, TypeAlias

from facemood.filenames import printable
from facemood.switches import check_switches
from facemood.text import clock

Hook: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of images done and the total; the total is None if it is unknown. A hook that has a method
``reading`` is also told the name of each input as it is begun."""

ShowProgress: TypeAlias = Callable[[float, int | None], None]
"""A hook that also takes a part of an input: of a video that is being read, the share that is done."""

CountFailures: TypeAlias = Callable[[], int]
"""Returns how many inputs could not be read so far."""

NAME_WIDTH = 26
"""Most characters of a file's name in front of the bar; longer names are cut."""

BAR_WIDTH = 20
"""Most characters of the bar: name, bar and numbers then fit into 80 columns. In a narrower terminal it is shorter."""

WINDOW = 60.0
"""Seconds over which the rate is measured: videos and photos of one job take different times."""

LONGEST = 100 * 86_400.0
"""A time left of so many seconds or more says only that the rate is not known yet."""


class Pace:
    """Tells how far a job is, with the rate of the last minute and the time that is left at this rate.

    Args:
        began: Time at which the job began, in seconds of `time.monotonic`.
    """

    def __init__(self, began: float) -> None:
        self._seen = deque([(began, 0.0)])  # times, and how much was done then

    def told(self, done: float, total: int | None, failed: int, now: float) -> str:
        """Return how far the job is.

        Args:
            done: How many inputs or frames are done.
            total: How many there are; None if it is unknown.
            failed: How many inputs could not be read.
            now: The time, in seconds of `time.monotonic`.

        Example:
            >>> Pace(0.0).told(1200, 2000, 1, 30.0), Pace(0.0).told(7.5, None, 0, 30.0), Pace(0.0).told(0, 9, 0, 30.0)
            ('1,200/2,000  40.0/s  0:20 left  1 failed', '7  15.0/min', '0/9')
        """
        rate = self._rate(done, now)
        words = [f"{int(done):,}" if total is None else f"{int(done):,}/{total:,}"]
        if rate:
            words.append(f"{rate:.1f}/s" if rate >= 1 else f"{60 * rate:.1f}/min")
        if total is not None and 0 < total - done < rate * LONGEST:
            words.append(f"{clock((total - done) / rate)} left")
        if failed:
            words.append(f"{failed:,} failed")
        return "  ".join(words)

    def _rate(self, done: float, now: float) -> float:
        """Return how much was done in a second of the last minute, or since the beginning."""
        if now - self._seen[-1][0] >= 1:
            self._seen.append((now, done))
        while len(self._seen) > 1 and self._seen[1][0] <= now - WINDOW:
            self._seen.popleft()
        then, before = self._seen[0]
        return max(0.0, done - before) / (now - then) if now > then else 0.0


class ProgressBar:
    """A hook that shows a bar with the name of the file, if it is told one, and how far the job is.

    Args:
        bar: The bar of rich.
        count_failures: Counts the inputs that could not be read.
    """

    def __init__(self, bar: Any, count_failures: CountFailures) -> None:
        self._bar, self._count_failures = bar, count_failures
        self._task = bar.add_task("reading", total=None, words="")
        self._pace = Pace(time.monotonic())

    def __call__(self, done: float, total: int | None) -> None:
        """Show how much is done."""
        words = self._pace.told(done, total, self._count_failures(), time.monotonic())
        self._bar.update(self._task, completed=done, total=total, words=words)

    def reading(self, name: str) -> None:
        """Show the name of the file that is read."""
        self._bar.update(self._task, description=printable(PurePath(name).name or name))


def tell_name(hook: Hook, name: str) -> None:
    """Tell a hook the name of the input that is begun, if it wants to know."""
    reading = getattr(hook, "reading", None)
    if callable(reading):
        reading(name)


@contextmanager
def open_bar(count_failures: CountFailures = lambda: 0) -> Iterator[ProgressBar]:
    """Yield what shows a bar on stderr. The bar goes when the block ends.

    Args:
        count_failures: Counts the inputs that could not be read.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.table import Column
    from rich.text import Text

    class Name(ProgressColumn):
        """The name of the file. It is cut where the terminal is too narrow for name, bar and numbers."""

        def render(self, task: Task) -> Text:
            """Return the name in one line."""
            return Text(task.description, no_wrap=True, overflow="ellipsis")

    columns = (
        Name(table_column=Column(max_width=NAME_WIDTH)),
        BarColumn(bar_width=None, table_column=Column(max_width=BAR_WIDTH)),
        TextColumn("{task.fields[words]}", table_column=Column(no_wrap=True)),
    )
    printed = sys.stdout.isatty()  # else it is a file or a pipe, whose lines must not go to the terminal
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=printed) as bar:
        yield ProgressBar(bar, count_failures)


def check_progress(progress: bool | Hook) -> None:
    """Refuse what `open_hook` does not take.

    Raises:
        OptionError: It is neither a bool nor a function.
    """
    if not callable(progress):
        check_switches(progress=progress)


@contextmanager
def open_hook(progress: bool | Hook) -> Iterator[Hook]:
    """Yield the hook to call.

    Args:
        progress: The user's hook; True for a bar with the file's name, rate and time left; False for a hook that does
            nothing.

    Raises:
        OptionError: It is neither.
    """
    check_progress(progress)
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda done, total: None
    else:
        with open_bar() as bar:
            yield bar
