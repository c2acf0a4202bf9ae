"""What every writer of results can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from facemood.results import Failure, Result
from facemood.table import Column, columns_for

MANY = "many"
"""What `Sink.holds` says of a writer that takes the results of any inputs, as many as there are."""

ONE_PHOTO = "one photo"
"""What `Sink.holds` says of a writer that takes one photo, and no frames of videos."""

ONE_VIDEO = "one video"
"""What `Sink.holds` says of a writer that takes the frames of one video, and no photos."""


class Sink(Protocol):
    """Something that results are written to.

    Attributes:
        wants_images: Whether results must hold their images.
        holds: `MANY`, `ONE_PHOTO` or `ONE_VIDEO`.
        continues: Whether a later run can go on with what an earlier one left (`Continuable`).
        of_results: Whether results make a difference to what it writes.
    """

    wants_images: bool
    holds: str
    continues: bool
    of_results: bool

    def write(self, result: Result) -> None:
        """Write one result."""
        ...

    def close(self, *, whole: bool = True) -> None:
        """Finish: what was written takes its place, under a name that says so where it is not whole."""
        ...

    def discard(self) -> None:
        """Give up: nothing takes its place, and what was there before stays."""
        ...


@runtime_checkable
class FailureSink(Protocol):
    """A sink that also writes which inputs could not be read."""

    def fail(self, failure: Failure) -> None:
        """Write one failure."""
        ...


class Continuable(Sink, Protocol):
    """A table that goes on where an earlier run left it.

    Attributes:
        size: How much was written by now, in the table's own measure: bytes, or rows.
        growing: The name under which it grows.
    """

    size: int
    growing: Path

    def sync(self) -> None:
        """Bring what was written to the disk."""
        ...

    def extent(self, old: Path) -> int:
        """Return how much of an earlier table can be taken over: nothing where its columns are others."""
        ...

    def keep(self, old: Path, spans: Sequence[tuple[int, int]]) -> None:
        """Take over parts of an earlier table, each from a size to a size, before anything else is written."""
        ...


def columns_of(info: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns of a run's table.

    Args:
        info: What makes the results, as `EmotionRecognizer.info` and `VideoOptions.info` give it.

    Example:
        >>> [column.name for column in columns_of({"labels": ["happy"], "variants": ["raw"]})][-2:]
        ['display_label', 'raw_happy']
    """
    return columns_for(tuple(info["labels"]), tuple(info.get("variants", ())))
