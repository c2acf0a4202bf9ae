"""Outputs that a later run can continue: a table or a folder, with its sidecar."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from facemood.atomic import PART
from facemood.outputs.foreign import count_frames, existing
from facemood.outputs.names import FRAME
from facemood.outputs.places import name_if_broken
from facemood.outputs.sidecar import DONE, Sidecar, SidecarEntry, Stamp
from facemood.sinks import Continuable, Sink
from facemood.text import count

MAX_LISTED_SETTINGS = 3
"""Most changed settings that a message lists."""


MAX_SETTING = 60
"""Most characters of a setting in such a message."""


class PlannedInput(NamedTuple):
    """An input of this run, and the outputs that it is to have.

    Attributes:
        path: Its absolute path.
        stamp: Its size and time now.
        settings: The settings of this run for it.
        outputs: Its own files, relative to the sidecar's folder.
    """

    path: str
    stamp: Stamp
    settings: Mapping[str, Any]
    outputs: list[str]


class ResumableOutput:
    """A table or a folder that has a sidecar: which inputs are done, and which remain.

    Args:
        sidecar: The inputs and outputs so far.
        inputs: The inputs of this run, by name.

    Attributes:
        remaining: The inputs that are to be read.
        messages: Notes for the user on the earlier run.
    """

    sidecar: Sidecar
    inputs: Mapping[str, PlannedInput]
    remaining: set[str]
    messages: list[str]

    def __init__(self, sidecar: Sidecar, inputs: Mapping[str, PlannedInput]) -> None:
        self.sidecar, self.inputs = sidecar, inputs
        self.remaining = set(inputs)
        self.messages = []

    @property
    def sink(self) -> Sink | None:
        """The writer that all inputs share; None without one."""
        raise NotImplementedError

    def begin(self) -> None:
        """Prepare for the first result of an input."""

    def finish(self, entry: SidecarEntry) -> None:
        """Record an input whose results are written."""
        raise NotImplementedError

    def close(self, *, whole: bool) -> None:
        """Finish."""
        raise NotImplementedError

    def save(self) -> None:
        """Write the sidecar; it never lists more than is on the disk."""
        self.sidecar.save()

    def note(self, entry: SidecarEntry) -> None:
        """Record an input; the sidecar is written if it is due."""
        settings = self.sidecar.add_settings(self.inputs[entry.source].settings)
        self.sidecar.entries[entry.path] = dataclasses.replace(entry, settings=settings)
        if self.sidecar.is_due():
            self.save()

    def skip_done(self, is_there: Callable[[SidecarEntry, PlannedInput], bool]) -> None:
        """Skip the inputs that an earlier run has finished, and report why others are read again.

        Args:
            is_there: Returns whether the outputs of an entry exist.
        """
        changed: dict[str, tuple[Any, Any]] = {}
        others = files = 0
        for name, planned in self.inputs.items():
            entry = self.sidecar.entries.get(planned.path)
            if entry is None or entry.state != DONE or not is_there(entry, planned):
                continue
            if planned.stamp.size is None or entry.stamp != planned.stamp:
                files += 1
            elif changes := self.sidecar.changes(planned.path, planned.settings):
                changed |= changes
                others += 1
            else:
                self.remaining.discard(name)
        if others:
            listed = [*changed.items()][:MAX_LISTED_SETTINGS]
            words = ", ".join(f"{key}: {_shorten(old)} -> {_shorten(new)}" for key, (old, new) in listed)
            self._add_message(
                f"the settings are not those of the last run ({words}); reading {count(others, 'input')} again"
            )
        if files:
            self._add_message(f"reading {count(files, 'input')} again that changed since the last run")

    def _add_message(self, text: str) -> None:
        """Add a message for the user."""
        self.messages.append(f"{self.sidecar.path}: {text}")


class ResumableFolder(ResumableOutput):
    """The files of inputs in one folder, and its images.

    Args:
        sidecar: The inputs and outputs so far.
        inputs: The inputs of this run, by name.
        images: The writer of the folder's images; None without one.
        resume: Whether the earlier run is continued.
    """

    def __init__(
        self, sidecar: Sidecar, inputs: Mapping[str, PlannedInput], images: Sink | None, *, resume: bool
    ) -> None:
        super().__init__(sidecar, inputs)
        self._images, self._begun = images, False
        if resume:
            frames = count_frames(sidecar.path.parent, (one for planned in inputs.values() for one in planned.outputs))
            self.skip_done(lambda entry, planned: self._is_there(entry, planned, frames))

    @property
    def sink(self) -> Sink | None:
        """The writer of the folder's images; None without one."""
        return self._images

    def begin(self) -> None:
        """Write the sidecar before the first file: after `kill -9`, a later run knows its own files by it."""
        if not self._begun:
            self._begun = True
            planned = (one for planned in self.inputs.values() for one in planned.outputs)
            self.sidecar.others = self.sidecar.files.union(*((one, name_if_broken(one)) for one in planned))
            self.sidecar.save(pause=False)  # so that the first input is recorded at once

    def finish(self, entry: SidecarEntry) -> None:
        """Record an input. Once it is whole, its unfinished files of an earlier run are removed."""
        before, outputs = self.sidecar.entries.get(entry.path), self.inputs[entry.source].outputs
        broken = list(map(name_if_broken, outputs))
        if entry.state == DONE and before is not None and before.state != DONE:
            for output in {*before.outputs} & {*broken} - {*outputs}:
                with contextlib.suppress(OSError):
                    (self.sidecar.path.parent / output).unlink()
        settings = self.sidecar.add_settings(self.inputs[entry.source].settings)
        same = before is not None and (before.state, before.stamp, before.settings) == (DONE, entry.stamp, settings)
        others = before.outputs if before is not None and same and entry.state == DONE else []
        written = outputs if entry.state == DONE else broken
        self.note(dataclasses.replace(entry, outputs=list(dict.fromkeys([*others, *written]))))

    def close(self, *, whole: bool) -> None:
        """Write the sidecar; of its other files, it lists those that are there."""
        if self.sidecar.entries or self.sidecar.others:
            self.sidecar.others = set(existing(self.sidecar.path.parent, self.sidecar.others))
            self.sidecar.save()

    def _is_there(self, entry: SidecarEntry, planned: PlannedInput, frames: Mapping[str, int]) -> bool:
        """Return whether all files of an input exist."""
        return set(planned.outputs) <= set(entry.outputs) and all(
            frames[output] == entry.results if FRAME in output else (self.sidecar.path.parent / output).is_file()
            for output in planned.outputs
        )


class ResumableTable(ResumableOutput):
    """A table that all inputs share.

    Args:
        sidecar: The inputs and outputs so far.
        inputs: The inputs of this run, by name.
        table: The table's name.
        open_file: Opens its writer.
        resume: Whether the earlier run is continued: the rows of inputs that are done are copied, other rows are
            dropped.

    Raises:
        OutputError: The file cannot be written, or another process writes it.
    """

    def __init__(
        self,
        sidecar: Sidecar,
        inputs: Mapping[str, PlannedInput],
        table: Path,
        open_file: Callable[[], Continuable],
        *,
        resume: bool,
    ) -> None:
        super().__init__(sidecar, inputs)
        self._table, self._start = table, 0
        self._rows: Continuable | None = None
        if not resume:
            sidecar.entries = {}
        self._old = self._find_old() if resume and sidecar.table else None
        if resume:
            self.skip_done(lambda entry, planned: entry.span is not None)
        if self._old == table and not self.remaining:
            return
        self._rows = open_file()
        try:
            self._take_over(self._rows)
        except BaseException:
            self._rows.discard()
            raise
        self._record_place(self._rows.growing, size=0)

    @property
    def sink(self) -> Sink | None:
        """The table's writer; None if nothing is to be written."""
        return self._rows

    def begin(self) -> None:
        """Remember where the rows of an input begin."""
        self._start = self._rows.size if self._rows else 0

    def finish(self, entry: SidecarEntry) -> None:
        """Record an input with the span of its rows."""
        span = [self._start, self._rows.size] if self._rows else None
        self.note(dataclasses.replace(entry, span=span))

    def save(self) -> None:
        """Write the sidecar, then remove the unfinished table of an earlier run: its rows are copied."""
        if self._rows:
            self._rows.sync()
        self.sidecar.save()
        if self._old is not None and self._old.name != self.sidecar.table and self._old != self._table:
            with contextlib.suppress(OSError):
                self._old.unlink()

    def close(self, *, whole: bool) -> None:
        """Finish the table and the sidecar."""
        if self._rows is None:
            return
        self._rows.close(whole=whole)
        if self._rows.growing.exists():  # it was given up, as on a full disk: the part stays
            self._record_place(self._rows.growing, size=0)
        else:
            place = self._table if whole else Path(name_if_broken(str(self._table)))
            self._record_place(place, size=os.stat(place).st_size)
        self.save()

    def _find_old(self) -> Path | None:
        """Return the table of an earlier run, finished or not; None if it is gone or was changed."""
        name = self.sidecar.table
        if not PART.search(name) and name not in (self._table.name, Path(name_if_broken(str(self._table))).name):
            return None
        named = self._table.parent / Path(name).name
        with contextlib.suppress(OSError):
            return named if self.sidecar.size in (0, os.stat(named).st_size) else None
        for place in (self._table, Path(name_if_broken(str(self._table)))):
            with contextlib.suppress(
                OSError
            ):  # the run ended after the table was renamed, before the sidecar was written
                if os.stat(place).st_ino == self.sidecar.inode:
                    return place
        return None

    def _take_over(self, rows: Continuable) -> None:
        """Copy the rows of inputs that are done; inputs whose rows cannot be copied remain."""
        again = {self.inputs[name].path for name in self.remaining}
        extent = rows.extent(self._old) if self._old is not None else 0
        done = [
            (entry.span[0], entry.span[1], entry)
            for entry in self.sidecar.entries.values()
            if entry.state == DONE and entry.span and entry.path not in again
        ]
        kept = sorted((one for one in done if one[1] <= extent), key=lambda one: one[:2])
        self.sidecar.entries, size = {}, rows.size
        for start, end, entry in kept:
            self.sidecar.entries[entry.path] = dataclasses.replace(entry, span=[size, size + end - start])
            size += end - start
        if self._old is not None and kept:
            rows.keep(self._old, _joined((start, end) for start, end, _ in kept))
        lost = {entry.path for _, _, entry in done} - set(self.sidecar.entries)
        self.remaining.update(name for name, planned in self.inputs.items() if planned.path in lost)
        if lost:
            self._add_message(
                f"of {len(done):,} inputs that are done, the rows of {len(lost):,} cannot be taken over: their table "
                "is gone, was changed since, or has other columns; those that are given are read again"
            )

    def _record_place(self, place: Path, *, size: int) -> None:
        """Record the table's current file in the sidecar."""
        self.sidecar.table, self.sidecar.size = place.name, size
        with contextlib.suppress(OSError):
            self.sidecar.inode = os.stat(place).st_ino


def _shorten(value: object) -> str:
    """Return a setting as text of at most `MAX_SETTING` characters."""
    text = str(value)
    return text if len(text) <= MAX_SETTING else f"{text[: MAX_SETTING - 1]}…"


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join adjacent spans."""
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    return joined
