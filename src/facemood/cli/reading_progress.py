"""How far a run of ``facemood analyze`` is: a bar on a terminal, or a line each minute."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from facemood.cli.terminal import say

if TYPE_CHECKING:
    from facemood.progress import CountFailures, ShowProgress

logger: logging.Logger = logging.getLogger("facemood")

LINE_EVERY = 60.0
"""Seconds between two lines."""

DUMB = ("dumb", "unknown")
"""Terminals that cannot draw a bar, as TERM names them."""


@contextmanager
def shown_progress(count_failures: CountFailures, *, quiet: bool) -> Iterator[ShowProgress | None]:
    """Yield what shows the progress; None if nothing is to be shown.

    It is a bar on a terminal, and a line each minute on one that cannot draw, or with ``--verbose`` in a log.

    Args:
        count_failures: Counts the inputs that could not be read.
        quiet: Whether nothing is shown.
    """
    terminal = not quiet and sys.stderr.isatty()
    if terminal and os.environ.get("TERM", "").lower() not in DUMB:
        from facemood.progress import open_bar

        with open_bar(count_failures) as bar:
            yield bar
    elif terminal:
        yield _lines(say, count_failures)
    elif logger.isEnabledFor(logging.INFO):
        yield _lines(logger.info, count_failures)
    else:
        yield None


def _lines(tell: Callable[[str], None], count_failures: CountFailures) -> ShowProgress:
    """Return what tells the progress by a line each minute."""
    from facemood.progress import Pace

    began = time.monotonic()
    pace, due = Pace(began), began + LINE_EVERY

    def show(done: float, total: int | None) -> None:
        nonlocal due
        now = time.monotonic()
        words = pace.told(done, total, count_failures(), now)
        if now >= due:
            due = now + LINE_EVERY
            tell(f"facemood: {words}")

    return show
