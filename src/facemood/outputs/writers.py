"""The files of a run: results go to the files of their input, and sidecars record each finished input."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

from facemood.atomic import remove_leftovers
from facemood.codebooks import refuse_foreign_codebook, write_codebook
from facemood.errors import OutputConflictError
from facemood.locks import FileLock
from facemood.outputs.foreign import refuse_foreign
from facemood.outputs.names import Label
from facemood.outputs.places import OutputTarget, OutputTargets, name_if_broken
from facemood.outputs.resumable import PlannedInput, ResumableFolder, ResumableOutput, ResumableTable
from facemood.outputs.sidecar import DONE, FAILED, UNFINISHED, Sidecar, SidecarEntry, Stamp
from facemood.results import Failure, Result
from facemood.sinks import Continuable, DescribedSink, FailureSink, Sink

OpenFile: TypeAlias = Callable[[str, Mapping[str, str]], Sink]
"""Opens the writer for a file; for a folder, with the file name of each source's images."""

Settings: TypeAlias = Callable[[str, bool], dict[str, Any]]
"""Returns the settings for an input, with those of drawing if images are written."""


class Outputs:
    """The files of a run. Those of all inputs together are opened at once, those of an input with its first result.

    Args:
        targets: Where to write, and what is read.
        settings: Returns the settings for an input (model, options, versions), with those of drawing or without.
        open_file: Opens the writer for a name.
        resume: Continue an earlier run: inputs that its sidecars list as done are not written again.
        overwrite: Replace files whose names follow from the inputs' names, also where no earlier run wrote them.

    Attributes:
        targets: The outputs of the run.
        left: The inputs that are to be read, in their order.

    Raises:
        OutputConflictError: An output is an input, or a file that no earlier run wrote, or cannot be continued.
        OutputError: A file cannot be written, or another process writes it.
    """

    targets: OutputTargets
    left: list[str]

    def __init__(
        self,
        targets: OutputTargets,
        settings: Settings,
        open_file: OpenFile,
        *,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        self.targets, self._settings, self._open = targets, settings, open_file
        self._source, self._results, self._problems = "", 0, dict[str, str]()
        self._stamps = {name: Stamp.of(name) for name in targets.inputs}
        self._locks: list[FileLock] = []
        self._resumables: list[ResumableOutput] = []
        self._plain: list[Sink] = []  # those of all inputs together without a sidecar
        self._described: list[tuple[Path, str, DescribedSink]] = []  # those of them that have a codebook beside them
        self._own: list[Sink] = []
        self._now: list[Sink] = []
        if resume:
            self._refuse_unresumable()
        try:
            self._begin_run(resume, overwrite)
        except BaseException:
            self._abandon()
            raise
        self.left = [
            name
            for name in targets.inputs
            if not resume or any(name in resumable.remaining for resumable in self._resumables)
        ]

    @property
    def messages(self) -> list[str]:
        """Notes for the user on an earlier run, such as changed settings."""
        return [message for resumable in self._resumables for message in resumable.messages]

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
        """Record that an input broke off or could not be read; its files are then named as unfinished."""
        for sink in (*self._plain, *(self._own if name == self._source else ())):
            if isinstance(sink, FailureSink):
                sink.fail(Failure(name, message))
        if name == self._source:
            self._problems[name] = message
        elif name in self._stamps:
            for resumable in self._resumables:
                if name in resumable.remaining:
                    resumable.note(self._entry(name, FAILED, message=message))

    def close(self, *, whole: bool) -> None:
        """Finish all files.

        Args:
            whole: Whether all inputs were read to their end; otherwise files are named as unfinished.
        """
        with contextlib.ExitStack() as stack:
            for lock in self._locks:
                stack.callback(lock.release)
            for resumable in self._resumables:
                stack.callback(resumable.close, whole=whole)
            for place, table, described in self._described if whole else ():
                stack.callback(write_codebook, place, table, described.columns, described.info)
            for sink in self._plain:
                stack.callback(sink.close, whole=whole)
            self._finish(whole=whole)

    def _refuse_unresumable(self) -> None:
        """Refuse to resume files that are made of all results at once."""
        for target in self.targets.all:
            if target.sidecar is None and target.kind.of_results:
                raise OutputConflictError(
                    f"{target.pattern}: --resume cannot continue it, because it is made of all results at once; give a "
                    "table (.csv, .jsonl, .parquet), a folder of images, or each input its own file, such as "
                    "'tables/{name}.csv'"
                )
        if not self.targets.all:
            raise OutputConflictError("--resume needs an output to continue: -o table.csv, or -o 'tables/{name}.csv'")

    def _begin_run(self, resume: bool, overwrite: bool) -> None:
        """Lock and read the sidecars, name all files, and open those of all inputs together."""
        self.targets.prepare()
        for place in self.targets.codebooks:
            refuse_foreign_codebook(place)
        for path in self.targets.sidecars:
            self._locks.append(FileLock(path))
        sidecars = [Sidecar.read(path) for path in self.targets.sidecars]
        self._assign(sidecars)
        for sidecar in [] if overwrite else sidecars:
            own = [output for name in self.targets.inputs for output in self._relative(name, sidecar)]
            refuse_foreign(sidecar.path.parent, dict.fromkeys([*own, *map(name_if_broken, own)]), sidecar.files)
        for sidecar in sidecars:
            remove_leftovers(sidecar.path.parent)
            self._resumables.append(self._open_resumable(sidecar, resume))
        for target in self.targets.all:
            if target.sidecar is None:
                sink = self._open(target.pattern, {})
                self._plain.append(sink)
                if target.codebook is not None and isinstance(sink, DescribedSink):
                    self._described.append((target.codebook, Path(target.pattern).name, sink))

    def _assign(self, sidecars: Sequence[Sidecar]) -> None:
        """Give inputs the labels of earlier runs; outputs of inputs that are missing now stay reserved."""
        paths = {os.path.abspath(name): name for name in self.targets.inputs}
        known: dict[str, Label] = {}
        reserved: list[str] = []
        for sidecar in sidecars:
            for path, entry in sidecar.entries.items():
                if path in paths and entry.name:
                    known.setdefault(paths[path], entry.label)
                elif path not in paths:
                    reserved += (str(sidecar.path.parent / output) for output in entry.outputs)
        self.targets.assign(known, reserved)

    def _open_resumable(self, sidecar: Sidecar, resume: bool) -> ResumableOutput:
        """Open the table or folder of a sidecar, and find out which inputs remain."""
        target = next(target for target in self.targets.all if target.sidecar == sidecar.path)
        drawn = any(target.kind.wants_images for target in self.targets.all if target.sidecar == sidecar.path)
        inputs = {
            name: PlannedInput(
                os.path.abspath(name), self._stamps[name], self._settings(name, drawn), self._relative(name, sidecar)
            )
            for name in self.targets.inputs
        }
        if target.kind.continues and not target.is_own:
            table, opens = Path(target.pattern), lambda: cast(Continuable, self._open(target.pattern, {}))
            rows = ResumableTable(sidecar, inputs, table, opens, resume=resume)
            if rows.sink is not None:
                _describe(sidecar, target.pattern, rows.sink)
            return rows
        images = None
        for target in self.targets.all:
            if target.sidecar == sidecar.path and target.is_folder and not target.is_own:
                names = {name: label.name for name, label in self.targets.labels.items()}
                images = self._open(target.file_of(Label("", "")), names)
        return ResumableFolder(sidecar, inputs, images, resume=resume)

    def _relative(self, name: str, sidecar: Sidecar) -> list[str]:
        """Return an input's own files relative to the sidecar's folder."""
        return [
            Path(os.path.relpath(output, sidecar.path.parent)).as_posix()
            for output in self.targets.outputs_of(name, sidecar.path)
        ]

    def _begin(self, source: str) -> None:
        """Open the files of the input whose first result has come."""
        self._source, self._results, self._now = source, 0, list(self._plain)
        remaining = [resumable for resumable in self._resumables if source in resumable.remaining]
        for resumable in remaining:
            resumable.begin()
            self._now += [] if resumable.sink is None else [resumable.sink]
        sidecars = {resumable.sidecar.path for resumable in remaining}
        for target in self.targets.all:
            if target.is_own and target.sidecar in sidecars:
                label = self.targets.labels[source]
                self._own.append(self._open(target.file_of(label), {source: label.name}))
                self._describe_own(target, self._own[-1])
        self._now += self._own

    def _describe_own(self, target: OutputTarget, sink: Sink) -> None:
        """Put the codebook of an input's own table into the sidecar of its folder."""
        for resumable in self._resumables:
            if resumable.sidecar.path == target.sidecar:
                _describe(resumable.sidecar, target.pattern, sink)

    def _finish(self, *, whole: bool) -> None:
        """Finish the files of the last input, and record it in the sidecars."""
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
            for resumable in self._resumables:
                if source in resumable.remaining:
                    resumable.finish(entry)

    def _entry(self, name: str, state: str, *, message: str = "", results: int = 0) -> SidecarEntry:
        """Return the entry of an input, without the outputs and the span, which each sidecar adds."""
        label = self.targets.labels[name]
        return SidecarEntry(
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
        """Discard all files, and release all locks."""
        sinks = [*self._plain, *(resumable.sink for resumable in self._resumables)]
        for sink in filter(None, sinks):
            sink.discard()
        for lock in self._locks:
            lock.release()


def _describe(sidecar: Sidecar, pattern: str, sink: Sink) -> None:
    """Put the codebook of a table into a sidecar; nothing of another output."""
    if isinstance(sink, DescribedSink):
        sidecar.codebooks[Path(pattern).name] = [column.describe() for column in sink.columns]
