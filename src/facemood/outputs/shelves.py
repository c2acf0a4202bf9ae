"""One table, or one folder, of a run, and the book that tells of it."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from facemood.outputs.book import DONE, Book, Entry, Stamp
from facemood.outputs.names import FRAME, NUMBERED
from facemood.outputs.places import name_if_broken
from facemood.sinks import Continuable, Sink
from facemood.text import count

MOST_TOLD = 3
"""So many changed settings are told by name."""


class Wanted(NamedTuple):
    """What a run wants of one input.

    Attributes:
        path: Its absolute path.
        stamp: What tells that the input is still the one it was.
        settings: What makes its results.
        outputs: Its own files, from the book's folder on.
    """

    path: str
    stamp: Stamp
    settings: Mapping[str, Any]
    outputs: list[str]


class Shelf:
    """What a run writes at one place, and what is there already: what tables and folders have in common.

    Args:
        book: Tells what is there.
        wanted: What the run wants of each input.

    Attributes:
        lacking: The inputs that are to be read.
        messages: What people must know of what is there.
    """

    book: Book
    wanted: Mapping[str, Wanted]
    lacking: set[str]
    messages: list[str]

    def __init__(self, book: Book, wanted: Mapping[str, Wanted]) -> None:
        self.book, self.wanted = book, wanted
        self.lacking = set(wanted)
        self.messages = []

    @property
    def sink(self) -> Sink | None:
        """What all inputs share."""
        raise NotImplementedError

    def begin(self) -> None:
        """Prepare for the first result of an input."""

    def finish(self, entry: Entry) -> None:
        """Take note of an input whose results are written."""
        raise NotImplementedError

    def close(self, *, whole: bool) -> None:
        """Finish."""
        raise NotImplementedError

    def save(self) -> None:
        """Write the book, never of more than is on the disk."""
        self.book.save()

    def note(self, entry: Entry) -> None:
        """Take note of an input; from time to time the book is written."""
        settings = self.book.know(self.wanted[entry.source].settings)
        self.book.entries[entry.path] = dataclasses.replace(entry, settings=settings)
        if self.book.is_due():
            self.save()

    def pass_over(self, is_there: Callable[[Entry, Wanted], bool]) -> None:
        """Pass over the inputs that an earlier run has finished, and tell why others are read again.

        Args:
            is_there: Tells whether what an entry speaks of is there.
        """
        changed: dict[str, tuple[Any, Any]] = {}
        others = files = 0
        for name, want in self.wanted.items():
            entry = self.book.entries.get(want.path)
            if entry is None or entry.state != DONE or not is_there(entry, want):
                continue
            if want.stamp.size is None or entry.stamp != want.stamp:
                files += 1
            elif changes := self.book.changes(want.path, want.settings):
                changed |= changes
                others += 1
            else:
                self.lacking.discard(name)
        if others:
            told = ", ".join(f"{key}: {old} -> {new}" for key, (old, new) in [*changed.items()][:MOST_TOLD])
            self._say(f"the settings are not those of the last run ({told}); reading {count(others, 'input')} again")
        if files:
            self._say(f"reading {count(files, 'input')} again that changed since the last run")

    def _say(self, text: str) -> None:
        """Keep a message for people."""
        self.messages.append(f"{self.book.path}: {text}")


class FolderShelf(Shelf):
    """Files that inputs have of their own in one folder, and its pictures.

    Args:
        book: Tells what is there.
        wanted: What the run wants of each input.
        pictures: The writer of the folder's pictures, where it is a folder of pictures.
        resume: Whether what is there is gone on with.
    """

    def __init__(self, book: Book, wanted: Mapping[str, Wanted], pictures: Sink | None, *, resume: bool) -> None:
        super().__init__(book, wanted)
        self._pictures = pictures
        if resume:
            frames = _count_frames(book.path.parent, wanted.values())
            self.pass_over(lambda entry, want: self._is_there(entry, want, frames))

    @property
    def sink(self) -> Sink | None:
        """The writer of the folder's pictures."""
        return self._pictures

    def finish(self, entry: Entry) -> None:
        """Take note of an input; what an earlier run left unfinished of it goes once it is whole."""
        before, outputs = self.book.entries.get(entry.path), self.wanted[entry.source].outputs
        broken = list(map(name_if_broken, outputs))
        if entry.state == DONE and before is not None and before.state != DONE:
            for output in {*before.outputs} & {*broken} - {*outputs}:
                with contextlib.suppress(OSError):
                    (self.book.path.parent / output).unlink()
        settings = self.book.know(self.wanted[entry.source].settings)
        same = before is not None and (before.state, before.stamp, before.settings) == (DONE, entry.stamp, settings)
        others = before.outputs if before is not None and same and entry.state == DONE else []
        written = outputs if entry.state == DONE else broken
        self.note(dataclasses.replace(entry, outputs=list(dict.fromkeys([*others, *written]))))

    def close(self, *, whole: bool) -> None:
        """Write the book."""
        if self.book.entries:
            self.book.save()

    def _is_there(self, entry: Entry, want: Wanted, frames: Mapping[str, int]) -> bool:
        """Tell whether all files that an input has of its own are there."""
        return set(want.outputs) <= set(entry.outputs) and all(
            frames[output] == entry.results if FRAME in output else (self.book.path.parent / output).is_file()
            for output in want.outputs
        )


class TableShelf(Shelf):
    """A table that all inputs share.

    Args:
        book: Tells what is there.
        wanted: What the run wants of each input.
        table: The table's name.
        open_file: Opens its writer.
        resume: Whether what is there is gone on with: rows of inputs that are done are taken over, and all else is cut
            off.

    Raises:
        OutputError: The place cannot be written to, or another process writes it.
    """

    def __init__(
        self,
        book: Book,
        wanted: Mapping[str, Wanted],
        table: Path,
        open_file: Callable[[], Continuable],
        *,
        resume: bool,
    ) -> None:
        super().__init__(book, wanted)
        self._table, self._start = table, 0
        self._rows: Continuable | None = None
        if not resume:
            book.entries = {}
        self._old = self._find_old() if resume and book.table else None
        if resume:
            self.pass_over(lambda entry, want: entry.span is not None)
        if self._old == table and not self.lacking:
            return
        self._rows = open_file()
        try:
            self._take_over(self._rows)
        except BaseException:
            self._rows.discard()
            raise
        self._tell_place(self._rows.growing, size=0)

    @property
    def sink(self) -> Sink | None:
        """The table's writer; None where nothing is to be written."""
        return self._rows

    def begin(self) -> None:
        """Remember where the rows of an input begin."""
        self._start = self._rows.size if self._rows else 0

    def finish(self, entry: Entry) -> None:
        """Take note of an input, and of where its rows stand."""
        span = [self._start, self._rows.size] if self._rows else None
        self.note(dataclasses.replace(entry, span=span))

    def save(self) -> None:
        """Write the book; then what an earlier run left unfinished is not needed any more, its rows are taken over."""
        if self._rows:
            self._rows.sync()
        self.book.save()
        if self._old is not None and self._old.name != self.book.table and self._old != self._table:
            with contextlib.suppress(OSError):
                self._old.unlink()

    def close(self, *, whole: bool) -> None:
        """Finish the table and the book."""
        if self._rows is None:
            return
        self._rows.close(whole=whole)
        place = self._table if whole else Path(name_if_broken(str(self._table)))
        self._tell_place(place, size=os.stat(place).st_size)
        self.save()

    def _find_old(self) -> Path | None:
        """Find what an earlier run wrote, whatever it is called; None where it is gone, or was changed since."""
        named = self._table.with_name(self.book.table)
        with contextlib.suppress(OSError):
            return named if self.book.size in (0, os.stat(named).st_size) else None
        for place in (self._table, Path(name_if_broken(str(self._table)))):
            with contextlib.suppress(OSError):  # the run ended after the table took its name, before the book told so
                if os.stat(place).st_ino == self.book.inode:
                    return place
        return None

    def _take_over(self, rows: Continuable) -> None:
        """Copy the rows of inputs that are done; what cannot be taken over is read again."""
        again = {self.wanted[name].path for name in self.lacking}
        extent = rows.extent(self._old) if self._old is not None else 0
        done = [
            (entry.span[0], entry.span[1], entry)
            for entry in self.book.entries.values()
            if entry.state == DONE and entry.span and entry.path not in again
        ]
        kept = sorted((one for one in done if one[1] <= extent), key=lambda one: one[:2])
        self.book.entries, size = {}, rows.size
        for start, end, entry in kept:
            self.book.entries[entry.path] = dataclasses.replace(entry, span=[size, size + end - start])
            size += end - start
        if self._old is not None and kept:
            rows.keep(self._old, _joined((start, end) for start, end, _ in kept))
        lost = {entry.path for _, _, entry in done} - set(self.book.entries)
        self.lacking.update(name for name, want in self.wanted.items() if want.path in lost)
        if lost:
            self._say(
                f"of {len(done):,} inputs that are done, the rows of {len(lost):,} cannot be taken over: their table "
                "is gone, was changed since, has other columns, or was left by a killed run and is no text; those that "
                "are given are read again"
            )

    def _tell_place(self, place: Path, *, size: int) -> None:
        """Let the book tell where the table stands."""
        self.book.table, self.book.size = place.name, size
        with contextlib.suppress(OSError):
            self.book.inode = os.stat(place).st_ino


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that follow each other."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined


def _count_frames(folder: Path, wanted: Iterable[Wanted]) -> Counter[str]:
    """Count the frames in each folder of pictures that outputs speak of, by output."""
    places = {Path(output).parent for want in wanted for output in want.outputs if FRAME in output}
    counts = Counter[str]()
    for place in places:
        with contextlib.suppress(OSError):
            names = (NUMBERED.sub(f"-{FRAME}", name) for name in os.listdir(folder / place))
            counts.update((place / name).as_posix() for name in names)
    return counts
