"""The work on one part: its inputs are read, and their rows become one Parquet file, whole or not at all.

It is safe to run twice, at the same time, and to be killed: the file grows under another name, is synced and renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from facemood.archive.archive_folder import PICTURES, ArchiveFolder
from facemood.archive.archive_place import growing_file
from facemood.archive.drawn import DrawnInputs
from facemood.archive.made_by import made_by
from facemood.archive.part import BUSY, RECORD_KEY, THERE, WRITTEN, ArchivePart, PartOutcome, PartRecord, carried_column
from facemood.archive.reading import Reading
from facemood.archive.segment_edges import SegmentEdges, seconds_of, span_of
from facemood.archive.worker_process import WorkerSetup
from facemood.defaults import DEFAULT_PRECISION
from facemood.errors import FacemoodError, OutputBusyError, OutputError
from facemood.outputs import Stamp
from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.sinks.parquet import ParquetSink
from facemood.sources import Item, as_item
from facemood.sources.remote import find_remote, is_remote
from facemood.stream import moves
from facemood.table import Column
from facemood.video_segments import SegmentTimes

CHANGED = "the file changed while it was read; run again to read it as it is now"
"""Why the rows of such an input are not kept."""

Advance = Callable[[float, int], None]
"""Called with the number of inputs that are done, of a video its share, and how many of them failed."""

ALMOST = 0.99
"""The share of a video that is being read is at most this."""


@dataclass(frozen=True)
class PartWorker:
    """Reads parts in this process.

    Attributes:
        reading: How inputs are read.
        recognizer: The open recognizer.
        folder: The folder of the archive.
        drawn: Writes drawn images; None without them.
    """

    reading: Reading
    recognizer: EmotionRecognizer
    folder: ArchiveFolder
    drawn: DrawnInputs | None = None

    def work(self, part: ArchivePart, advance: Advance = lambda done, failed: None) -> PartOutcome:
        """Read a part and write its file, unless the file is there, or another process is writing it.

        Raises:
            OutputError: The disk is full, say. The part is then not done, and nothing of it stays.
        """
        place, name = self.folder.place, self.folder.part_name(part.file_name)
        if place.has(name):
            return PartOutcome(part, THERE)
        with growing_file(place, name) as target:
            return self._write(part, target, advance)

    def _write(self, part: ArchivePart, target: Path, advance: Advance) -> PartOutcome:
        """Read a part and write its file, unless another process is writing it."""
        try:
            work = _PartFile(self, part, target, advance)
        except OutputBusyError:
            return PartOutcome(part, BUSY)
        try:
            if target.exists():  # another process wrote it before this one held the lock
                work.sink.discard()
                return PartOutcome(part, THERE)
            return work.run()
        except OutputError as error:
            reason = error.__cause__.strerror if isinstance(error.__cause__, OSError) else str(error)
            raise OutputError(
                f"{target}: the part cannot be written ({reason}); free space or mend the place, and run again: "
                "parts that are done stay"
            ) from error
        finally:
            work.sink.discard()


def open_part_worker(setup: WorkerSetup, recognizer: EmotionRecognizer) -> PartWorker:
    """Return what reads parts into the archive of a setup.

    Raises:
        OutputConflictError: The archive's marker is damaged, or from another version.
    """
    folder = ArchiveFolder(setup.archive)
    info = {**recognizer.info(), **setup.reading.video.info()}
    drawn = None
    if setup.looks is not None and folder.local is not None:
        drawn = DrawnInputs(folder.local / PICTURES, info, dict(setup.looks))
    return PartWorker(setup.reading, recognizer, folder, drawn)


@dataclass
class _PartFile:
    """The file of a part while its inputs are read.

    Attributes:
        worker: Who reads.
        part: What is read.
        target: The file's final name.
        advance: Called after each input, and after some frames of a video.
        rows: Number of rows of each input.
        failures: Why inputs could not be read, by their number.
        stamps: Size and time of each input before it was opened.
        reached: Second of a video that is read.
    """

    worker: PartWorker
    part: ArchivePart
    target: Path
    advance: Advance
    rows: list[int] = field(default_factory=list)
    failures: dict[int, str] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    reached: float = 0.0

    def __post_init__(self) -> None:
        self.carried = carried_columns(self.part)
        self.sink = self._open()
        self.numbers = {item.name: number for number, item in enumerate(self.part.items)}
        self.cut = self.part.items[0] if self.part.items[0].segments > 1 else None
        self.edges = None if self.cut is None else SegmentEdges([], [], [])
        self.period = self._period()

    def run(self) -> PartOutcome:
        """Read the inputs and write the file."""
        self._read()
        if self._is_spoilt():  # rows of a video that changed are in the file already
            self.sink.discard()
            self.sink = self._open()
            self.rows = [0] * len(self.part.items)
            self.edges = None
        precision = self.worker.reading.recognizer.get("precision", DEFAULT_PRECISION)
        info = made_by(self.worker.recognizer.pipeline.session.device, precision)
        part = self.part
        record = PartRecord(
            list(part.items), self.rows, self.failures, part.settings, part.folder, list(self.carried), info, self.edges
        )
        self.sink.notes[RECORD_KEY] = record.to_json()
        self.sink.close()
        failures = tuple((part.items[number].name, message) for number, message in self.failures.items())
        return PartOutcome(part, WRITTEN, sum(self.rows), failures)

    def _open(self) -> ParquetSink:
        """Open the file. Only parts with a video have the columns of videos."""
        info = self.worker.recognizer.info()
        if any(moves(item.name) for item in self.part.items):
            info |= self.worker.reading.video.info()
        return ParquetSink(self.target, info, more=[_column(self.part, name) for name in self.carried])

    def _read(self) -> None:
        """Read the inputs one after the other; rows of a photo are held until it is known to be whole."""
        self.rows = [0] * len(self.part.items)
        if self.part.killed:
            self.failures = dict.fromkeys(range(len(self.part.items)), self._told(self.part.killed))
            self.advance(len(self.part.items), len(self.part.items))
            return
        held: list[Result] = []
        for result in self._results():
            if held and held[-1].source != result.source:
                self._finish(held)
            held.append(result)
            if result.timestamp is not None:
                self.reached = result.timestamp
                self._write(held)
        self._finish(held)
        self._check_silent()
        if self.worker.drawn is not None:
            self.worker.drawn.close()

    def _results(self) -> Iterator[Result]:
        """Yield the results of the inputs in their order."""
        reading = self.worker.reading
        yield from reading.results(
            self.worker.recognizer, self._items(), on_error=self._fail, progress=self._count_done
        )

    def _items(self) -> Iterator[Item]:
        """Yield the inputs, and remember size and time of each before it is opened."""
        for item in self.part.items:
            self.stamps[item.name] = self._stamp_of(item.name, item.stamp)
            if self.cut is not None:
                yield span_of(item.name, item.segment, item.segments)
                continue
            yield as_item(item.name, allow_download=self.worker.reading.allow_download)

    def _stamp_of(self, name: str, planned: Stamp | None = None) -> Stamp:
        """Return size and time of an input; before a file of an object store is fetched, those that were planned."""
        if not is_remote(name):
            return Stamp.of(name)
        file = None if planned is not None else find_remote(name)
        return planned or (Stamp() if file is None else Stamp(file.size, file.mtime_ns))

    def _period(self) -> tuple[float, float] | None:
        """Return from when to when the only input is read, in seconds; None if it is no video of known length."""
        first, *more = self.part.items
        if more or is_remote(first.name) or not moves(first.name):
            return None
        start, end = 0.0, None
        if self.cut is not None:
            start, end = SegmentTimes.of(self.worker.reading.video).bounds(
                span_of(first.name, first.segment, first.segments)
            )
        end = seconds_of(first.name) if end is None else end
        return None if end is None or end <= start else (start, end)

    def _count_done(self, done: int, total: int | None) -> None:
        """Tell how many inputs are read."""
        read = float(len(self.stamps))
        if self.period is not None:
            start, end = self.period
            read = min(max(0.0, (self.reached - start) / (end - start)), ALMOST)
        self.advance(read, len(self.failures))

    def _fail(self, name: str, error: FacemoodError) -> None:
        """Note an input that cannot be read."""
        self.failures[self.numbers[name]] = self._told(str(error))

    def _told(self, reason: str) -> str:
        """Return why an input cannot be read, with the segment that it is about."""
        cut = self.cut
        return reason if cut is None else f"segment {cut.segment + 1} of {cut.segments}: {reason}"

    def _finish(self, held: list[Result]) -> None:
        """Write the rows of a photo, unless it changed while it was read."""
        if held and self._has_changed(held[0].source):
            self.failures[self.numbers[held[0].source]] = CHANGED
            held.clear()
        self._write(held)

    def _write(self, held: list[Result]) -> None:
        """Write the rows of results, and their drawn images."""
        for result in filter(self._is_inside, held):
            number = self.numbers[result.source]
            self.rows[number] += max(1, len(result.faces))
            self.sink.write(result)
            if self.worker.drawn is not None:
                self.worker.drawn.write(result)
        held.clear()

    def _is_inside(self, result: Result) -> bool:
        """Return whether a result belongs to the segment of a video that is cut; note what joins its people."""
        if self.cut is None or self.edges is None:
            return True
        return self.edges.add(result, SegmentTimes.of(self.worker.reading.video), self.cut.segment)

    def _check_silent(self) -> None:
        """Note inputs that gave neither rows nor an error, so that none is lost without a word."""
        for item, number in self.numbers.items():
            if self.rows[number] and self._has_changed(item):
                self.failures[number] = CHANGED
            if not self.rows[number] and number not in self.failures:
                self._note_silent(number, item)

    def _note_silent(self, number: int, name: str) -> None:
        """Note an input without rows. A video may end before its last segment."""
        if self._has_changed(name):
            self.failures[number] = CHANGED
        elif self.cut is None or self.cut.segment == 0:
            self.failures[number] = "it has no frames"

    def _has_changed(self, name: str) -> bool:
        """Return whether a file is not the one that was planned, or changed since it was opened."""
        planned = self.part.items[self.numbers[name]].stamp
        return not planned == self.stamps[name] == self._stamp_of(name)

    def _is_spoilt(self) -> bool:
        """Return whether rows were written of an input that changed."""
        return any(self.rows[number] and message == CHANGED for number, message in self.failures.items())


def carried_columns(part: ArchivePart) -> list[str]:
    """Return the names of the columns that are carried into the rows of a part, in order.

    Example:
        >>> from facemood.archive.part import PlannedItem
        >>> carried_columns(ArchivePart((PlannedItem("a.jpg"),), "", "", {"a.jpg": {"age": "30", "site": "B"}}))
        ['age', 'site']
    """
    return list(dict.fromkeys(name for values in part.carried.values() for name in values))


def _column(part: ArchivePart, name: str) -> Column:
    """Return a carried column, which has its values from a part."""
    return carried_column(name, lambda row: part.carried.get(row.source or "", {}).get(name))
