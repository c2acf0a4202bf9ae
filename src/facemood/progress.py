"""Progress as a hook: a long job calls ``hook(done, total)``; ``True`` stands for a bar on the terminal's stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Hook: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of images done and the number of all, None where that is not known."""


@contextmanager
def open_hook(progress: bool | Hook) -> Iterator[Hook]:
    """Give the hook to call: the user's own, a bar with rate and time left, or one that does nothing."""
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda done, total: None
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("reading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
