"""The book of an archive: which version of each input its parts hold.

An input may stand in several parts: it changed and was read again, or two jobs planned at the same time. The entry of
the highest generation counts, and of equal ones that of the smallest part ID. So every reader of the folder comes to
the same answer without a clock, and each input counts once.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from typing import NamedTuple

from facemood.archive.archive_folder import StoredPart
from facemood.archive.part import PlannedItem
from facemood.outputs import Stamp

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://")
"""How addresses begin; they have no folder."""

KEY_BYTES = 8
"""Bytes of the key of an input. Of a million inputs, two share one with a probability of 3e-8."""


class BookEntry(NamedTuple):
    """What the archive holds of an input.

    Attributes:
        generation: How many earlier versions it had.
        part: ID of its part.
        stamp: Size and time of the version that was read.
        failed: Whether it could not be read.
        segments: In how many segments it is cut.
    """

    generation: int
    part: str
    stamp: Stamp
    failed: bool
    segments: int = 1

    def outranks(self, other: BookEntry | None) -> bool:
        """Return whether this entry counts, and not the other one."""
        return other is None or (-self.generation, self.part) < (-other.generation, other.part)

    def is_of(self, stamp: Stamp, segments: int) -> bool:
        """Return whether it holds this version of the input, cut in so many segments."""
        return (self.stamp, self.segments) == (stamp, segments)


class ArchiveBook:
    """The entries that count, by input.

    Args:
        parts: The parts of the archive.
        settings: Only parts with these settings count.

    Attributes:
        entries: The entry of each input, by its key.
    """

    entries: dict[int, BookEntry]

    def __init__(self, parts: Iterable[StoredPart], settings: str) -> None:
        self.entries = {}
        for stored in parts:
            if stored.record.settings == settings:
                self._add(stored)

    def entry_of(self, name: str, folder: str) -> BookEntry | None:
        """Return the entry of an input, or that of its first segment."""
        return self.entries.get(input_key(name, folder))

    def current_entry(self, item: PlannedItem, folder: str) -> BookEntry | None:
        """Return the entry of an input or a segment; None for a segment of another version than the first one is of."""
        first = self.entry_of(item.name, folder)
        if item.segment == 0 or first is None:
            return first
        entry = self.entries.get(input_key(item.name, folder, item.segment))
        return entry if entry is not None and entry.is_of(first.stamp, first.segments) else None

    def _add(self, stored: StoredPart) -> None:
        """Add the inputs of a part."""
        record, part = stored.record, stored.id
        for number, item in enumerate(record.items):
            key = input_key(item.name, record.folder, item.segment)
            entry = BookEntry(item.generation, part, item.stamp, number in record.failures, item.segments)
            if entry.outranks(self.entries.get(key)):
                self.entries[key] = entry


def input_key(name: str, folder: str, segment: int = 0) -> int:
    """Return what identifies an input or a segment: a hash of its absolute path, or of its address.

    Args:
        name: Its name.
        folder: The folder in which relative names start.
        segment: Number of the segment; 0 for the first one, and for inputs that are not cut.

    Example:
        >>> input_key("a.jpg", "/photos") == input_key("../photos/a.jpg", "/photos") == input_key("/photos/a.jpg", "/")
        True
    """
    path = name if ADDRESS.match(name) else os.path.normpath(os.path.join(folder, name))
    path += f"\0{segment}" if segment else ""
    digest = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
    return int.from_bytes(digest, "little")
