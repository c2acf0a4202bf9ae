"""Annotated pictures, written one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from facemood.errors import OutputError
from facemood.render import anonymize, check_layers, check_way, write_picture
from facemood.results import Result
from facemood.schema import Image


class DrawingSink:
    """What writes annotated pictures.

    Args:
        path: Where to.
        info: What makes the results; a picture does not tell it.
        layers: What is shown beside boxes and labels, as for `Result.draw`.
        anonymize: How faces are hidden: ``"blur"``, ``"box"``, or not at all.

    Raises:
        OutputError: There is no such layer or way.
    """

    path: Path
    layers: tuple[str, ...]
    way: str

    wants_images = True

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = (), *, anonymize: str = "") -> None:
        self.path, self.layers, self.way = path, check_layers(layers), check_way(anonymize)

    def draw(self, result: Result) -> Image:
        """Return a result's annotated picture."""
        if not self.way or result.image is None:
            return result.draw(layers=self.layers)
        return result.draw(anonymize(result.image, result.faces, self.way), layers=self.layers)

    def close(self) -> None:
        """Do nothing more: each picture is whole."""


class PictureSink(DrawingSink):
    """One annotated picture, for one input."""

    written: bool = False

    def write(self, result: Result) -> None:
        """Draw and write the picture.

        Raises:
            OutputError: It is the second one, or the place cannot be written to.
        """
        if self.written:
            raise OutputError(f"{self.path}: one picture cannot hold several; give a folder's name, {self.path.stem}/")
        write_picture(self.path, self.draw(result))
        self.written = True


class FolderSink(DrawingSink):
    """A folder of annotated pictures, named as their sources; equal names get a number, frames of videos theirs."""

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = (), *, anonymize: str = "") -> None:
        super().__init__(path, info, layers, anonymize=anonymize)
        self.names: Counter[str] = Counter()

    def write(self, result: Result) -> None:
        """Draw and write one picture as PNG."""
        stem = Path(result.source).stem
        if result.timestamp is not None:
            stem = f"{stem}-{result.index:06d}"
        self.names[stem] += 1
        number = f"-{self.names[stem]}" if self.names[stem] > 1 else ""
        write_picture(self.path / f"{stem}{number}.png", self.draw(result))
