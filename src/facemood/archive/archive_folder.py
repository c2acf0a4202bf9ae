"""The folder of an archive: where its files are, and which parts it has.

OUT/archive.json      marks the folder, and tells the settings of the last run
OUT/parts/ID.parquet  the rows of a part; it is done if the file is there
OUT/runs/SHARD.json   what the last run of each shard had to do
OUT/pictures/         drawn images, if they were asked for
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from facemood.archive.archive_place import LocalPlace, Place, PlacedFile, open_place
from facemood.archive.part import PART_SUFFIX, RECORD_KEY, PartRecord
from facemood.atomic import PART, remove_leftovers
from facemood.errors import OutputBusyError, OutputConflictError, OutputError, require
from facemood.locks import FileLock

MARKER = "archive.json"
"""Name of the file that marks a folder as an archive."""

SCHEMA = 1
"""Version of the folder's layout."""

MARK = "facemood_archive"
"""Key of the version in the marker."""

PARTS = "parts"
"""Name of the folder with the parts."""

RUNS = "runs"
"""Name of the folder with the records of runs."""

PICTURES = "pictures"
"""Name of the folder with drawn images."""


READERS = 16
"""Threads that read what the parts in an object store say of themselves: each waits for answers most of the time."""


class StoredPart(NamedTuple):
    """A part whose file is there.

    Attributes:
        file: Its file.
        record: What it says of itself.
    """

    file: PlacedFile
    record: PartRecord

    @property
    def id(self) -> str:
        """Its ID."""
        return self.file.stem


class ArchiveFolder:
    """The folder of an archive.

    Args:
        path: The folder, or its address in an object store.

    Raises:
        OutputConflictError: Its marker is damaged, or from another version.
        OutputError: The store cannot be reached.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     folder = ArchiveFolder(Path(place, "out"))
        ...     folder.begin("1f", {"options": {}})
        ...     ArchiveFolder(Path(place, "out")).settings_key, list(folder.stored_parts())
        ('1f', [])
    """

    place: Place

    def __init__(self, path: str | Path) -> None:
        self.place = open_place(path)
        self.marker: dict[str, Any] = self._read_marker()

    @property
    def exists(self) -> bool:
        """Whether the folder is an archive."""
        return bool(self.marker)

    @property
    def settings_key(self) -> str:
        """Key of the settings of the last run; empty before the first one."""
        return str(self.marker.get("settings_key", ""))

    @property
    def local(self) -> Path | None:
        """The folder; None in an object store."""
        return self.place.path if isinstance(self.place, LocalPlace) else None

    def part_name(self, file_name: str) -> str:
        """Return the name in the folder of a part's file."""
        return f"{PARTS}/{file_name}"

    def begin(self, key: str, settings: dict[str, Any]) -> None:
        """Mark the folder as an archive with these settings, and remove what dead processes left in it.

        Raises:
            OutputConflictError: The folder holds other files, and is no archive.
            OutputError: It cannot be written to.
        """
        if not self.exists and self.place.list(""):
            raise OutputConflictError(
                f"{self.place.name}: the folder holds other files, and is no archive; give the name of a new folder"
            )
        if (self.settings_key, self.marker.get("settings")) != (key, settings):
            self.marker = {MARK: SCHEMA, "settings_key": key, "settings": settings}
            self.place.write(MARKER, json.dumps(self.marker, indent=1, default=str).encode("ascii"))
        if self.local is not None:
            _make(self.local / PARTS)
        self.clean()

    def clean(self) -> None:
        """Remove what dead processes left: locks and unfinished files."""
        if self.local is None:
            return
        parts = self.local / PARTS
        for target in _locked(parts):
            with contextlib.suppress(OutputError):
                lock = FileLock(target)
                for left in lock.left:
                    if PART.search(left) and Path(left).name == left:
                        (parts / left).unlink(missing_ok=True)
                lock.release()
        remove_leftovers(parts)

    def stored_parts(self) -> Iterator[StoredPart]:
        """Yield the parts that are done, by ID.

        Raises:
            OutputError: A part is damaged.
            MissingExtraError: pyarrow is not installed.
        """
        names = [name for name in self.place.list(PARTS) if name.endswith(PART_SUFFIX) and not name.startswith(".")]
        files = [PlacedFile(self.place, self.part_name(name)) for name in names]
        if self.local is not None:
            yield from map(_stored_part, files)
            return
        with ThreadPoolExecutor(READERS) as pool:
            yield from pool.map(_stored_part, files)

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return those of the files of parts that are not there."""
        there = set(self.place.list(PARTS))
        return [name for name in names if name not in there]

    def busy_parts(self) -> int:
        """Count the parts that are being written now; 0 in an object store, which cannot tell."""
        return 0 if self.local is None else sum(1 for target in _locked(self.local / PARTS) if _is_busy(target))

    def note_run(self, shard: str, facts: dict[str, Any]) -> None:
        """Record what a run has to do, or did."""
        self.place.write(f"{RUNS}/{shard}.json", json.dumps(facts, indent=1).encode())

    def noted_runs(self) -> dict[str, dict[str, Any]]:
        """Return the records of the last run of each shard."""
        runs = {}
        for name in self.place.list(RUNS):
            with contextlib.suppress(OSError, ValueError):
                runs[name.removesuffix(".json")] = json.loads(self.place.read(f"{RUNS}/{name}"))
        return runs

    def _read_marker(self) -> dict[str, Any]:
        """Return the marker; empty if there is none."""
        try:
            marker = json.loads(self.place.read(MARKER))
            if marker[MARK] != SCHEMA:
                raise ValueError(f"its version is {marker[MARK]}, expected {SCHEMA}")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutputConflictError(
                f"{self.place.name}/{MARKER}: is no archive's file ({error}); choose another folder"
            ) from None
        return dict(marker)


def _make(parts: Path) -> None:
    """Make the folder of parts.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        parts.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{parts}: cannot be written ({error.strerror}); choose another place") from error


def _locked(parts: Path) -> list[Path]:
    """Return the parts that have a lock, also one of a dead process."""
    names = os.listdir(parts) if parts.is_dir() else []
    return [parts / name[1:-5] for name in names if name.startswith(".") and name.endswith(".lock")]


def _stored_part(file: PlacedFile) -> StoredPart:
    """Return a part with its record."""
    return StoredPart(file, _record_of(file))


def _record_of(file: PlacedFile) -> PartRecord:
    """Return what a part's file says of itself."""
    parquet = require("pyarrow.parquet", extra="data")
    try:
        with file.opened() as source:
            return PartRecord.parse(parquet.read_metadata(source).metadata[RECORD_KEY.encode()])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{file}: the part cannot be read ({error}); delete it, and its inputs are read again"
        ) from None


def _is_busy(target: Path) -> bool:
    """Return whether a living process writes a file."""
    try:
        FileLock(target).release(keep=True)
    except OutputBusyError:
        return True
    return False
