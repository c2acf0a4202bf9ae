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
from pathlib import Path
from typing import Any, NamedTuple

from facemood.archive.part import PART_SUFFIX, RECORD_KEY, PartRecord
from facemood.atomic import PART, remove_leftovers, replacing
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


class StoredPart(NamedTuple):
    """A part whose file is there.

    Attributes:
        file: Its file.
        record: What it says of itself.
    """

    file: Path
    record: PartRecord

    @property
    def id(self) -> str:
        """Its ID."""
        return self.file.stem


class ArchiveFolder:
    """The folder of an archive.

    Args:
        path: The folder.

    Raises:
        OutputConflictError: Its marker is damaged, or from another version.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     folder = ArchiveFolder(Path(place, "out"))
        ...     folder.begin("1f", {"options": {}})
        ...     ArchiveFolder(Path(place, "out")).settings_key, list(folder.stored_parts())
        ('1f', [])
    """

    path: Path

    def __init__(self, path: Path) -> None:
        self.path = path
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
    def parts(self) -> Path:
        """The folder with the parts."""
        return self.path / PARTS

    @property
    def pictures(self) -> Path:
        """The folder with drawn images."""
        return self.path / PICTURES

    def begin(self, key: str, settings: dict[str, Any]) -> None:
        """Mark the folder as an archive with these settings, and remove what dead processes left in it.

        Raises:
            OutputConflictError: The folder holds other files, and is no archive.
            OutputError: It cannot be written to.
        """
        if not self.exists and self.path.is_dir() and any(self.path.iterdir()):
            raise OutputConflictError(
                f"{self.path}: the folder holds other files, and is no archive; give the name of a new folder"
            )
        if (self.settings_key, self.marker.get("settings")) != (key, settings):
            self.marker = {MARK: SCHEMA, "settings_key": key, "settings": settings}
            with replacing(self.path / MARKER, encoding="ascii") as file:
                json.dump(self.marker, file, indent=1, default=str)
        try:
            self.parts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.parts}: cannot be written ({error.strerror}); choose another place") from error
        self._remove_dead()

    def stored_parts(self) -> Iterator[StoredPart]:
        """Yield the parts that are done, by ID.

        Raises:
            OutputError: A part is damaged.
            MissingExtraError: pyarrow is not installed.
        """
        names = sorted(os.listdir(self.parts)) if self.parts.is_dir() else []
        for name in names:
            if name.endswith(PART_SUFFIX) and not name.startswith("."):
                yield StoredPart(self.parts / name, _record_of(self.parts / name))

    def missing(self, names: Iterable[str]) -> list[str]:
        """Return those of the files of parts that are not there."""
        there = set(os.listdir(self.parts)) if self.parts.is_dir() else set()
        return [name for name in names if name not in there]

    def busy_parts(self) -> int:
        """Count the parts that are being written now."""
        return sum(1 for target in self._locked() if _is_busy(target))

    def note_run(self, shard: str, facts: dict[str, Any]) -> None:
        """Record what a run has to do, or did."""
        with replacing(self.path / RUNS / f"{shard}.json", encoding="utf-8") as file:
            json.dump(facts, file, indent=1)

    def noted_runs(self) -> dict[str, dict[str, Any]]:
        """Return the records of the last run of each shard."""
        runs = {}
        for file in sorted((self.path / RUNS).glob("*.json")):
            with contextlib.suppress(OSError, ValueError):
                runs[file.stem] = json.loads(file.read_bytes())
        return runs

    def _locked(self) -> list[Path]:
        """Return the parts that have a lock, also one of a dead process."""
        names = os.listdir(self.parts) if self.parts.is_dir() else []
        return [self.parts / name[1:-5] for name in names if name.startswith(".") and name.endswith(".lock")]

    def _remove_dead(self) -> None:
        """Remove the locks and unfinished files of dead processes."""
        for target in self._locked():
            with contextlib.suppress(OutputError):
                lock = FileLock(target)
                for left in lock.left:
                    if PART.search(left) and Path(left).name == left:
                        (self.parts / left).unlink(missing_ok=True)
                lock.release()
        remove_leftovers(self.parts)

    def _read_marker(self) -> dict[str, Any]:
        """Return the marker; empty if there is none."""
        file = self.path / MARKER
        try:
            marker = json.loads(file.read_bytes())
            if marker[MARK] != SCHEMA:
                raise ValueError(f"its version is {marker[MARK]}, expected {SCHEMA}")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutputConflictError(f"{file}: is no archive's file ({error}); choose another folder") from None
        return dict(marker)


def _record_of(file: Path) -> PartRecord:
    """Return what a part's file says of itself."""
    parquet = require("pyarrow.parquet", extra="data")
    try:
        return PartRecord.parse(parquet.read_metadata(file).metadata[RECORD_KEY.encode()])
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
