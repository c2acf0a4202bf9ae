"""A part of an archive: some inputs that one worker reads together, and the name of the file that their rows go to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from facemood.archive.segment_edges import SegmentEdges
from facemood.outputs import Stamp
from facemood.table import STRING, Column, Value

ID_DIGITS = 24
"""Hexadecimal digits of a part's ID; 96 bits, so that no two parts share one by chance."""

PART_SUFFIX = ".parquet"
"""Ending of a part's file."""

RECORD_SCHEMA = 1
"""Version of a part's record. It changes when programs that read it must be changed."""

ITEM_COLUMNS = ("names", "sizes", "times", "generations", "segments", "of")
"""The fields of `PlannedItem` in a part's record."""

RECORD_KEY = "facemood_part"
"""Key of the record in the metadata of a part's file."""

WRITTEN = "written"
"""State of a part that was read and written."""

THERE = "there"
"""State of a part whose file was there already."""

BUSY = "busy"
"""State of a part that another job is writing."""


def carried_column(name: str, read: Callable[[Any], Value]) -> Column:
    """Return a column that is carried from the list of inputs.

    Args:
        name: Its name in the table.
        read: Returns its value for a row.
    """
    return Column(name, STRING, "Carried from the list of inputs", read)


class PlannedItem(NamedTuple):
    """An input of a part.

    Attributes:
        name: Its name, as in the rows.
        size: Bytes; None if it is not a file.
        mtime_ns: Time of the last change, in nanoseconds since 1970.
        generation: How many earlier versions of it the archive has, as far as the plan knew.
        segment: Number of the segment of a video that is cut, from 0.
        segments: In how many segments it is cut; 1 for all other inputs. The last one goes to the end of the video.
    """

    name: str
    size: int | None = None
    mtime_ns: int | None = None
    generation: int = 0
    segment: int = 0
    segments: int = 1

    @property
    def stamp(self) -> Stamp:
        """Size and time of the input when the part was planned."""
        return Stamp(self.size, self.mtime_ns)


@dataclass(frozen=True)
class ArchivePart:
    """Inputs that one worker reads together.

    Attributes:
        items: The inputs in their order.
        settings: Key of the settings (`Reading.key`).
        folder: Working folder of the run; relative names start there.
        carried: For some inputs, the values of the columns that are carried into their rows, by name.
        killed: Why no process survives reading its only input; empty for others. Such a part holds a failure.

    Example:
        >>> part = ArchivePart((PlannedItem("a.jpg", 5, 7), PlannedItem("b.jpg", 5, 7)), "1f", "/photos")
        >>> first, second = part.halves()
        >>> len({part.id, first.id, second.id})
        3
    """

    items: tuple[PlannedItem, ...]
    settings: str
    folder: str
    carried: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    killed: str = ""

    @property
    def id(self) -> str:
        """Hash of names, sizes, times, earlier versions, carried values and settings: equal parts have equal IDs."""
        told = [
            list(self.items),
            self.settings,
            self.folder,
            {name: self.carried[name] for name in sorted(self.carried)},
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:ID_DIGITS]

    @property
    def file_name(self) -> str:
        """Name of its file."""
        return f"{self.id}{PART_SUFFIX}"

    def halves(self) -> tuple[ArchivePart, ArchivePart]:
        """Split the inputs into two parts."""
        middle = len(self.items) // 2
        return self._of(self.items[:middle]), self._of(self.items[middle:])

    def given_up(self, reason: str) -> ArchivePart:
        """Return the part as one that only records why its input cannot be read."""
        return replace(self, killed=reason)

    def _of(self, items: Sequence[PlannedItem]) -> ArchivePart:
        """Return a part with some of the inputs."""
        kept = {item.name: self.carried[item.name] for item in items if item.name in self.carried}
        return replace(self, items=tuple(items), carried=kept)


class PartOutcome(NamedTuple):
    """What became of a part.

    Attributes:
        part: The part.
        state: `WRITTEN`, `THERE` or `BUSY`.
        rows: Rows that were written.
        failures: The inputs that could not be read, with the reasons.
    """

    part: ArchivePart
    state: str
    rows: int = 0
    failures: tuple[tuple[str, str], ...] = ()


class PartRecord(NamedTuple):
    """What a part's file says of itself, in its metadata.

    Attributes:
        items: The inputs in their order.
        rows: Number of rows of each input.
        failures: Why inputs could not be read, by their number.
        settings: Key of the settings.
        folder: Working folder of the run.
        carried: Names of the columns that are carried.
        made_by: Versions, processor and precision (`made_by`).
        edges: How the people of the only input, a segment, are joined with others; None for whole inputs.
    """

    items: list[PlannedItem]
    rows: list[int]
    failures: dict[int, str]
    settings: str
    folder: str
    carried: list[str]
    made_by: dict[str, str]
    edges: SegmentEdges | None = None

    def to_json(self) -> str:
        """Return the record as JSON."""
        columns = {name: list(values) for name, values in zip(ITEM_COLUMNS, zip(*self.items, strict=True), strict=True)}
        return json.dumps({"schema": RECORD_SCHEMA, **self._asdict(), "items": columns})

    @classmethod
    def parse(cls, text: str | bytes) -> PartRecord:
        """Return the record in a text of `to_json`.

        Raises:
            ValueError: It is none, or of another version; also a KeyError or TypeError.
        """
        known = json.loads(text)
        if known.pop("schema") != RECORD_SCHEMA:
            raise ValueError("it was written by another version of facemood")
        columns = known.pop("items")
        items = zip(*(columns[name] for name in ITEM_COLUMNS), strict=True)
        failures = {int(number): str(message) for number, message in known.pop("failures").items()}
        edges = known.pop("edges")
        return cls(
            items=[PlannedItem(*item) for item in items],
            failures=failures,
            edges=None if edges is None else SegmentEdges.parse(edges),
            **known,
        )
