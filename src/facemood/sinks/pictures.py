"""Annotated pictures, written one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

from facemood.errors import OutputError
from facemood.render import check_layers, write_picture
from facemood.results import Result


class PictureSink:
    """One annotated picture, for one input.

    Args:
        path: The picture's name.
        info: What makes the results; a picture does not tell it.
        layers: What it shows beside boxes and labels, as for `Result.draw`.

    Raises:
        OutputError: There is no such layer.
    """

    wants_images = True

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = ()) -> None:
        self.path, self.layers, self.written = path, check_layers(layers), False

    def write(self, result: Result) -> None:
        """Draw and write the picture.

        Raises:
            OutputError: It is the second one, or the place cannot be written to.
        """
        if self.written:
            raise OutputError(f"{self.path}: one picture cannot hold several; give a folder's name, {self.path.stem}/")
        write_picture(self.path, result.draw(layers=self.layers))
        self.written = True

    def close(self) -> None:
        """Do nothing more."""


class FolderSink:
    """A folder of annotated pictures, named as their sources; equal names get a number.

    Args:
        path: The folder.
        info: What makes the results; pictures do not tell it.
        layers: What they show beside boxes and labels, as for `Result.draw`.

    Raises:
        OutputError: There is no such layer.
    """

    wants_images = True

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = ()) -> None:
        self.path, self.layers = path, check_layers(layers)
        self.names: Counter[str] = Counter()

    def write(self, result: Result) -> None:
        """Draw and write one picture as PNG."""
        stem = Path(result.source).stem
        self.names[stem] += 1
        number = f"-{self.names[stem]}" if self.names[stem] > 1 else ""
        write_picture(self.path / f"{stem}{number}.png", result.draw(layers=self.layers))

    def close(self) -> None:
        """Do nothing more."""
