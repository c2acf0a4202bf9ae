"""What every writer of results can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from facemood.results import Result
from facemood.table import Column, columns_for


class Sink(Protocol):
    """Something that results are written to."""

    wants_images: bool

    def write(self, result: Result) -> None:
        """Write one result."""
        ...

    def close(self) -> None:
        """Finish: what was written takes its place."""
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
