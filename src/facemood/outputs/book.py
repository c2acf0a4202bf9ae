"""The book of a table or a folder: which output belongs to which input, and how it was made.

It lies beside them as JSON, and is true at any moment: it is replaced as a whole, and never tells of more than is on
the disk.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from facemood.atomic import replacing
from facemood.errors import OutputConflictError
from facemood.outputs.names import Label

SCHEMA = 1
"""Version of the book; it changes when a reader would have to."""

MARK = "facemood_outputs"
"""The key by which a book is known, with `SCHEMA`."""

FOLDER_BOOK = "facemood.json"
"""What the book of a folder is called; that of a table is called as the table, with ``.json`` behind it."""

DONE = "done"
"""State of an input that was read to its end."""

FAILED = "failed"
"""State of an input that could not be read, or not to its end."""

UNFINISHED = "unfinished"
"""State of an input that was being read when the run ended."""

PAUSE = 1.0
"""Seconds between two writings of a book, so that thousands of photos do not write it thousands of times."""

SHARE = 20.0
"""A book that took long to write waits so many times as long for the next time: at most 5% of a run go into it."""

UNCOMPARED = ("device",)
"""Settings that do not make other results."""


class Stamp(NamedTuple):
    """What tells that a file is the one it was.

    Attributes:
        size: Bytes; None for what is no file.
        mtime_ns: When it was changed last, in nanoseconds since 1970.
    """

    size: int | None = None
    mtime_ns: int | None = None

    @classmethod
    def of(cls, source: str) -> Stamp:
        """Look a file up.

        Example:
            >>> Stamp.of("camera:0")
            Stamp(size=None, mtime_ns=None)
        """
        try:
            known = os.stat(source)
        except (OSError, ValueError):
            return cls()
        return cls(known.st_size, known.st_mtime_ns)


@dataclass(slots=True)
class Entry:
    """What the book says of one input.

    Attributes:
        source: Its name, as results tell it.
        path: Its absolute path, by which it is known again.
        size: Bytes.
        mtime_ns: When it was changed last, in nanoseconds since 1970.
        state: `DONE`, `FAILED` or `UNFINISHED`.
        settings: Which of the book's settings made its results.
        results: How many images or frames were read.
        outputs: Its own files, from the book's folder on; empty in a table's book.
        span: From where to where its rows stand in the table, in bytes (of Parquet: in rows); None elsewhere.
        name: What ``{name}`` stands for.
        tree: What ``{path}`` stands for.
        message: Why it failed.
    """

    source: str
    path: str
    size: int | None = None
    mtime_ns: int | None = None
    state: str = DONE
    settings: str = ""
    results: int = 0
    outputs: list[str] = field(default_factory=list)
    span: list[int] | None = None
    name: str = ""
    tree: str = ""
    message: str = ""

    @property
    def label(self) -> Label:
        """What its outputs are called."""
        return Label(self.name, self.tree)

    @property
    def stamp(self) -> Stamp:
        """What tells that the input is still the one it was."""
        return Stamp(self.size, self.mtime_ns)


@dataclass(slots=True)
class Book:
    """Tells of the inputs of a table or a folder.

    Attributes:
        path: Where it lies.
        settings: What made results (model, options, versions), by a short name each.
        entries: What is known of each input, by its absolute path.
        table: The name under which the table stands at present; empty in a folder's book.
        inode: The system's number of that file.
        size: Its bytes once it was closed, 0 as long as it grows.

    Example:
        >>> book = Book(Path("table.csv.json"))
        >>> book.entries["/photos/a.jpg"] = Entry("a.jpg", "/photos/a.jpg", 5, 7, settings=book.know({"model": "nano"}))
        >>> book.is_done("/photos/a.jpg", Stamp(5, 7), {"model": "nano"})
        True
        >>> book.is_done("/photos/a.jpg", Stamp(6, 7), {"model": "nano"})
        False
    """

    path: Path
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    table: str = ""
    inode: int = 0
    size: int = 0
    _next: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Book:
        """Read a book; where there is none, it is empty.

        Raises:
            OutputConflictError: The file is no book, or damaged.
        """
        try:
            known = json.loads(path.read_bytes())
            if known[MARK] != SCHEMA:
                raise ValueError(f"it is of version {known[MARK]}")
            entries = [Entry(**entry) for entry in known["sources"]]
            place = str(known["table"]), int(known["inode"]), int(known["size"])
            return cls(path, dict(known["settings"]), {entry.path: entry for entry in entries}, *place)
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise OutputConflictError(
                f"{path}: this name is needed for the list of what is written, but the file there is none that can be "
                f"read ({error}); move it away, or write to another place"
            ) from None

    def know(self, settings: Mapping[str, Any]) -> str:
        """Take settings in, and return the short name that entries tell."""
        text = json.dumps(settings, sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.settings[key] = json.loads(text)
        return key

    def is_done(self, path: str, stamp: Stamp, settings: Mapping[str, Any]) -> bool:
        """Tell whether an input was read to its end, with these settings, and is the same since then."""
        entry = self.entries.get(path)
        return (
            entry is not None
            and entry.state == DONE
            and stamp.size is not None
            and entry.stamp == stamp
            and not self.changes(path, settings)
        )

    def changes(self, path: str, settings: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Return the settings that are others than those of an input's entry, each before and now."""
        entry = self.entries[path]
        before = self.settings.get(entry.settings, {})
        now = json.loads(json.dumps(settings, default=str))
        keys = dict.fromkeys([*before, *now])
        return {
            key: (before.get(key), now.get(key))
            for key in keys
            if key not in UNCOMPARED and before.get(key) != now.get(key)
        }

    def is_due(self) -> bool:
        """Tell whether it is time to write the book again."""
        return time.monotonic() >= self._next

    def save(self) -> None:
        """Write the book.

        Raises:
            OutputError: The place cannot be written to.
        """
        began = time.monotonic()
        used = {entry.settings for entry in self.entries.values()}
        told = {
            MARK: SCHEMA,
            "table": self.table,
            "inode": self.inode,
            "size": self.size,
            "settings": {key: value for key, value in self.settings.items() if key in used},
        }
        with replacing(self.path, encoding="ascii") as file:
            file.write(json.dumps(told, indent=1)[:-2])
            file.write(',\n "sources": [')
            lines = (json.dumps(_lean(entry)) for entry in self.entries.values())
            file.write(",".join(f"\n  {line}" for line in lines))
            file.write("\n ]\n}\n")
        ended = time.monotonic()
        self._next = ended + max(PAUSE, SHARE * (ended - began))


def _lean(entry: Entry) -> dict[str, Any]:
    """Return what an entry says, without what it leaves empty."""
    told = dataclasses.asdict(entry)
    return {key: value for key, value in told.items() if value not in ("", None, [])}
