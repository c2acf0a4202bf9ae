"""Names of outputs belong to inputs: no two inputs share one, in whatever order they come and whichever are missing."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

NAME = "{name}"
"""Stands in a target for an input's name without its ending, and gives each input files of its own."""

TREE = "{path}"
"""Stands in a target for an input's path without its ending, below the folder that all inputs have in common."""

FRAME = "{frame}"
"""Stands in an output for the six digits, or more, of a frame's number: one output tells of all frames of a video."""

STDIN = "stdin"
"""What outputs of standard input are called."""

NUMBERED = re.compile(r"-\d{6,}(?=\.[^.]+$)")
"""The number of a frame in a picture's name."""


class Label(NamedTuple):
    """What an input's outputs are called.

    Attributes:
        name: What `NAME` stands for.
        tree: What `TREE` stands for.
    """

    name: str
    tree: str

    def fill(self, pattern: str) -> str:
        """Return a pattern with names in place of what stands for them.

        Example:
            >>> Label("clip", "2024/clip").fill("tables/{path}.csv")
            'tables/2024/clip.csv'
        """
        return pattern.replace(TREE, self.tree).replace(NAME, self.name)

    def numbered(self, number: int) -> Label:
        """Return the label with a number behind it; 1 leaves it as it is."""
        return self if number == 1 else Label(f"{self.name}-{number}", f"{self.tree}-{number}")


OutputsOf: TypeAlias = Callable[[str, Label], Sequence[str]]
"""Gives the outputs that an input has under a label."""


def label_inputs(
    inputs: Iterable[str],
    outputs_of: OutputsOf,
    *,
    known: Mapping[str, Label] | None = None,
    reserved: Collection[str] = (),
) -> dict[str, Label]:
    """Give each input a label, so that no two of them share an output.

    An input keeps the label that is known of it. Otherwise it is called as its file; where others would be called so
    too, in whatever case, all but the first by path get the lowest number that is free.

    Args:
        inputs: Names of inputs, in any order.
        outputs_of: Gives the outputs of an input under a label.
        known: Labels of earlier runs.
        reserved: Outputs that no input may have.

    Example:
        >>> labels = label_inputs(["b/A.mp4", "a/a.mp4", "a-2.mov"], lambda source, label: [label.name + ".csv"])
        >>> {source: label.name for source, label in labels.items()}
        {'b/A.mp4': 'A-3', 'a/a.mp4': 'a', 'a-2.mov': 'a-2'}
    """
    sources = list(dict.fromkeys(inputs))
    desk = _Desk(outputs_of, reserved)
    plain = plain_labels(sources)
    order = sorted(sources, key=os.path.abspath)
    for source in order:
        if known and source in known:
            desk.take(source, known[source])
    for source in order:
        desk.take(source, plain[source])
    for source in order:
        desk.take_numbered(source, plain[source])
    return {source: desk.labels[source] for source in sources}


def plain_labels(inputs: Sequence[str]) -> dict[str, Label]:
    """Return what inputs are called where nobody else is called so.

    Example:
        >>> plain_labels(["photos/2024/a.jpg", "photos/2025/a.png"])["photos/2025/a.png"]
        Label(name='a', tree='2025/a')
    """
    folders = {source: os.path.dirname(os.path.abspath(source)) for source in inputs if _is_file_name(source)}
    root = _common(folders.values())
    labels = {}
    for source in inputs:
        name = stem_of(source)
        below = os.path.relpath(folders[source], root) if source in folders else "."
        labels[source] = Label(name, name if below == "." else Path(below, name).as_posix())
    return labels


def stem_of(source: str) -> str:
    """Return an input's name without folder and ending, fit for a file's name.

    Example:
        >>> stem_of("a/talk.v2.mp4"), stem_of("-"), stem_of("rtsp://host:554/door?x=1")
        ('talk.v2', 'stdin', 'door_x_1')
    """
    if source == "-":
        return STDIN
    stem = Path(source).stem
    return stem if _is_file_name(source) else re.sub(r"[^\w.-]+", "_", stem) or "stream"


def fold(output: str) -> str:
    """Return what tells outputs apart on any file system: neither case nor how accents are stored does.

    Example:
        >>> fold("./Out/A.CSV") == fold("out/a.csv")
        True
    """
    return unicodedata.normalize("NFC", os.path.abspath(output)).casefold()


class _Desk:
    """Gives labels out, and knows which outputs are taken.

    The frames of a video are one output, with `FRAME` in it: a picture that could be one of them is none that is free.
    """

    def __init__(self, outputs_of: OutputsOf, reserved: Collection[str]) -> None:
        self.labels: dict[str, Label] = {}
        self._outputs_of, self._taken = outputs_of, set(map(fold, reserved))
        self._like_frames: set[str] = set()
        self._next: dict[tuple[str, ...], int] = {}  # from which number on to look, for equal names

    def take(self, source: str, label: Label) -> bool:
        """Give an input a label where it has none yet and all outputs are free."""
        if source in self.labels:
            return True
        outputs = set(map(fold, self._outputs_of(source, label)))
        if any(map(self._is_taken, outputs)):
            return False
        self.labels[source] = label
        self._taken |= outputs
        self._like_frames |= {like for output in outputs for like in _like_frame(output)}
        return True

    def take_numbered(self, source: str, label: Label) -> None:
        """Give an input its label with the first number that is free, where it has none yet."""
        key = tuple(map(fold, self._outputs_of(source, label)))
        number = self._next.get(key, 1)
        while not self.take(source, label.numbered(number)):
            number += 1
        self._next[key] = number

    def _is_taken(self, output: str) -> bool:
        """Tell whether an output is somebody's, or may be a frame of somebody's."""
        return (
            output in self._taken
            or output in self._like_frames
            or any(like in self._taken for like in _like_frame(output))
        )


def _like_frame(output: str) -> Iterator[str]:
    """Give the frames' output that a picture could be one of."""
    if NUMBERED.search(output):
        yield NUMBERED.sub(f"-{FRAME}", output)


def _is_file_name(source: str) -> bool:
    """Tell whether an input is a file here, by its name: not standard input, a camera or an address."""
    return source != "-" and (os.path.exists(source) or not re.match(r"[a-z]+:|screen$", source))


def _common(folders: Iterable[str]) -> str:
    """Return the folder that all folders lie in; where there is none (other drives), the working folder."""
    try:
        return os.path.commonpath(set(folders))
    except ValueError:
        return os.getcwd()
