"""Sinks: results are written as they come, by a writer that the file's ending chooses.

A table or JSON file grows under a temporary name and takes its own when the sink is closed, after an interruption too:
what was read until then is kept. Pictures are written one by one.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from facemood.atomic import open_partial
from facemood.errors import OutputError, did_you_mean
from facemood.render import PICTURES, check_layers, write_picture
from facemood.results import SCHEMA, Result, columns_for, csv_line


class Sink(Protocol):
    """Something that results are written to."""

    wants_images: bool

    def write(self, result: Result) -> None:
        """Write one result."""
        ...

    def close(self) -> None:
        """Finish: what was written takes its place."""
        ...


class FileSink:
    """A text file that grows beside its name and is renamed into place on closing.

    Args:
        path: The file's final name.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        layers: What pictures show; a text file shows none.

    Raises:
        OutputError: The place cannot be written to.
    """

    wants_images = False

    def __init__(self, path: Path, info: dict[str, Any], layers: Collection[str] = ()) -> None:
        self.path, self.info, self.count = path, info, 0
        self._file, self._partial = open_partial(path, newline="", encoding="utf-8")
        self._put(self.head())

    def head(self) -> str:
        """Return what stands before the first result."""
        return ""

    def body(self, result: Result) -> str:
        """Return what stands for one result."""
        raise NotImplementedError

    def tail(self) -> str:
        """Return what stands after the last result."""
        return ""

    def write(self, result: Result) -> None:
        """Write one result."""
        self._put(self.body(result))
        self.count += 1

    def close(self) -> None:
        """Finish the file and give it its name."""
        if not self._file.closed:
            self._put(self.tail())
            self._attempt(self._file.close)
            self._attempt(lambda: self._partial.replace(self.path))

    def _put(self, text: str) -> None:
        """Write a text."""
        self._attempt(lambda: self._file.write(text))

    def _attempt(self, action: Callable[[], object]) -> None:
        """Do something with the file, and turn the system's refusal (a full disk, say) into our error."""
        try:
            action()
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.close()
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror or error}); a part stands in {self._partial}"
            ) from error


class CsvSink(FileSink):
    """The table: one row a face, and one for each frame without a face."""

    def head(self) -> str:
        """Return the header line."""
        return csv_line(columns_for(tuple(self.info["labels"])))

    def body(self, result: Result) -> str:
        """Return the lines of one frame."""
        return "".join(csv_line(row.values()) for row in result.rows())


class JsonLinesSink(FileSink):
    """One line of JSON a frame."""

    def body(self, result: Result) -> str:
        """Return the line of one frame."""
        return result.to_json() + "\n"


class JsonSink(FileSink):
    """One JSON object: what made the results, and the list of them, as `Analysis.to_json` gives it."""

    def head(self) -> str:
        """Return the opening up to the list."""
        return f'{{"schema": {SCHEMA}, "info": {json.dumps(self.info, ensure_ascii=False)}, "results": ['

    def body(self, result: Result) -> str:
        """Return the object of one frame."""
        return (",\n" if self.count else "\n") + result.to_json()

    def tail(self) -> str:
        """Return the closing."""
        return "\n]}\n"


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


SINKS: dict[str, Callable[[Path, dict[str, Any], Collection[str]], Sink]] = {
    ".csv": CsvSink,
    ".jsonl": JsonLinesSink,
    ".json": JsonSink,
    **dict.fromkeys(PICTURES, PictureSink),
    "": FolderSink,
}
"""A new writer is a new line here."""


def open_sink(path: str, info: dict[str, Any], *, layers: Collection[str] = ()) -> Sink:
    """Choose a writer by a name's ending; a name without one, or that ends in a slash, is a folder of pictures.

    Args:
        path: Where to write.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        layers: What pictures show beside boxes and labels, as for `Result.draw`.

    Raises:
        OutputError: The ending or a layer is unknown, or the place cannot be written to.
    """
    suffix = "" if path.endswith("/") or Path(path).is_dir() else Path(path).suffix.lower()
    if suffix not in SINKS:
        known = [ending for ending in SINKS if ending]
        raise OutputError(
            f"{path}: unknown kind of output {suffix!r}; expected {', '.join(known)} or a folder."
            f"{did_you_mean(suffix, known)}"
        )
    return SINKS[suffix](Path(path), info, layers)
