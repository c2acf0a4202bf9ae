"""Names of outputs: no two inputs share one, in any order of inputs, and also if some are missing."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

NAME = "{name}"
"""Placeholder in a target: the input's name without its suffix. Each input then has its own files."""

TREE = "{path}"
"""Placeholder in a target: the input's path without its suffix, relative to the common folder of all inputs."""

FRAME = "{frame}"
"""Placeholder in an output for the frame's number (6 or more digits): one output stands for all frames of a video."""

STDIN = "stdin"
"""Name of the outputs of standard input."""

NUMBERED = re.compile(r"-\d{6,}(?=\.[^.]+$)")
"""The number of a frame in an image file's name."""


class Label(NamedTuple):
    """The values of the placeholders for one input.

    Attributes:
        name: The value of `NAME`.
        tree: The value of `TREE`.
    """

    name: str
    tree: str

    def fill(self, pattern: str) -> str:
        """Return a pattern with its placeholders filled in.

        Example:
            >>> Label("clip", "2024/clip").fill("tables/{path}.csv")
            'tables/2024/clip.csv'
        """
        return pattern.replace(TREE, self.tree).replace(NAME, self.name)

    def numbered(self, number: int) -> Label:
        """Return the label with a number appended; 1 leaves it unchanged."""
        return self if number == 1 else Label(f"{self.name}-{number}", f"{self.tree}-{number}")


OutputsOf: TypeAlias = Callable[[str, Label], Sequence[str]]
"""Returns the outputs of an input under a label."""


def label_inputs(
    inputs: Iterable[str],
    outputs_of: OutputsOf,
    *,
    known: Mapping[str, Label] | None = None,
    reserved: Collection[str] = (),
) -> dict[str, Label]:
    """Give each input a label, so that no two of them share an output.

    An input keeps its known label. Otherwise its label is its file name. If several inputs have the same name, also in
    another case, all but the first by path get the lowest free number.

    Args:
        inputs: Names of inputs, in any order.
        outputs_of: Returns the outputs of an input under a label.
        known: Labels of earlier runs.
        reserved: Outputs that no input may have.

    Example:
        >>> labels = label_inputs(["b/A.mp4", "a/a.mp4", "a-2.mov"], lambda source, label: [label.name + ".csv"])
        >>> {source: label.name for source, label in labels.items()}
        {'b/A.mp4': 'A-3', 'a/a.mp4': 'a', 'a-2.mov': 'a-2'}
    """
    sources = list(dict.fromkeys(inputs))
    allocator = _LabelAllocator(outputs_of, reserved)
    plain = plain_labels(sources)
    order = sorted(sources, key=os.path.abspath)
    for source in order:
        if known and source in known:
            allocator.assign(source, known[source])
    for source in order:
        allocator.assign(source, plain[source])
    for source in order:
        allocator.assign_numbered(source, plain[source])
    return {source: allocator.labels[source] for source in sources}


def plain_labels(inputs: Sequence[str]) -> dict[str, Label]:
    """Return the labels of inputs before equal names are numbered.

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
    """Return an input's name without folder and suffix, as a valid file name.

    Example:
        >>> stem_of("a/talk.v2.mp4"), stem_of("-"), stem_of("rtsp://host:554/door?x=1")
        ('talk.v2', 'stdin', 'door_x_1')
    """
    if source == "-":
        return STDIN
    stem = Path(source).stem
    return stem if _is_file_name(source) else re.sub(r"[^\w.-]+", "_", stem) or "stream"


def fold(output: str) -> str:
    """Return a key that is equal for outputs that may be the same file: case and Unicode normalization are ignored.

    Example:
        >>> fold("./Out/A.CSV") == fold("out/a.csv")
        True
    """
    return unicodedata.normalize("NFC", os.path.abspath(output)).casefold()


class _LabelAllocator:
    """Assigns labels to inputs, and keeps the set of outputs that are taken.

    The frames of a video are one output, with `FRAME` in it. An image file that could be one of them counts as taken.
    """

    def __init__(self, outputs_of: OutputsOf, reserved: Collection[str]) -> None:
        self.labels: dict[str, Label] = {}
        self._outputs_of, self._taken = outputs_of, set(map(fold, reserved))
        self._like_frames: set[str] = set()
        self._next: dict[tuple[str, ...], int] = {}  # the next number to try, for equal names

    def assign(self, source: str, label: Label) -> bool:
        """Assign a label to an input that has none, if all its outputs are free. Return whether it has one now."""
        if source in self.labels:
            return True
        outputs = set(map(fold, self._outputs_of(source, label)))
        if any(map(self._is_taken, outputs)):
            return False
        self.labels[source] = label
        self._taken |= outputs
        self._like_frames |= {like for output in outputs for like in _like_frame(output)}
        return True

    def assign_numbered(self, source: str, label: Label) -> None:
        """Assign the label with the first free number to an input that has none."""
        key = tuple(map(fold, self._outputs_of(source, label)))
        number = self._next.get(key, 1)
        while not self.assign(source, label.numbered(number)):
            number += 1
        self._next[key] = number

    def _is_taken(self, output: str) -> bool:
        """Return whether an output is assigned, or may be a frame of an assigned one."""
        return (
            output in self._taken
            or output in self._like_frames
            or any(like in self._taken for like in _like_frame(output))
        )


def _like_frame(output: str) -> Iterator[str]:
    """Yield the output of a video's frames to which an image file could belong."""
    if NUMBERED.search(output):
        yield NUMBERED.sub(f"-{FRAME}", output)


def _is_file_name(source: str) -> bool:
    """Return whether an input is a local file, by its name: not standard input, a camera or an address."""
    return source != "-" and (os.path.exists(source) or not re.match(r"[a-z]+:|screen$", source))


def _common(folders: Iterable[str]) -> str:
    """Return the common parent of all folders; the working directory if there is none (other drives)."""
    try:
        return os.path.commonpath(set(folders))
    except ValueError:
        return os.getcwd()
