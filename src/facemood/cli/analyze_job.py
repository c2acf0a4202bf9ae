"""One run of ``facemood analyze`` that writes files: inputs, outputs, summary and failures."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import typer

from facemood.cli.people_option import mark_of_videos
from facemood.cli.reading_progress import shown_progress
from facemood.cli.signals import uninterrupted
from facemood.cli.terminal import CANNOT_START, DONE, INTERRUPTED, SOME_FAILED, hang_up, print_line, say
from facemood.csv_dialect import KEY, PLAIN
from facemood.filenames import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from facemood.archive import OrderedReading, Reading
    from facemood.cli.run_summary import RunSummary
    from facemood.outputs import Outputs, OutputTargets
    from facemood.participants import Participants
    from facemood.progress import Hook
    from facemood.recognizer import EmotionRecognizer
    from facemood.results import Result
    from facemood.sources.items import Item
    from facemood.tracking.video_options import VideoOptions


class AnalyzeJob:
    """One run of the command: inputs, outputs, summary and failures."""

    video: VideoOptions
    batch: int
    quiet: bool
    allow_download: bool
    dialect: str
    resume: bool
    overwrite: bool
    inputs: list[str]
    left_out: Counter[str]
    plan: Participants | None
    targets: OutputTargets
    moves: Callable[[Item], bool]
    seen: RunSummary

    def __init__(
        self,
        video: VideoOptions,
        sources: list[str],
        patterns: list[str],
        participants: str | None,
        *,
        listed: str | None = None,
        batch: int,
        allow_download: bool,
    ) -> None:
        from facemood.cli.run_summary import RunSummary
        from facemood.outputs import OutputTargets
        from facemood.plan_file import plan_for
        from facemood.sources import find_inputs
        from facemood.sources.open_input import STDIN
        from facemood.stream import moves
        from facemood.text import count

        self.video, self.batch, self.quiet = video, batch, False
        self.allow_download, self.dialect, self.left_out = allow_download, PLAIN, Counter[str]()
        self.resume = self.overwrite = False
        self.reading: OrderedReading | None = None
        self.failures: list[tuple[str, str]] = []
        self.outputs: Outputs | None = None
        given = [source for source in sources if not self._refuse_data_url(source)]
        items = find_inputs(given, on_error=self._fail, allow_download=allow_download, left_out=self.left_out)
        found = list(map(str, items))
        first: dict[str, str] = {}
        for name in found:
            first.setdefault(os.path.abspath(name), name)
        self.inputs = list(first.values())
        if len(self.inputs) < len(found):
            again = count(len(found) - len(self.inputs), "input")
            say(f"facemood: {again} named more than once; each is read once")
        self.plan = plan_for(participants, self.inputs)
        read_too = [name for name in (participants, listed) if name and name != STDIN]
        self.targets, self.moves = OutputTargets(patterns, self.inputs, moves, read_too=read_too), moves
        self.seen = RunSummary()

    def _refuse_data_url(self, source: str) -> bool:
        """Refuse a data URL, which is no name that outputs could be called by."""
        from facemood.errors import SourceError
        from facemood.sources import name_of_item
        from facemood.sources.items import is_data_url

        if is_data_url(source):
            name = name_of_item(source)
            self._fail(name, SourceError(f"{name}: on the command line, pipe the image: ... | facemood analyze -"))
        return is_data_url(source)

    def read_with(self, reading: Reading, workers: int, named: list[str]) -> None:
        """Let several processes read.

        Raises:
            SourceError: They cannot share an input.
        """
        from facemood.archive import OrderedReading
        from facemood.cli.archive_command import refuse_unshared

        refuse_unshared([*named, *self.inputs], allow_download=self.allow_download)
        self.reading = OrderedReading(replace(reading, images=self.targets.wants_images), workers)

    def check(self, *, json: bool, draws: bool) -> None:
        """Refuse options that do not fit together, and tell of one that does nothing.

        Raises:
            OptionError: People are to be numbered across videos, and an input is live.
        """
        from facemood.same_people import check_same_people

        check_same_people(self.inputs, self.video)
        if json and any(target.is_stdout for target in self.targets.all):
            raise typer.BadParameter("--json and -o - both write to stdout; choose one of them")
        if draws and not self.targets.wants_images:
            say("facemood: --draw has no effect without images or videos; write some with -o image.png or -o folder/")

    def run(self, recognizer: EmotionRecognizer, looks: dict[str, Any], *, echo: bool) -> int:
        """Read everything and write it as it comes; return the exit code. Files are finished in any case."""
        if not self.inputs:
            return CANNOT_START
        self.outputs = self._open_outputs(recognizer, looks)
        whole = False
        try:
            quiet = self.quiet or (echo and sys.stdout.isatty())  # the bar would lie among the lines
            with shown_progress(lambda: len(self.failures), quiet=quiet) as show:
                for result in self._results(recognizer, self.outputs.left, looks["layers"], show or False):
                    self._take(result, self.outputs, echo=echo)
            whole = True
        except KeyboardInterrupt:
            say(f"facemood: interrupted after {self.seen.told()}; what was read is kept")
            return INTERRUPTED
        except BrokenPipeError:
            hang_up()
        finally:
            self.outputs.close(whole=whole)
        return SOME_FAILED if self.failures else DONE

    def tell(self, *, summary: bool) -> None:
        """Show what was seen, if it is asked for, and what failed."""
        if summary and (self.seen.photos or self.seen.frames):
            self.seen.show(joined=self.video.people is not None, across=self.video.same_people)
        for name, message in ((printable(name), message) for name, message in self.failures):
            say(f"facemood: {message}" if name in message else f"facemood: {name}: {message}")

    def _open_outputs(self, recognizer: EmotionRecognizer, looks: dict[str, Any]) -> Outputs:
        """Open the files of the run, and tell what is left of it."""
        from facemood.outputs import FACES_HIDDEN, Outputs
        from facemood.plan_file import design_info
        from facemood.sinks import open_sink
        from facemood.stream import Stream

        stream = Stream(recognizer.pipeline, self.video, participants=self.plan)
        known = recognizer.info() if self.targets.all else {}  # without outputs, nothing records them
        photos = {**known, **design_info(self.plan)}
        videos = {**photos, **stream.info()}
        videos |= {"same_people": mark_of_videos(filter(self.moves, self.inputs))} if self.video.same_people else {}
        info = dict(videos if any(map(self.moves, self.inputs)) else photos)
        info |= {KEY: self.dialect} if self.dialect != PLAIN else {}
        info |= {"left_out": dict(self.left_out)} if self.left_out else {}
        shown = {key: value for key, value in looks.items() if value}
        hidden = {FACES_HIDDEN: looks["anonymize"]} if looks["anonymize"] else {}

        def settings(name: str, drawn: bool) -> dict[str, Any]:
            own = {} if self.plan is None else {"participants": self.plan.info(name)}
            return {**(videos if self.moves(name) else photos), **own, **hidden, **(shown if drawn else {})}

        outputs = Outputs(
            self.targets,
            settings,
            lambda name, names: open_sink(name, info, names=names, **looks),
            resume=self.resume,
            overwrite=self.overwrite,
        )
        for name, message in self.failures:
            outputs.fail(name, message)
        for message in outputs.messages:
            say(f"facemood: {message}")
        if self.resume:
            done = len(self.inputs) - len(outputs.left)
            say(f"facemood: {done:,} of {len(self.inputs):,} inputs are done already")
        return outputs

    def _results(
        self, recognizer: EmotionRecognizer, inputs: list[str], layers: list[str], progress: Hook | bool
    ) -> Iterator[Result]:
        """Read the inputs, with what is drawn of their faces, and note what cannot be read."""
        if self.reading is not None:
            return self.reading.results(inputs, on_error=self._fail, progress=progress)
        from facemood.sources import find_inputs
        from facemood.stream import Stream

        items = find_inputs(inputs, on_error=self._fail, allow_download=self.allow_download)
        everything: Iterable[Item] = ()
        if self.video.same_people and inputs != self.inputs:  # the others were read in an earlier run
            everything = find_inputs(self.inputs, on_error=lambda *_: None, allow_download=self.allow_download)
        plan = self.plan and self.plan.only(inputs)
        stream = Stream(
            recognizer.pipeline, self.video, self.batch, self.targets.wants_images, self._fail, participants=plan
        )
        results = stream.run(items, among=everything, progress=progress)
        if not layers:
            return results
        from facemood.ferc import with_layers

        return with_layers(recognizer, results, layers)

    def _fail(self, name: str, error: Exception) -> None:
        """Note an input that names nothing or cannot be read; the others go on."""
        self.failures.append((name, str(error)))
        if self.outputs:
            self.outputs.fail(name, str(error))

    def _take(self, result: Result, outputs: Outputs, *, echo: bool) -> None:
        """Write one result and remember it."""
        streams = any(target.is_stream for target in self.targets.all)  # whose readers may let us wait for ever
        with contextlib.nullcontext() if streams else uninterrupted():
            outputs.write(result)
        if echo:
            print_line(result.to_json())
        self.seen.add(result)
