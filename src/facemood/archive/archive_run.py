"""One run over an archive: plan, read what is new or changed, and tell what happened."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from facemood.archive.archive_folder import ArchiveFolder
from facemood.archive.archive_place import absolute
from facemood.archive.book import ArchiveBook
from facemood.archive.local_engine import LocalEngine
from facemood.archive.part import WRITTEN
from facemood.archive.part_engine import PartDone, PartEngine, PartPool
from facemood.archive.planning import WHOLE, ArchivePlan, Planner, Shard
from facemood.archive.reading import Reading
from facemood.archive.worker_process import WorkerSetup, usable_cores
from facemood.errors import OptionError, OutputConflictError, WorkerError, require
from facemood.outputs import FACES_HIDDEN, Stamp
from facemood.sources.remote import is_remote
from facemood.table import DESIGN_COLUMNS, TAKEN
from facemood.text import count

CARRIED_PREFIX = "input_"
"""Prefix of a carried column that has the name of a column of the table."""


class ArchiveProgress(NamedTuple):
    """How far a run is.

    Attributes:
        done: Inputs that were read in this run; each segment of a video counts, and of those that are being read the
            share that is done.
        total: Inputs that this run is to read.
        failed: Inputs of this run that could not be read.
    """

    done: float
    total: int
    failed: int


ProgressHook = Callable[[ArchiveProgress], None]
"""Called with the progress of a run, often."""


@dataclass
class ArchiveSummary:
    """What a run did.

    Attributes:
        inputs: How many inputs there are in this shard.
        known: How many of them were read by earlier runs, and are unchanged.
        changed: How many of them were read again, because they changed or failed.
        parts: Parts that were written.
        rows: Rows that were written.
        failures: The inputs of this run that could not be read, with the reasons; also what could not be found.
    """

    inputs: int
    known: int
    changed: int
    parts: int = 0
    rows: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many inputs this run had to read."""
        return self.inputs - self.known

    def add_problems(self, problems: Iterable[tuple[str, str]]) -> None:
        """Add what could not be found; of an input that could not be read either, this reason stays."""
        self.failures = list({**dict(self.failures), **dict(problems)}.items())


@dataclass(frozen=True)
class ArchiveJob:
    """What a run reads, and how.

    Attributes:
        reading: How inputs are read.
        folder: The folder of the archive, or its address in an object store.
        workers: Number of processes; None for the cores that this process may use.
        shard: The share of the inputs that is read.
        retry: Whether inputs that failed are read again.
        looks: How images are drawn (``layers``, ``anonymize``); None without drawn images.
        carried: Values of columns that are carried into the rows, by the name of the input.
        make_engine: Makes another engine than processes on this machine, from the setup of a worker.
    """

    reading: Reading
    folder: str | Path
    workers: int | None = None
    shard: Shard = WHOLE
    retry: bool = False
    looks: Mapping[str, Any] | None = None
    carried: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    make_engine: Callable[[WorkerSetup], PartEngine] | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise OptionError(f"workers must be a number of processes from 1 on, but is {self.workers}")
        if self.looks is not None and self.reading.video.segment is not None:
            raise OptionError("drawn videos are not made of segments; leave out --pictures, or --segment")
        if self.looks is not None and is_remote(str(self.folder)):
            raise OptionError(
                "drawn images are not written into an object store; leave out --pictures, or name a folder"
            )

    def plan(self, inputs: Iterable[str], stamps: Mapping[str, Stamp] | None = None) -> ArchivePlan:
        """Plan the reading of inputs, and mark the folder as an archive.

        Args:
            inputs: Their names.
            stamps: Sizes and times of those that are not on this machine.

        Raises:
            OutputConflictError: The folder is no archive, or is an input.
            OutputError: It cannot be written to, or has a damaged part.
            MissingExtraError: pyarrow is not installed.
        """
        require("pyarrow", extra="data")
        folder, key = ArchiveFolder(self.folder), self.reading.key
        folder.begin(key, {**self.reading.settings, **self._hidden(folder)})
        book, segment = ArchiveBook(folder.stored_parts(), key), self.reading.video.segment
        planner = Planner(book, key, self.shard, self.retry, self._carried(), segment, stamps or {})
        return planner.plan(outside(self.folder, inputs))

    def _hidden(self, folder: ArchiveFolder) -> dict[str, Any]:
        """Return how drawn images of this or of the last run hide faces; empty if they do not."""
        how = (self.looks or {}).get("anonymize") or folder.marker.get("settings", {}).get(FACES_HIDDEN)
        return {FACES_HIDDEN: how} if how else {}

    def _carried(self) -> dict[str, dict[str, str]]:
        """Return the carried values by the names of their columns in the table."""
        names = dict.fromkeys(name for values in self.carried.values() for name in values)
        columns = {name: carried_name(name) for name in names}
        return {
            source: {columns[name]: value for name, value in values.items()} for source, values in self.carried.items()
        }

    def run(self, plan: ArchivePlan, progress: ProgressHook = lambda progress: None) -> ArchiveSummary:
        """Read the inputs of a plan. It may be ended or killed at any moment; a later run goes on.

        Raises:
            OutputError: A part cannot be written, as the disk is full, say.
            WorkerError: No process can be started, or machines write into a folder that this one does not see.
        """
        summary = ArchiveSummary(plan.inputs, plan.done, plan.changed)
        facts = self._facts(plan)
        folder = ArchiveFolder(self.folder)
        folder.note_run(self.shard.name, facts)
        if plan.parts:
            try:
                with closing(self._engine(plan)) as engine:
                    self._run_parts(PartPool(engine), plan, summary, progress)
            finally:
                folder.clean()  # also of a run that is ended: a worker may not have had the time
        folder.note_run(self.shard.name, {**facts, "ended": time.time(), "failed": len(summary.failures)})
        return summary

    def _run_parts(self, pool: PartPool, plan: ArchivePlan, summary: ArchiveSummary, progress: ProgressHook) -> None:
        """Run all parts, and count what comes of them."""
        done, files = 0, []
        partly: dict[str, tuple[float, int]] = {}
        for event in pool.run(plan.parts):
            if isinstance(event, PartDone):
                outcome = event.outcome
                partly.pop(outcome.part.id, None)
                done += len(outcome.part.items)
                files.append(outcome.part.file_name)
                summary.parts += outcome.state == WRITTEN
                summary.rows += outcome.rows
                summary.failures += outcome.failures
            else:
                partly[event.part.id] = event.done, event.failed
            now = done + sum(one for one, _ in partly.values())
            failed = len(summary.failures) + sum(one for _, one in partly.values())
            progress(ArchiveProgress(min(now, plan.items), plan.items, failed))
        if missing := ArchiveFolder(self.folder).missing(files):
            raise WorkerError(
                f"{self.folder}: {count(len(missing), 'part')} of {len(files):,} that were read are not there; the "
                "folder must be shared, and have the same path on all machines"
            )

    def _engine(self, plan: ArchivePlan) -> PartEngine:
        """Return the engine that runs the parts."""
        setup = WorkerSetup(self.reading, archive=absolute(self.folder), looks=self.looks)
        if self.make_engine is not None:
            return self.make_engine(setup)
        return LocalEngine(setup, min(self.workers or usable_cores(), len(plan.parts)))

    def _facts(self, plan: ArchivePlan) -> dict[str, Any]:
        """Return what the folder records of the run."""
        return {
            "settings": self.reading.key,
            "inputs": plan.inputs,
            "known": plan.done,
            "host": socket.gethostname(),
            "process": os.getpid(),
            "started": time.time(),
        }


def carried_name(name: str) -> str:
    """Return the column for carried values: their own name, with a prefix if the table has such a column.

    Example:
        >>> carried_name("participant"), carried_name("Score")
        ('participant', 'input_Score')
    """
    free = {column.name for column in DESIGN_COLUMNS}  # an archive has no plan of a study
    plain = name.casefold()
    return f"{CARRIED_PREFIX}{name}" if plain in TAKEN and plain not in free else name


def outside(folder: str | Path, inputs: Iterable[str]) -> Iterator[str]:
    """Yield inputs, and refuse one that lies in the folder of the archive.

    Raises:
        OutputConflictError: One does.

    Example:
        >>> list(outside(Path("out"), ["photos/a.jpg"]))
        ['photos/a.jpg']
    """
    own, parent = absolute(folder).rstrip("/") + "/", ""
    for name in inputs:
        if (near := os.path.dirname(name)) != parent:  # neighbours come one after the other
            parent = near
            if f"{absolute(parent)}/".startswith(own):
                raise OutputConflictError(f"{folder}: holds the input {name}; give the archive a folder of its own")
        yield name
