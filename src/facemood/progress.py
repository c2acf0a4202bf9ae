"""Progress hooks: a long job calls ``hook(done, total)``; ``True`` means a progress bar on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Hook: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of images done and the total; the total is None if it is unknown."""


@contextmanager
def open_hook(progress: bool | Hook) -> Iterator[Hook]:
    """Yield the hook to call.

    Args:
        progress: The user's hook; True for a bar with the time left; False for a hook that does nothing.
    """
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
