"""The faces in the tables of a folder, or in an archive, and the files that they are in."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facemood.archive.archive_folder import ArchiveFolder
from facemood.archive.collecting import gather, row_tables
from facemood.codebooks import codebook_path
from facemood.csv_dialect import GUARD, find_delimiter
from facemood.datasets.csv_rows import LONGEST_HEAD, read_table
from facemood.errors import OutputConflictError, SourceError, require
from facemood.filenames import escape_name, unescape_name
from facemood.labels import ordered
from facemood.outputs import FACES_HIDDEN, Sidecar
from facemood.outputs.sidecar import FOLDER_SIDECAR
from facemood.review.moments import Moment, Origin, locate

NEEDED = ("source", "frame", "face", "x1", "y1", "x2", "y2", "emotion", "confidence")
"""Columns without which a table is not one of faces."""

USED = (*NEEDED, "timestamp", "roll", "certain")
"""Columns that are read."""

ENDINGS = (".csv", ".parquet")
"""Endings of tables that are read."""

Row = Mapping[str, Any]
"""A row of a table by column: texts of a CSV file, or values of Parquet."""


@dataclass
class ResultTables:
    """The faces of a run.

    Attributes:
        folder: The folder of the results.
        labels: The model's labels, as far as the results name them.
        origins: The files of the inputs, by their names in the tables.
        tables: What reads the rows of each table.
        files: The tables' files; none for an archive.
        anonymized: Whether images or videos of the run were written with hidden faces.
        sources: Folders in which files may be that are not where they were.
        problems: Why inputs cannot be shown, by name; known once `moments` has ended.
    """

    folder: Path
    labels: tuple[str, ...]
    origins: Mapping[str, Origin]
    tables: list[Callable[[], Iterator[Row]]]
    files: list[Path] = field(default_factory=list)
    anonymized: bool = False
    sources: list[Path] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)

    def moments(self) -> Iterator[Moment]:
        """Yield all faces with a prediction whose files can be shown. Of several tables with an input, one counts."""
        done = set[str]()
        for table in self.tables:
            new = set[str]()
            for row in table():
                name = str(row["source"] or "")
                if name in done or not name or not row["emotion"]:
                    continue
                new.add(name)
                moment = self._moment(name, row)
                if moment is not None:
                    yield moment
            done |= new

    def counts(self) -> Counter[str]:
        """Return how many faces have each label."""
        return Counter(moment.label for moment in self.moments())

    def _moment(self, name: str, row: Row) -> Moment | None:
        """Return the moment of a row; None if its file cannot be shown."""
        source = unescape_name(name)
        origin = self.origins.get(name) or self.origins.get(name.removeprefix(GUARD)) or Origin(source)
        if name not in self.problems:
            self.problems[name] = locate(source, origin, self.sources).problem
        if self.problems[name]:
            return None
        corners = [number_in(row[corner]) for corner in ("x1", "y1", "x2", "y2")]
        x1, y1, x2, y2 = (0.0 if corner is None else corner for corner in corners)
        certain = number_in(row.get("certain"))
        return Moment(
            source,
            origin,
            int(number_in(row["frame"]) or 0),
            number_in(row.get("timestamp")),
            int(number_in(row["face"]) or 0),
            (x1, y1, x2, y2),
            number_in(row.get("roll")) or 0.0,
            str(row["emotion"]),
            number_in(row["confidence"]) or 0.0,
            None if certain is None else bool(certain),
        )


def open_tables(place: str | Path, sources: Iterable[Path] = ()) -> ResultTables:
    """Find the tables of faces in a folder, which may be an archive; or take one table.

    Args:
        place: A folder, an archive's folder, or a table (.csv or .parquet).
        sources: Folders in which photos and videos may be that are not where they were.

    Raises:
        SourceError: There is none.
        OutputError: A part of an archive is damaged.
        MissingExtraError: pyarrow is not installed (extra ``data``), and a table needs it.
    """
    path = Path(place)
    if path.is_dir() and ArchiveFolder(path).exists:
        return _open_archive(path, list(sources))
    folder = path if path.is_dir() else path.parent
    named = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    files = [file for file in named if file.suffix.lower() in ENDINGS and _has_faces(file)]
    if not files:
        raise SourceError(
            f"{place}: no table of faces here; expected a .csv or .parquet of facemood analyze, or an archive"
        )
    sidecars = _sidecars(folder)
    entries = [entry for sidecar in sidecars for entry in sidecar.entries.values()]
    written = [values for sidecar in _sidecars(folder, "*/") + sidecars for values in sidecar.settings.values()]
    beside = codebook_path(path)  # where a sidecar is, too
    own = _read_sidecars([beside] if path.is_file() and beside.is_file() else [])
    read = [values for sidecar in own or sidecars for values in sidecar.settings.values()]
    return ResultTables(
        folder,
        _joined_labels(read),
        {escape_name(entry.source): Origin(entry.path, entry.size) for entry in entries},
        [_reader_of(file) for file in files],
        files,
        any(values.get(FACES_HIDDEN) or values.get("anonymize") for values in written),
        [*sources, folder],
    )


def number_in(value: Any) -> float | None:
    """Return the number in a cell, also with a decimal comma; None for an empty one.

    Example:
        >>> number_in("1,5"), number_in(""), number_in(True)
        (1.5, None, 1.0)
    """
    if value is None or value == "":
        return None
    number = float(value.replace(",", ".") if isinstance(value, str) else value)
    return None if math.isnan(number) else number


def _has_faces(file: Path) -> bool:
    """Return whether a table has the columns of faces."""
    if file.suffix.lower() == ".parquet":
        parquet = require("pyarrow.parquet", extra="data")
        try:
            return set(NEEDED) <= set(parquet.read_schema(file).names)
        except (OSError, ValueError):
            return False
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            head = lines.readline(LONGEST_HEAD)
    except (OSError, UnicodeDecodeError):
        return False
    return set(NEEDED) <= set(next(csv.reader([head], delimiter=find_delimiter(head)), []))


def _reader_of(file: Path) -> Callable[[], Iterator[Row]]:
    """Return what reads the rows of a table."""
    if file.suffix.lower() == ".csv":
        return lambda: (row for _, row in read_table(file, NEEDED))
    return lambda: _parquet_rows(file)


def _parquet_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file."""
    opened = require("pyarrow.parquet", extra="data").ParquetFile(file)
    names = [name for name in USED if name in opened.schema_arrow.names]
    for batch in opened.iter_batches(columns=names):
        yield from batch.to_pylist()


def _sidecars(folder: Path, below: str = "") -> list[Sidecar]:
    """Return the sidecars of tables and of the folder itself; other JSON files are left alone."""
    patterns = (f"{below}{FOLDER_SIDECAR}", *(f"{below}*{ending}.json" for ending in ENDINGS))
    return _read_sidecars(sorted({path for pattern in patterns for path in folder.glob(pattern)}))


def _read_sidecars(paths: Iterable[Path]) -> list[Sidecar]:
    """Return the sidecars among some files."""
    found = []
    for path in paths:
        try:
            found.append(Sidecar.read(path))
        except OutputConflictError:
            continue
    return found


def _joined_labels(settings: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the labels of all settings, each once."""
    return tuple(dict.fromkeys(label for values in settings for label in values.get("labels", ())))


def _open_archive(folder: Path, sources: list[Path]) -> ResultTables:
    """Return the faces of an archive."""
    archive = ArchiveFolder(folder)
    collection = gather(archive, mixed=True)
    records = [stored.record for stored in archive.stored_parts()]
    origins = {
        escape_name(item.name): Origin(str(Path(record.folder, item.name)), item.size)
        for record in records
        for item in record.items
    }

    def rows() -> Iterator[Row]:
        for table in row_tables(collection.spans):
            yield from table.select([name for name in USED if name in table.column_names]).to_pylist()

    labels = tuple(collection.info.get("labels", ()))
    hidden = bool(archive.marker.get("settings", {}).get(FACES_HIDDEN))
    return ResultTables(folder, labels, origins, [rows], anonymized=hidden, sources=[*sources, folder])


def all_labels(known: Iterable[str], counted: Iterable[str]) -> tuple[str, ...]:
    """Return all labels that a person can choose: those of the model, and others that occur.

    Example:
        >>> all_labels(["happy", "sad"], ["sad", "fear"])
        ('happy', 'sad', 'fear')
    """
    named = tuple(known)
    return (*named, *ordered(set(counted) - set(named)))
