"""The sidecar of a table or a folder: a JSON file that says which output belongs to which input, and how it was made.

It is correct at any moment: it is replaced as a whole. Its entries never list more than is on the disk. Entries and
other files together list all that runs have written here.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from facemood.atomic import replacing
from facemood.codebooks import CODEBOOK_MARK, SIDECAR_MARK
from facemood.errors import OutputConflictError
from facemood.outputs.names import Label

SCHEMA = 1
"""Version of the sidecar's format. It changes when programs that read it must be changed."""

FOLDER_SIDECAR = "facemood.json"
"""File name of a folder's sidecar. A table's sidecar has the table's name with ``.json`` appended."""

DONE = "done"
"""State of an input that was read to its end."""

FAILED = "failed"
"""State of an input that could not be read, or not to its end."""

UNFINISHED = "unfinished"
"""State of an input that was being read when the run ended."""

PAUSE = 1.0
"""Shortest time between two writes of a sidecar, in seconds: thousands of photos must not cause thousands of writes."""

SHARE = 20.0
"""Shortest time between two writes, in units of the duration of the last one: at most 5% of a run is spent on it."""

FACES_HIDDEN = "faces_hidden"
"""Setting that says how images of the run hide faces. It stands in the settings of tables, too, which have none."""

IGNORED_SETTINGS = ("device", FACES_HIDDEN)
"""Settings that do not change the results."""


class Stamp(NamedTuple):
    """Size and time of a file, to detect that it has changed.

    Attributes:
        size: Bytes; None if the input is not a file.
        mtime_ns: Time of the last change, in nanoseconds since 1970.
    """

    size: int | None = None
    mtime_ns: int | None = None

    @classmethod
    def of(cls, source: str) -> Stamp:
        """Return the stamp of an input.

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
class SidecarEntry:
    """One input in a sidecar.

    Attributes:
        source: Its name, as in the results.
        path: Its absolute path, which identifies it.
        size: Bytes.
        mtime_ns: Time of the last change, in nanoseconds since 1970.
        state: `DONE`, `FAILED` or `UNFINISHED`.
        settings: Key of its settings in the sidecar.
        results: Number of images or frames that were read.
        outputs: Its own files, relative to the sidecar's folder; empty in a table's sidecar.
        span: Start and end of its rows in the table, in bytes (Parquet: in rows); None in a folder's sidecar.
        name: The value of ``{name}``.
        tree: The value of ``{path}``.
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

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SidecarEntry:
        """Make an entry of what a sidecar says of it.

        Raises:
            ValueError, TypeError: A field is unknown, or has a wrong type.
        """
        entry = cls(**fields)
        for name in ("source", "path", "state", "settings", "name", "tree", "message"):
            _text(getattr(entry, name))
        if not entry.source or not entry.path:
            raise ValueError("a source has no name")
        entry.outputs = list(map(_text, entry.outputs))
        start, end = (0, 0) if entry.span is None else entry.span
        numbers = [entry.results, start, end, *(number for number in entry.stamp if number is not None)]
        if not all(isinstance(number, int) for number in numbers) or not 0 <= start <= end:
            raise ValueError(f"a number of {entry.path} is wrong")
        return entry

    @property
    def label(self) -> Label:
        """The label that names its outputs."""
        return Label(self.name, self.tree)

    @property
    def stamp(self) -> Stamp:
        """Size and time of the input when it was read."""
        return Stamp(self.size, self.mtime_ns)


FIELDS = tuple(field.name for field in dataclasses.fields(SidecarEntry))
"""Names of the fields of an entry."""


@dataclass(slots=True)
class Sidecar:
    """The inputs of a table or a folder, with the outputs and settings of each.

    Attributes:
        path: The sidecar's file.
        settings: Settings of runs (model, options, versions), by a short key.
        entries: The inputs, by absolute path.
        table: Current file name of the table; empty in a folder's sidecar.
        inode: Inode number of that file.
        size: Its bytes after it was closed; 0 while it grows.
        codebooks: The columns of each table as its codebook describes them, by the name of its output.
        others: Outputs that no entry lists, relative to the sidecar's folder: of a run that was killed or still runs,
            which may be missing, and of inputs that were read again with other outputs.

    Example:
        >>> sidecar = Sidecar(Path("table.csv.json"))
        >>> key = sidecar.add_settings({"model": "nano"})
        >>> sidecar.entries["/photos/a.jpg"] = SidecarEntry("a.jpg", "/photos/a.jpg", 5, 7, settings=key)
        >>> sidecar.is_done("/photos/a.jpg", Stamp(5, 7), {"model": "nano"})
        True
        >>> sidecar.is_done("/photos/a.jpg", Stamp(6, 7), {"model": "nano"})
        False
    """

    path: Path
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: dict[str, SidecarEntry] = field(default_factory=dict)
    table: str = ""
    inode: int = 0
    size: int = 0
    others: set[str] = field(default_factory=set)
    codebooks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _next: float = 0.0

    @classmethod
    def read(cls, path: Path) -> Sidecar:
        """Read a sidecar; it is empty if the file does not exist.

        Of the codebook of a table without a sidecar, it has the settings, and no inputs.

        Raises:
            OutputConflictError: The file is not a sidecar, or it is damaged.
        """
        try:
            known = json.loads(path.read_bytes())
            if CODEBOOK_MARK in known:
                return cls(path, {"": dict(known.get("settings", {}))})
            if known[SIDECAR_MARK] != SCHEMA:
                raise ValueError(f"its version is {known[SIDECAR_MARK]}, expected {SCHEMA}")
            entries = {entry["path"]: SidecarEntry.from_dict(entry) for entry in known["sources"]}
            settings = {key: dict(values) for key, values in known["settings"].items()}
            place = _text(known["table"]), int(known["inode"]), int(known["size"])
            codebooks = {_text(name): list(map(dict, columns)) for name, columns in known.get("codebook", {}).items()}
            return cls(path, settings, entries, *place, set(map(_text, known.get("others", ()))), codebooks)
        except FileNotFoundError:
            return cls(path)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise OutputConflictError(
                f"{path}: this name is needed for the sidecar, which lists the outputs, but the file there is not a "
                f"sidecar ({error}); move it away, or choose another output"
            ) from None

    @property
    def files(self) -> set[str]:
        """All outputs of this and of earlier runs, relative to the sidecar's folder; some may be missing."""
        return self.others.union(*(entry.outputs for entry in self.entries.values()))

    def add_settings(self, settings: Mapping[str, Any]) -> str:
        """Add settings, and return their key for entries."""
        import hashlib  # loads OpenSSL

        text = json.dumps(settings, sort_keys=True, default=str)
        key = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.settings[key] = json.loads(text)
        return key

    def is_done(self, path: str, stamp: Stamp, settings: Mapping[str, Any]) -> bool:
        """Return whether an input is done: read to its end with these settings, and unchanged since then."""
        entry = self.entries.get(path)
        return (
            entry is not None
            and entry.state == DONE
            and stamp.size is not None
            and entry.stamp == stamp
            and not self.changes(path, settings)
        )

    def changes(self, path: str, settings: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Return the settings that differ from those of an input's entry, as (before, now)."""
        entry = self.entries[path]
        before = self.settings.get(entry.settings, {})
        now = json.loads(json.dumps(settings, default=str))
        keys = dict.fromkeys([*before, *now])
        return {
            key: (before.get(key), now.get(key))
            for key in keys
            if key not in IGNORED_SETTINGS and before.get(key) != now.get(key)
        }

    def is_due(self) -> bool:
        """Return whether it is time to write the sidecar again."""
        return time.monotonic() >= self._next

    def save(self, *, pause: bool = True) -> None:
        """Write the sidecar.

        Args:
            pause: Whether the next time to write it comes later; otherwise it may be due at once.

        Raises:
            OutputError: The file cannot be written.
        """
        began = time.monotonic()
        used = {entry.settings for entry in self.entries.values()}
        others = self.others.difference(*(entry.outputs for entry in self.entries.values()))
        head = {
            SIDECAR_MARK: SCHEMA,
            "table": self.table,
            "inode": self.inode,
            "size": self.size,
            "settings": {key: value for key, value in self.settings.items() if key in used},
            **({"codebook": self.codebooks} if self.codebooks else {}),
            **({"others": sorted(others)} if others else {}),
        }
        with replacing(self.path, encoding="ascii") as file:
            file.write(json.dumps(head, indent=1)[:-2])
            file.write(',\n "sources": [')
            lines = (json.dumps(_lean(entry)) for entry in self.entries.values())
            file.write(",".join(f"\n  {line}" for line in lines))
            file.write("\n ]\n}\n")
        ended = time.monotonic()
        if pause:
            self._next = ended + max(PAUSE, SHARE * (ended - began))


def _lean(entry: SidecarEntry) -> dict[str, Any]:
    """Return the fields of an entry that are not empty."""
    fields = {name: getattr(entry, name) for name in FIELDS}  # `asdict` would copy each value
    return {name: value for name, value in fields.items() if value not in ("", None, [])}


def _text(value: object) -> str:
    """Return a value that must be text.

    Raises:
        TypeError: It is not.
    """
    if not isinstance(value, str):
        raise TypeError(f"expected text, but got {value!r}")
    return value
