"""What every writer of results can do."""

from __future__ import annotations

from typing import Protocol

from facemood.results import Result


class Sink(Protocol):
    """Something that results are written to."""

    wants_images: bool

    def write(self, result: Result) -> None:
        """Write one result."""
        ...

    def close(self) -> None:
        """Finish: what was written takes its place."""
        ...
