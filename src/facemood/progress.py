"""Progress of long jobs: hooks, and a bar on stderr with the file's name, rate, time left and failures."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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
"""Most columns of a file's name in front of the bar; longer names are cut near their start."""

BAR_WIDTH = 20
"""Most columns of the bar: name, bar and numbers then fit into `WIDE` columns."""

WIDE = 80
"""Columns of a terminal in which the bar has its whole length. In a narrower one it has half, for the name."""

BOTH_ENDS = 8
"""Columns from which both ends of a name say something."""

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


def cut_name(name: str, width: int, columns_of: Callable[[str], int] = len) -> str:
    """Cut a name near its start: files of one study often begin alike, and differ at their ends.

    Below `BOTH_ENDS` columns, only its start is left.

    Args:
        name: The name.
        width: Columns that it may take.
        columns_of: Returns how many columns a text takes; Chinese characters take two.

    Example:
        >>> cut_name("interview-of-participant-07.mp4", 20), cut_name("a.mp4", 20)
        ('interv…cipant-07.mp4', 'a.mp4')
    """
    if columns_of(name) <= width:
        return name
    head, tail = name, name if width >= BOTH_ENDS else ""
    while head and columns_of(head) > (width // 3 if tail else width - 1):
        head = head[:-1]
    while tail and columns_of(head) + 1 + columns_of(tail) > width:
        tail = tail[1:]
    return f"{head}…{tail}"


@contextmanager
def open_bar(count_failures: CountFailures = lambda: 0) -> Iterator[ProgressBar]:
    """Yield what shows a bar on stderr. The bar goes when the block ends.

    Args:
        count_failures: Counts the inputs that could not be read.
    """
    from rich.cells import cell_len
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.measure import Measurement
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.table import Column
    from rich.text import Text

    @dataclass(frozen=True)
    class Cut:
        """A name that is cut to the width that the terminal leaves."""

        name: str

        def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
            return Measurement(1, cell_len(self.name)).with_maximum(options.max_width)

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
            yield Text(cut_name(self.name, options.max_width, cell_len), no_wrap=True, overflow="crop")

    class Name(ProgressColumn):
        """The name of the file."""

        def render(self, task: Task) -> Cut:
            """Return the name in one line."""
            return Cut(task.description)

    console = Console(stderr=True)
    columns = (
        Name(table_column=Column(max_width=NAME_WIDTH)),
        BarColumn(bar_width=None, table_column=Column(max_width=BAR_WIDTH // (1 if console.width >= WIDE else 2))),
        TextColumn("{task.fields[words]}", table_column=Column(no_wrap=True)),
    )
    printed = sys.stdout.isatty()  # else it is a file or a pipe, whose lines must not go to the terminal
    with Progress(*columns, console=console, transient=True, redirect_stdout=printed) as bar:
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
