"""The files of a run: results go where they belong, and books tell of it as inputs are finished."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from facemood.atomic import remove_leftovers
from facemood.errors import OutputConflictError
from facemood.locks import FileLock
from facemood.outputs.book import DONE, FAILED, UNFINISHED, Book, Entry, Stamp
from facemood.outputs.names import Label
from facemood.outputs.places import Targets
from facemood.outputs.shelves import FolderShelf, Shelf, TableShelf, Wanted
from facemood.results import Failure, Result
from facemood.sinks import Continuable, FailureSink, Sink

OpenFile: TypeAlias = Callable[[str, Mapping[str, str]], Sink]
"""Opens the writer for a file; a folder is told what the pictures of each source are called."""

Settings: TypeAlias = Callable[[str, bool], dict[str, Any]]
"""Gives what makes the results of an input, and of its pictures where these are written too."""


class Outputs:
    """The files of a run. Those of all inputs together are opened at once, those of an input with its first result.

    Args:
        targets: Where to write, and what is read.
        settings: Gives what makes the results of an input, and whether pictures show them: model, options, versions.
        open_file: Opens the writer for a name.
        resume: Go on with what an earlier run left: what its books say is done is not written again.

    Attributes:
        targets: Where it writes.
        left: The inputs that are to be read, in their order.

    Raises:
        OutputConflictError: An output is an input, or cannot be gone on with.
        OutputError: A place cannot be written to, or another process writes it.
    """

    targets: Targets
    left: list[str]

    def __init__(self, targets: Targets, settings: Settings, open_file: OpenFile, *, resume: bool = False) -> None:
        self.targets, self._settings, self._open = targets, settings, open_file
        self._source, self._results, self._problems = "", 0, dict[str, str]()
        self._stamps = {name: Stamp.of(name) for name in targets.inputs}
        self._locks: list[FileLock] = []
        self._shelves: list[Shelf] = []
        self._plain: list[Sink] = []  # those of all inputs together that no book tells of
        self._own: list[Sink] = []
        self._now: list[Sink] = []
        if resume:
            self._refuse_unresumable()
        try:
            self._begin_run(resume)
        except BaseException:
            self._abandon()
            raise
        self.left = [
            name for name in targets.inputs if not resume or any(name in shelf.lacking for shelf in self._shelves)
        ]

    @property
    def messages(self) -> list[str]:
        """What people must know of an earlier run, such as settings that have changed."""
        return [message for shelf in self._shelves for message in shelf.messages]

    def write(self, result: Result) -> None:
        """Write one result to all files that it belongs in.

        Raises:
            OutputError: A file cannot be written to.
        """
        if result.source != self._source:
            self._finish(whole=True)
            self._begin(result.source)
        for sink in self._now:
            sink.write(result)
        self._results += 1

    def fail(self, name: str, message: str = "") -> None:
        """Take note that an input broke off, or could not be read: its files will say so in their names."""
        for sink in (*self._plain, *(self._own if name == self._source else ())):
            if isinstance(sink, FailureSink):
                sink.fail(Failure(name, message))
        if name == self._source:
            self._problems[name] = message
        elif name in self._stamps:
            for shelf in self._shelves:
                if name in shelf.lacking:
                    shelf.note(self._entry(name, FAILED, message=message))

    def close(self, *, whole: bool) -> None:
        """Finish all files.

        Args:
            whole: Whether all inputs were read to their end; else files say in their names that they are unfinished.
        """
        with contextlib.ExitStack() as stack:
            for lock in self._locks:
                stack.callback(lock.release)
            for shelf in self._shelves:
                stack.callback(shelf.close, whole=whole)
            for sink in self._plain:
                stack.callback(sink.close, whole=whole)
            self._finish(whole=whole)

    def _refuse_unresumable(self) -> None:
        """Refuse files that are made of all results at once: nothing of them can be left out."""
        for target in self.targets.all:
            if target.book is None and target.kind.of_results:
                raise OutputConflictError(
                    f"{target.pattern}: --resume cannot go on with it, it is made of all results at once; give a table "
                    "(.csv, .jsonl, .parquet), a folder of pictures, or each input its own file, such as "
                    "'tables/{name}.csv'"
                )
        if not self.targets.all:
            raise OutputConflictError("--resume needs something to go on with: -o table.csv, or -o 'tables/{name}.csv'")

    def _begin_run(self, resume: bool) -> None:
        """Take the right to write, read the books, name all files, and open those of all inputs together."""
        self.targets.prepare()
        for path in self.targets.books:
            self._locks.append(FileLock(path))
        books = [Book.read(path) for path in self.targets.books]
        self._assign(books)
        for book in books:
            remove_leftovers(book.path.parent)
            self._shelves.append(self._open_shelf(book, resume))
        for target in self.targets.all:
            if target.book is None:
                self._plain.append(self._open(target.pattern, {}))

    def _assign(self, books: Sequence[Book]) -> None:
        """Give inputs the names that earlier runs gave them; outputs of inputs that are missing now stay theirs."""
        paths = {os.path.abspath(name): name for name in self.targets.inputs}
        known: dict[str, Label] = {}
        reserved: list[str] = []
        for book in books:
            for path, entry in book.entries.items():
                if path in paths and entry.name:
                    known.setdefault(paths[path], entry.label)
                elif path not in paths:
                    reserved += (str(book.path.parent / output) for output in entry.outputs)
        self.targets.assign(known, reserved)

    def _open_shelf(self, book: Book, resume: bool) -> Shelf:
        """Find out what of a book's inputs is left, and go on with its table where it has one."""
        target = next(target for target in self.targets.all if target.book == book.path)
        drawn = any(target.kind.wants_images for target in self.targets.all if target.book == book.path)
        wanted = {
            name: Wanted(
                os.path.abspath(name), self._stamps[name], self._settings(name, drawn), self._relative(name, book)
            )
            for name in self.targets.inputs
        }
        if target.kind.continues and not target.is_own:
            table, opens = Path(target.pattern), lambda: cast(Continuable, self._open(target.pattern, {}))
            return TableShelf(book, wanted, table, opens, resume=resume)
        pictures = None
        for target in self.targets.all:
            if target.book == book.path and target.is_folder and not target.is_own:
                names = {name: label.name for name, label in self.targets.labels.items()}
                pictures = self._open(target.file_of(Label("", "")), names)
        return FolderShelf(book, wanted, pictures, resume=resume)

    def _relative(self, name: str, book: Book) -> list[str]:
        """Return an input's own files as its book tells them: from the book's folder on."""
        return [
            Path(os.path.relpath(output, book.path.parent)).as_posix()
            for output in self.targets.outputs_of(name, book.path)
        ]

    def _begin(self, source: str) -> None:
        """Find and open the files of the input whose first result has come."""
        self._source, self._results, self._now = source, 0, list(self._plain)
        lacking = [shelf for shelf in self._shelves if source in shelf.lacking]
        for shelf in lacking:
            shelf.begin()
            self._now += [] if shelf.sink is None else [shelf.sink]
        books = {shelf.book.path for shelf in lacking}
        for target in self.targets.all:
            if target.is_own and target.book in books:
                label = self.targets.labels[source]
                self._own.append(self._open(target.file_of(label), {source: label.name}))
        self._now += self._own

    def _finish(self, *, whole: bool) -> None:
        """Finish the files of the input that was read last, and let the books tell of it."""
        source, self._source = self._source, ""
        if not source:
            return
        message = self._problems.pop(source, None)
        state = FAILED if message is not None else DONE if whole else UNFINISHED
        own, self._own = self._own, []
        with contextlib.ExitStack() as stack:
            for sink in own:
                stack.callback(sink.close, whole=state == DONE)
        if source in self._stamps:
            entry = self._entry(source, state, message=message or "", results=self._results)
            for shelf in self._shelves:
                if source in shelf.lacking:
                    shelf.finish(entry)

    def _entry(self, name: str, state: str, *, message: str = "", results: int = 0) -> Entry:
        """Return what books say of an input, but for what each says of its own."""
        label = self.targets.labels[name]
        return Entry(
            source=name,
            path=os.path.abspath(name),
            size=self._stamps[name].size,
            mtime_ns=self._stamps[name].mtime_ns,
            state=state,
            results=results,
            name=label.name,
            tree=label.tree,
            message=message,
        )

    def _abandon(self) -> None:
        """Leave everything as it was."""
        sinks = [*self._plain, *(shelf.sink for shelf in self._shelves)]
        for sink in filter(None, sinks):
            sink.discard()
        for lock in self._locks:
            lock.release()
