"""Annotated images, written one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facemood.errors import OutputError
from facemood.render import anonymize, write_image
from facemood.results import Result
from facemood.schema import Image
from facemood.sinks.sink import MANY, ONE_PHOTO, PLAIN_LOOKS, Looks


class DrawingSink:
    """Writes annotated images.

    Args:
        path: Where to.
        info: Settings of the run; an image does not store them.
        looks: How images show faces.
    """

    path: Path
    looks: Looks

    wants_images = True
    holds = MANY
    continues = False
    of_results = True

    def __init__(self, path: Path, info: dict[str, Any], looks: Looks = PLAIN_LOOKS) -> None:
        self.path, self.looks = path, looks

    def draw(self, result: Result) -> Image:
        """Return a result's annotated image."""
        way = self.looks.anonymize
        hidden = anonymize(result.image, result.faces, way) if way and result.image is not None else None
        return result.draw(hidden, layers=self.looks.layers, language=self.looks.language)

    def close(self, *, whole: bool = True) -> None:
        """Do nothing: each image is whole."""

    def discard(self) -> None:
        """Do nothing: each image is whole."""


class PictureSink(DrawingSink):
    """One annotated image, for one input."""

    holds = ONE_PHOTO
    written: bool = False

    def write(self, result: Result) -> None:
        """Draw and write the image.

        Raises:
            OutputError: It is the second one, or the file cannot be written.
        """
        if self.written:
            raise OutputError(f"{self.path}: one image cannot hold several; give a folder's name, {self.path.stem}/")
        write_image(self.path, self.draw(result))
        self.written = True


class FolderSink(DrawingSink):
    """A folder of annotated images, named as their sources; frames of videos have their number behind the name.

    Args:
        path: The folder; it is made with the first image.
        info: Settings of the run; an image does not store them.
        looks: How images show faces.
        names: What each source's images are called, without ending. Others are called as their files; of equal
            names, the later ones get a number.
    """

    names: dict[str, str]

    def __init__(
        self, path: Path, info: dict[str, Any], looks: Looks = PLAIN_LOOKS, *, names: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(path, info, looks)
        self.names = dict(names or {})
        self._taken: set[str] = set()

    def write(self, result: Result) -> None:
        """Draw and write one image as PNG."""
        name = self.names.get(result.source, Path(result.source).stem)
        if result.timestamp is not None:
            name = f"{name}-{result.index:06d}"
        if result.source not in self.names:
            name = self._free(name)
        write_image(self.path / f"{name}.png", self.draw(result))

    def _free(self, name: str) -> str:
        """Return a name, with a number where it was given to another image, in whatever case."""
        number, free = 1, name
        while free.casefold() in self._taken:
            number += 1
            free = f"{name}-{number}"
        self._taken.add(free.casefold())
        return free
