"""Collect an archive into one table: each input once, sorted by name, its last version.

Rows are copied in spans, part by part, so memory holds a list of the inputs and a few parts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from facemood.archive.archive_folder import PARTS, ArchiveFolder, StoredPart
from facemood.archive.archive_place import Place, PlacedFile, absolute, growing_file, open_place
from facemood.archive.archive_status import counting_items, open_archive, told_once
from facemood.archive.book import ArchiveBook, input_key
from facemood.archive.made_by import PROCESSOR
from facemood.archive.part import carried_column
from facemood.archive.segment_edges import SegmentEdges
from facemood.archive.table_folder import CODEBOOK_FILE, write_table_folder
from facemood.atomic import replacing
from facemood.codebooks import check_codebook, codebook_text
from facemood.csv_dialect import KEY, PLAIN, head_line, lines_for
from facemood.errors import OutputConflictError, require
from facemood.sinks.sink import columns_of
from facemood.switches import check_switches
from facemood.table import Column, to_cells
from facemood.text import count
from facemood.tracking.seams import EdgeFace, TrackNames

OPEN_PARTS = 8
"""Parts that are held in memory, because the next inputs may stand in one of them."""

TRACK_ID = "track_id"
"""Column of the people's numbers."""

ENDINGS = (".parquet", ".csv")
"""Endings of tables that can be collected."""


class RowSpan(NamedTuple):
    """Rows of neighbouring inputs in one part.

    Attributes:
        file: The part's file.
        start: The first row.
        end: The row after the last one.
        tracks: Track IDs in the whole video, by those in the segment; None where they are the same.
    """

    file: PlacedFile
    start: int
    end: int
    tracks: Mapping[int, int] | None = None


@dataclass
class Collection:
    """The rows of an archive that count.

    Attributes:
        spans: Where they are, sorted by the names of their inputs.
        info: Settings of the run, for the table's metadata.
        carried: Names of the columns that are carried.
        rows: Number of rows.
        inputs: Number of inputs, failures among them.
        failures: The inputs that could not be read, with the reasons.
    """

    spans: list[RowSpan] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)
    carried: list[str] = field(default_factory=list)
    rows: int = 0
    inputs: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def collect(folder: str | Path, output: str | Path, *, mixed: bool = False, csv_dialect: str = PLAIN) -> Collection:
    """Write the rows of an archive as one table, and beside it its codebook and the settings: ``all.csv.json``.

    A folder has them in ``_codebook.json``; readers of folders leave out what begins with an underscore.

    Args:
        folder: The folder of the archive, or its address.
        output: The table: .parquet, .csv, or a folder (its name ends with ``/``) of Parquet files. Also an address.
        mixed: Whether rows that were made with other versions, on other kinds of processors or devices, and of inputs
            that were only read with earlier settings, may stand in one table.
        csv_dialect: How CSV is written, one of `facemood.csv_dialect.DIALECTS`.

    Raises:
        SourceError: The folder is no archive.
        OutputConflictError: The parts are mixed, and `mixed` is not set; or the ending of the output is unknown; or it
            is a folder with other files; or another file than a codebook stands where that is written.
        OutputError: A part is damaged, or the table cannot be written.
        OptionError: `mixed` is no bool, or there is no such dialect.
    """
    check_switches(mixed=mixed)
    text = os.fspath(output)
    as_folder = text.endswith("/") or os.path.isdir(text)
    ending = PurePath(text).suffix.lower()
    if not as_folder and ending not in ENDINGS:
        raise OutputConflictError(f"{text}: unknown kind of table; expected {', '.join(ENDINGS)} or a folder, NAME/")
    archive = open_archive(folder)
    _refuse_inside(archive, text)
    collection = gather(archive, mixed=mixed)
    if as_folder:
        schema, place = _schema(collection), open_place(text.rstrip("/"))
        _refuse_foreign(place, CODEBOOK_FILE)
        tables = (_fitted(table, schema) for table in row_tables(collection.spans))
        write_table_folder(place, tables, partial(_write_tables, schema=schema))
        _write_codebook(place, CODEBOOK_FILE, "*.parquet", collection)
        return collection
    parent, _, name = text.rpartition("/")
    place = open_place(parent or ("/" if text.startswith("/") else "."))
    beside = f"{name}.json"
    _refuse_foreign(place, beside)
    with growing_file(place, name) as path:
        if ending == ".csv":
            _write_csv(path, collection, csv_dialect)
        else:
            _write_parquet(path, collection)
    _write_codebook(place, beside, name, collection)
    return collection


def _refuse_foreign(place: Place, file: str) -> None:
    """Refuse to write a codebook where another file stands."""
    if place.has(file):
        check_codebook(f"{place.name}/{file}", place.read(file))


def _write_codebook(place: Place, file: str, table: str, collection: Collection) -> None:
    """Write the codebook of a table and the settings into a file."""
    place.write(file, codebook_text(table, _columns(collection), _settings(collection)).encode("ascii"))


def _refuse_inside(archive: ArchiveFolder, output: str) -> None:
    """Refuse a table among the parts of the archive.

    Raises:
        OutputConflictError: It is there.
    """
    parts = f"{absolute(archive.place.name)}/{PARTS}"
    if f"{absolute(output)}/".startswith(f"{parts}/"):
        raise OutputConflictError(f"{output}: this folder holds the parts of the archive; give another place")


def gather(archive: ArchiveFolder, *, mixed: bool = False) -> Collection:
    """Find the rows that count.

    Raises:
        OutputConflictError: The parts are mixed, and `mixed` is not set.
    """
    parts = list(archive.stored_parts())
    books = {archive.settings_key: ArchiveBook(parts, archive.settings_key)}
    others = [stored for stored in parts if stored.record.settings != archive.settings_key]
    for stored in others:
        key = stored.record.settings
        books.setdefault(key, ArchiveBook(parts, key))
    chosen = _choose(parts, books, archive.settings_key)
    if not mixed:
        _refuse_mixed(chosen, archive)
    return _lay_out(chosen)


Chosen = list[tuple[StoredPart, list[int]]]
"""Parts, and the numbers of their inputs that count."""


def _choose(parts: Sequence[StoredPart], books: dict[str, ArchiveBook], current: str) -> Chosen:
    """Return the inputs that count: those with the current settings, and others that were never read with them."""
    seen = set(books[current].entries)
    chosen: Chosen = []
    for key in [current, *sorted(books.keys() - {current})]:
        new = set[int]()
        for stored in parts:
            if stored.record.settings != key:
                continue
            numbers = counting_items(stored, books[key])
            keys = [input_key(stored.record.items[number].name, stored.record.folder) for number in numbers]
            if key != current:
                numbers = [number for number, one in zip(numbers, keys, strict=True) if one not in seen]
            new |= set(keys)
            if numbers:
                chosen.append((stored, numbers))
        seen |= new
    return chosen


def _refuse_mixed(chosen: Chosen, archive: ArchiveFolder) -> None:
    """Refuse parts that do not belong in one table."""
    old = sum(len(numbers) for stored, numbers in chosen if stored.record.settings != archive.settings_key)
    if old:
        raise OutputConflictError(
            f"{archive.place.name}: the rows of {count(old, 'input')} were made with other settings than those of the "
            "last run; read them with these, or collect with --mixed (mixed=True)"
        )
    makers = {tuple(stored.record.made_by.items()): stored.record.made_by for stored, _ in chosen}
    differing = {
        name: sorted({maker.get(name, "") for maker in makers.values()})
        for maker in makers.values()
        for name in maker
        if len({other.get(name, "") for other in makers.values()}) > 1
    }
    if differing:
        told = "; ".join(f"{name}: {', '.join(values)}" for name, values in differing.items())
        hint = " (rows then differ in their last decimals)" if {*differing} <= {PROCESSOR, "device"} else ""
        raise OutputConflictError(
            f"{archive.place.name}: the parts were not all made by the same ({told}){hint}; read the inputs again into "
            "a new folder, or collect with --mixed (mixed=True)"
        )


def _lay_out(chosen: Chosen) -> Collection:
    """Return the spans of rows sorted by the names of inputs, neighbours joined."""
    found, names = Collection(), _SegmentNames()
    entries: list[tuple[str, int, int, int, int]] = []  # name, segment, number of the part, first row, rows
    failures: list[tuple[str, int, str]] = []
    for place, (stored, numbers) in enumerate(chosen):
        record = stored.record
        starts = [0, *accumulate(record.rows)]
        found.carried += [name for name in record.carried if name not in found.carried]
        for number in numbers:
            item = record.items[number]
            entries.append((item.name, item.segment, place, starts[number], record.rows[number]))
            if number in record.failures:
                failures.append((item.name, item.segment, record.failures[number]))
    entries.sort()
    for name, segment, place, start, rows in entries:
        stored, last = chosen[place][0], found.spans[-1] if found.spans else None
        tracks = names.tracks_of(name, segment, stored.record.edges)
        if last is not None and (last.file, last.end) == (stored.file, start):
            found.spans[-1] = last._replace(end=start + rows)
        elif rows:
            found.spans.append(RowSpan(stored.file, start, start + rows, tracks))
        found.rows += rows
    found.inputs = sum(segment == 0 for _, segment, *_ in entries)
    found.failures = told_once(failures)
    found.info = _joined_info([stored.file for stored, _ in chosen])
    return found


class _SegmentNames:
    """Joins the people of videos over their seams. Segments are asked for in order."""

    def __init__(self) -> None:
        self._names, self._last = TrackNames(), ("", -1)
        self._tail: list[EdgeFace] = []

    def tracks_of(self, name: str, segment: int, edges: SegmentEdges | None) -> dict[int, int] | None:
        """Return the track IDs in the whole video of those in a segment; None for an input that is not cut."""
        if edges is None:
            return None
        if segment == 0:
            self._names = TrackNames()
        else:
            follows = self._last == (name, segment - 1)
            self._names.pass_seam(self._tail if follows else [], edges.head)
        self._last, self._tail = (name, segment), edges.tail
        return {track: self._names.name(track) for track in edges.tracks}


def _joined_info(files: Iterable[PlacedFile]) -> dict[str, Any]:
    """Return the settings of a run: those of its parts, with the columns of videos if one has them."""
    parquet = require("pyarrow.parquet", extra="data")
    info: dict[str, Any] = {}
    for file in files:
        with file.opened() as source:
            part = json.loads(parquet.read_schema(source).metadata[b"facemood"])
        info = {**info, **part}
    return info


def row_tables(spans: Iterable[RowSpan]) -> Iterator[Any]:
    """Yield the rows of spans as Arrow tables."""
    parquet = require("pyarrow.parquet", extra="data")

    @lru_cache(OPEN_PARTS)
    def read(file: PlacedFile) -> Any:
        with file.opened() as source:
            return parquet.read_table(source, partitioning=None)

    for span in spans:
        rows = read(span.file).slice(span.start, span.end - span.start)
        yield rows if span.tracks is None else _renumbered(rows, span.tracks)


def _renumbered(rows: Any, tracks: Mapping[int, int]) -> Any:
    """Return rows of a segment with the track IDs of the whole video."""
    place = rows.schema.get_field_index(TRACK_ID)
    known = [None if track is None else tracks[track] for track in rows[TRACK_ID].to_pylist()]
    column = require("pyarrow", extra="data").array(known, rows.schema.field(place).type)
    return rows.set_column(place, rows.schema.field(place), column)


def _schema(collection: Collection) -> Any:
    """Return the Arrow schema of the collected table, with its metadata."""
    from facemood.sinks.parquet import TYPES

    arrow = require("pyarrow", extra="data")
    fields = [arrow.field(column.name, TYPES[column.type]) for column in _columns(collection)]
    return arrow.schema(fields, metadata={"facemood": json.dumps(_settings(collection))})


def _columns(collection: Collection) -> list[Column]:
    """Return the columns of the collected table."""
    return [*columns_of(collection.info), *(carried_column(name, lambda row: None) for name in collection.carried)]


def _settings(collection: Collection) -> dict[str, Any]:
    """Return the settings of the run, with the inputs that could not be read."""
    return {**collection.info, "failures": collection.failures}


def _fitted(table: Any, schema: Any) -> Any:
    """Return a table with the columns of a schema; those that it lacks are empty."""
    arrow = require("pyarrow", extra="data")
    columns = [
        table[column.name] if column.name in table.column_names else arrow.nulls(len(table), column.type)
        for column in schema
    ]
    return arrow.table(columns, schema=schema)


def _write_parquet(output: Path, collection: Collection) -> None:
    """Write the rows as Parquet."""
    schema = _schema(collection)
    _write_tables(output, (_fitted(table, schema) for table in row_tables(collection.spans)), schema=schema)


def _write_tables(output: Path, tables: Iterable[Any], *, schema: Any) -> None:
    """Write Arrow tables as one Parquet file."""
    parquet = require("pyarrow.parquet", extra="data")
    with replacing(output, "wb") as file, parquet.ParquetWriter(file, schema) as writer:
        for table in tables:
            writer.write_table(table)


def _write_csv(output: Path, collection: Collection, dialect: str) -> None:
    """Write the rows as CSV, as a run with one process writes them."""
    line, schema = lines_for({KEY: dialect}), _schema(collection)
    with replacing(output, newline="", encoding="utf-8") as file:
        file.write(head_line(line, schema.names))
        for table in row_tables(collection.spans):
            file.writelines(line(to_cells(row).values()) for row in _fitted(table, schema).to_pylist())
