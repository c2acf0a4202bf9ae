"""No input is overwritten: outputs are compared with inputs before anything is read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from facemood.atomic import is_stream
from facemood.errors import OutputConflictError

Name: TypeAlias = "str | os.PathLike[str]"
"""A path, however it is given."""


class Originals:
    """The files that a run reads, compared by identity and not by name.

    Symbolic links, hard links, other ways to write a path and, where the file system ignores case, other cases name the
    same file: device and inode number are compared.

    Args:
        inputs: What is read. An input that is not a file, such as a camera or an address, cannot be overwritten.

    Example:
        >>> Originals(["photo.jpg"]).find("./photo.jpg"), Originals(["photo.jpg"]).find("other.jpg")
        ('photo.jpg', None)
    """

    def __init__(self, inputs: Iterable[Name]) -> None:
        self._names: dict[tuple[object, ...], str] = {}
        for name in inputs:
            self._names.setdefault(identity(name), os.fspath(name))

    def find(self, target: Name) -> str | None:
        """Return the input that a target is, or None."""
        return None if is_stream(target) else self._names.get(identity(target))

    def refuse(self, targets: Iterable[Name]) -> None:
        """Refuse targets that are inputs.

        Raises:
            OutputConflictError: One is.
        """
        for target in targets:
            source = self.find(target)
            if source is not None:
                raise OutputConflictError(
                    f"{os.fspath(target)}: this would write over the input {source}, and no input is ever written "
                    "over; give another name or folder"
                )


def refuse_overwriting(targets: Iterable[Name], inputs: Iterable[Name]) -> None:
    """Refuse targets that are inputs, whatever they are called.

    Raises:
        OutputConflictError: One is.

    Example:
        >>> refuse_overwriting(["drawn.png"], ["photo.jpg"])
    """
    Originals(inputs).refuse(targets)


def identity(path: Name) -> tuple[object, ...]:
    """Return the identity of a file: its device and inode number, or its real path if it does not exist."""
    place: Name = path
    if ".." in Path(path).parts:  # the path may lead through a folder that is made later
        place = os.path.realpath(path)
    try:
        known = os.stat(place)
    except (OSError, ValueError):
        known = None
    if known is not None and known.st_ino:
        return known.st_dev, known.st_ino
    return (os.path.normcase(os.path.realpath(path)),)


def ignores_case(folder: Path) -> bool:
    """Return whether ``A.csv`` and ``a.csv`` are one file in a folder; a missing folder counts as its parent.

    Example:
        >>> import sys
        >>> ignores_case(Path("/")) if sys.platform == "linux" else False
        False
    """
    for place in (folder, *folder.parents):
        swapped = place.with_name(place.name.swapcase()) if place.name else place
        if swapped != place and place.exists():
            return swapped.exists() and swapped.samefile(place)
    return False
