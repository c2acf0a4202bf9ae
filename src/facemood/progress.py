"""Progress hooks: a long job calls ``hook(done, total)``; ``True`` means a progress bar on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, TypeAlias

from facemood.filenames import printable

Hook: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of images done and the total; the total is None if it is unknown. A hook that has a method
``reading`` is also told the name of each input as it is begun."""

NAME_WIDTH = 26
"""Most characters of a file's name in front of the bar; longer names are cut."""

BAR_WIDTH = 20
"""Characters of the bar: name, bar, numbers and time then fit into 80 columns."""


class ProgressBar:
    """A hook that shows a bar with the name of the file, the images done, and the time left.

    Args:
        bar: The bar of rich.
    """

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=None)

    def __call__(self, done: int, total: int | None) -> None:
        """Show how many images are done."""
        self._bar.update(self._task, completed=done, total=total)

    def reading(self, name: str) -> None:
        """Show the name of the file that is read."""
        self._bar.update(self._task, description=printable(PurePath(name).name or name))


def tell_name(hook: Hook, name: str) -> None:
    """Tell a hook the name of the input that is begun, if it wants to know."""
    reading = getattr(hook, "reading", None)
    if callable(reading):
        reading(name)


@contextmanager
def open_hook(progress: bool | Hook) -> Iterator[Hook]:
    """Yield the hook to call.

    Args:
        progress: The user's hook; True for a bar with the file's name and the time left; False for a hook that does
            nothing.
    """
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda done, total: None
    else:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        name = Column(max_width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
        columns = (
            TextColumn("{task.description}", markup=False, table_column=name),
            BarColumn(bar_width=BAR_WIDTH),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            yield ProgressBar(bar)
