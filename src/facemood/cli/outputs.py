"""Where a run's results are written: files for all inputs together and, with ``{name}`` in their names, for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facemood.results import Result
    from facemood.sinks import Sink

NAME = "{name}"
"""Stands for an input's name without its ending, and gives each input files of its own."""

UNFINISHED = ".unfinished"
"""Comes before the ending of a file whose input was not read to its end."""


class Outputs:
    """The files of a run. Those of all inputs together are opened at once, those of an input with its first result.

    Args:
        patterns: Names of files, some of them with `NAME` in them.
        inputs: The names of the inputs.
        open_file: Opens the writer for a name.

    Raises:
        OutputError: A place cannot be written to.
    """

    def __init__(self, patterns: Sequence[str], inputs: Sequence[str], open_file: Callable[[str], Sink]) -> None:
        self._open, self._files = open_file, files_of(patterns, inputs)
        self._source, self._broken = "", False
        self._own: dict[str, Sink] = {}
        self._shared: list[Sink] = []
        for name in patterns:
            if NAME not in name:
                self._shared.append(open_file(name))

    def write(self, result: Result) -> None:
        """Write one result to all files that it belongs in.

        Raises:
            OutputError: A file cannot be written to.
        """
        if result.source != self._source:
            self._finish(whole=True)
            self._source = result.source
            for file in self._files.get(result.source, ()):
                Path(file).absolute().parent.mkdir(parents=True, exist_ok=True)
                self._own[file] = self._open(file)
        for sink in (*self._shared, *self._own.values()):
            sink.write(result)

    def fail(self, name: str) -> None:
        """Take note that an input broke off: its files will say so in their names."""
        self._broken = self._broken or name == self._source

    def close(self, *, whole: bool) -> None:
        """Finish all files.

        Args:
            whole: Whether the input that was read last came to its end.
        """
        try:
            self._finish(whole=whole)
        finally:
            for sink in self._shared:
                sink.close()

    def _finish(self, *, whole: bool) -> None:
        """Finish the files of one input, and mark them where it was not read to its end."""
        for file, sink in self._own.items():
            sink.close()
            path = Path(file)
            if (self._broken or not whole) and path.is_file():
                path.replace(path.with_suffix(UNFINISHED + path.suffix))
        self._own, self._broken = {}, False


def files_of(patterns: Sequence[str], inputs: Sequence[str]) -> dict[str, list[str]]:
    """Return the files that each input has of its own; inputs of equal names get a number.

    Example:
        >>> files_of(["{name}.csv", "all.csv"], ["a/clip.mp4", "b/clip.mp4"])
        {'a/clip.mp4': ['clip.csv'], 'b/clip.mp4': ['clip-2.csv']}
    """
    own, seen = [pattern for pattern in patterns if NAME in pattern], Counter[str]()
    files = {}
    for name in dict.fromkeys(inputs):
        stem = Path(name).stem
        seen[stem] += 1
        files[name] = [pattern.replace(NAME, stem if seen[stem] == 1 else f"{stem}-{seen[stem]}") for pattern in own]
    return files


def left_to_read(patterns: Sequence[str], inputs: Sequence[str]) -> list[str]:
    """Return the inputs that lack one of their own files: what is left of a run that was interrupted."""
    files = files_of(patterns, inputs)
    return [name for name in inputs if not files[name] or not all(Path(file).exists() for file in files[name])]
