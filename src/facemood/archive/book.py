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
    """

    generation: int
    part: str
    stamp: Stamp
    failed: bool

    def outranks(self, other: BookEntry | None) -> bool:
        """Return whether this entry counts, and not the other one."""
        return other is None or (-self.generation, self.part) < (-other.generation, other.part)


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
        """Return the entry of an input."""
        return self.entries.get(input_key(name, folder))

    def _add(self, stored: StoredPart) -> None:
        """Add the inputs of a part."""
        record, part = stored.record, stored.id
        for number, item in enumerate(record.items):
            key = input_key(item.name, record.folder)
            entry = BookEntry(item.generation, part, item.stamp, number in record.failures)
            if entry.outranks(self.entries.get(key)):
                self.entries[key] = entry


def input_key(name: str, folder: str) -> int:
    """Return what identifies an input: a hash of its absolute path, or of its address.

    Args:
        name: Its name.
        folder: The folder in which relative names start.

    Example:
        >>> input_key("a.jpg", "/photos") == input_key("../photos/a.jpg", "/photos") == input_key("/photos/a.jpg", "/")
        True
    """
    path = name if ADDRESS.match(name) else os.path.normpath(os.path.join(folder, name))
    digest = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).digest()
    return int.from_bytes(digest, "little")
