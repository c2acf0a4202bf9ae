"""Plan an archive: which inputs are new or changed, and which parts they make.

A plan depends on the inputs, on their sizes and times, and on what is done. So two jobs with the same inputs make the
same parts, and a job that was killed goes on with the parts that are missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from facemood.archive.book import ArchiveBook, BookEntry, input_key
from facemood.archive.part import ArchivePart, PlannedItem
from facemood.archive.segment_edges import count_segments
from facemood.errors import OptionError
from facemood.outputs import Stamp
from facemood.sources.kinds import file_kind

PART_PHOTOS = 100
"""Most photos of a part: about 5 seconds of one core. A killed worker loses no more than that."""

PART_BYTES = 256_000_000
"""Most bytes of the photos of a part. Large photos take longer."""

GONE = Stamp(None, None)
"""Stamp of a file that is not there. If the archive holds an earlier version of it, that one counts on."""


class Shard(NamedTuple):
    """One of several equal shares of the inputs. An input belongs to the same share whatever other inputs there are.

    Attributes:
        number: 1 to `total`.
        total: The number of shares.

    Example:
        >>> Shard.parse("3/40").name
        '3-of-40'
    """

    number: int = 1
    total: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that a text such as ``3/40`` names.

        Raises:
            OptionError: It names none.
        """
        number, _, total = text.partition("/")
        if not (number.isdecimal() and total.isdecimal() and 1 <= int(number) <= int(total)):
            raise OptionError(f"a shard is given as NUMBER/TOTAL from 1/TOTAL on, such as 3/40, but is {text!r}")
        return cls(int(number), int(total))

    @property
    def name(self) -> str:
        """Name of the record of its run."""
        return "all" if self.total == 1 else f"{self.number}-of-{self.total}"

    def has(self, key: int) -> bool:
        """Return whether an input belongs to it, by the input's key."""
        return key % self.total == self.number - 1


WHOLE = Shard()
"""The only shard of a run that reads all inputs."""


@dataclass
class ArchivePlan:
    """What is to be read.

    Attributes:
        inputs: How many inputs there are.
        done: How many of them were read before, and are unchanged.
        changed: How many of them were read before, and are to be read again.
        parts: The parts, videos first.
    """

    inputs: int = 0
    done: int = 0
    changed: int = 0
    parts: list[ArchivePart] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many inputs are to be read."""
        return self.inputs - self.done

    @property
    def items(self) -> int:
        """How many inputs and segments are to be read."""
        return sum(len(part.items) for part in self.parts)


@dataclass(frozen=True)
class Planner:
    """Makes plans.

    Attributes:
        book: What the archive holds.
        settings: Key of the settings.
        shard: The share of the inputs that is read.
        retry: Whether inputs that failed are read again.
        carried: Values of the columns that are carried, by the name of the input.
        segment: Seconds after which a video is cut; None leaves each one whole.
        stamps: Sizes and times of inputs that are not on this machine.
    """

    book: ArchiveBook
    settings: str
    shard: Shard = WHOLE
    retry: bool = False
    carried: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    segment: float | None = None
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    def plan(self, inputs: Iterable[str]) -> ArchivePlan:
        """Plan the reading of inputs; each is planned once, however often it is named.

        Args:
            inputs: Their names; sorted ones make parts of neighbours.
        """
        plan, folder = ArchivePlan(), os.getcwd()
        videos: list[ArchivePart] = []
        photos: list[PlannedItem] = []
        weight = 0
        for item in self._to_read(inputs, folder, plan):
            if file_kind(item.name, sniffed=False) == "video":
                videos.append(self._part([item], folder))
                continue
            if photos and (len(photos) == PART_PHOTOS or weight + (item.size or 0) > PART_BYTES):
                plan.parts.append(self._part(photos, folder))
                photos, weight = [], 0
            photos.append(item)
            weight += item.size or 0
        if photos:
            plan.parts.append(self._part(photos, folder))
        plan.parts[:0] = sorted(videos, key=lambda part: -(part.items[0].size or 0) / part.items[0].segments)
        return plan

    def _to_read(self, inputs: Iterable[str], folder: str, plan: ArchivePlan) -> Iterator[PlannedItem]:
        """Yield the inputs of the shard that are new or changed, and count all."""
        seen = set[int]()
        for name in inputs:
            key = input_key(name, folder)
            if key in seen or not self.shard.has(key):
                continue
            seen.add(key)
            plan.inputs += 1
            entry, stamp = self.book.entries.get(key), self.stamps.get(name) or Stamp.of(name)
            if entry is not None and stamp in (entry.stamp, GONE) and entry.segments == 1 and not self._again(entry):
                plan.done += 1
                continue
            items = self._items_of(name, stamp, entry, folder)
            plan.done += not items
            plan.changed += any(item.generation for item in items)
            yield from items

    def _again(self, entry: BookEntry) -> bool:
        """Return whether what an entry tells of is read again."""
        return self.retry and entry.failed

    def _items_of(self, name: str, stamp: Stamp, entry: BookEntry | None, folder: str) -> list[PlannedItem]:
        """Return what is to be read of an input: all, or the segments that are missing."""
        same = entry is not None and stamp in (entry.stamp, GONE)
        stamp = entry.stamp if entry is not None and same and not self._again(entry) else stamp
        total = entry.segments if entry is not None and same else self._count_segments(name)
        items = []
        for segment in range(total):
            old = self.book.entries.get(input_key(name, folder, segment)) if segment else entry
            if old is None or not old.is_of(stamp, total) or self._again(old):
                items.append(PlannedItem(name, *stamp, 0 if old is None else old.generation + 1, segment, total))
        return items

    def _count_segments(self, name: str) -> int:
        """Return in how many segments an input is cut."""
        here = name not in self.stamps  # one in an object store is fetched whole, by one process
        cut = here and self.segment is not None and file_kind(name, sniffed=False) == "video"
        return count_segments(name, self.segment or 0) if cut else 1

    def _part(self, items: list[PlannedItem], folder: str) -> ArchivePart:
        """Return a part with the values that are carried into it."""
        carried = {item.name: self.carried[item.name] for item in items if item.name in self.carried}
        return ArchivePart(tuple(items), self.settings, folder, carried)
