"""Drawn images of an archive: each input has its own file, called as its path, so that workers need not agree."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

from facemood.results import Result
from facemood.sinks import Sink, open_sink

UP = "_up"
"""Stands for ``..`` in the path of a drawn image."""

ROOT = "_root"
"""Stands for the root of the file system in the path of a drawn image."""


class DrawnInputs:
    """Writes the drawn images of photos as PNG, and those of videos as MP4.

    Args:
        folder: Where to.
        info: Settings of the run.
        looks: How images are drawn: ``layers`` and ``anonymize`` of `facemood.sinks.open_sink`.
    """

    def __init__(self, folder: Path, info: dict[str, Any], looks: dict[str, Any]) -> None:
        self._folder, self._info, self._looks = folder, info, looks
        self._source = ""
        self._sink: Sink | None = None

    def write(self, result: Result) -> None:
        """Write one image, or one frame of a video."""
        if result.source != self._source or result.timestamp is None:
            self.close()
            place = self._folder / drawn_name(result.source)
            ending = ".png" if result.timestamp is None else ".mp4"
            page = f"-{result.index + 1}" if result.timestamp is None and result.index else ""
            self._sink = open_sink(f"{place}{page}{ending}", self._info, **self._looks)
        self._source = result.source
        assert self._sink is not None
        self._sink.write(result)

    def close(self) -> None:
        """Finish the file of the last input."""
        sink, self._sink, self._source = self._sink, None, ""
        if sink is not None:
            sink.close()


def drawn_name(source: str) -> Path:
    """Return the path of an input's drawn image below the folder, without its ending; no two inputs share one.

    Example:
        >>> drawn_name("photos/a.jpg").as_posix(), drawn_name("../b.jpg").as_posix(), drawn_name("/c.jpg").as_posix()
        ('photos/a.jpg', '_up/b.jpg', '_root/c.jpg')
    """
    path = PurePath(source)
    parts = path.parts[1:] if path.anchor else path.parts
    return Path(*([ROOT] if path.anchor else []), *(UP if part == ".." else part for part in parts))
