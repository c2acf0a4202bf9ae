"""``facemood analyze``: analyze images and videos, and write tables, JSON, images, videos and reports."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facemood.cli.arguments import (
    AllowDownload,
    Anonymize,
    Baseline,
    CsvDialect,
    Detector,
    Device,
    Draw,
    Head,
    MaxFaces,
    MinFace,
    Model,
    Orientation,
    ParticipantsOption,
    Precision,
    Prior,
    Smooth,
    Threads,
    Threshold,
    Views,
)
from facemood.cli.signals import uninterrupted
from facemood.cli.terminal import (
    CANNOT_START,
    DONE,
    INTERRUPTED,
    SOME_FAILED,
    Json,
    Quiet,
    Verbose,
    hang_up,
    print_line,
    say,
    start_logging,
)
from facemood.cli.times import parse_every, parse_period, parse_segment
from facemood.csv_dialect import KEY, PLAIN
from facemood.defaults import DEFAULT_DETECTOR, DEFAULT_MODEL, DEFAULT_PRECISION, MIN_FACE, SMOOTH
from facemood.filenames import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from facemood.archive import OrderedReading, Reading
    from facemood.outputs import Outputs
    from facemood.recognizer import EmotionRecognizer
    from facemood.results import Result
    from facemood.tracking.video_options import VideoOptions

ENDINGS = (
    ".csv, .parquet, .xlsx, .sav, .dta, .jsonl, .json, .mp4, .html, .summary.csv, .episodes.csv, .eaf, .TextGrid, "
    ".srt, .vtt, _events.tsv, codebook.md, codebook.csv, .png, .jpg"
)
"""Suffixes of files that can be written, for the help."""


Sources = Annotated[
    list[str] | None,
    typer.Argument(help="Images, videos, folders, patterns such as 'photos/**/*.jpg', or - for stdin."),
]
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help=f"File to write, by its suffix: {ENDINGS}; or a folder of annotated images; or - for stdout. With "
        "{name} or {path} in it, one per input. May be repeated.",
    ),
]
Every = Annotated[
    str | None,
    typer.Option(
        "--every",
        metavar="N|SECONDS|auto",
        help="Frames of videos to analyze: 5 is every 5th frame, 0.5s one every half second. With auto, frames that "
        "look like the last one that was read repeat its faces.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue the outputs of an earlier run; finished inputs are not analyzed again."),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="In folders, also replace files that no earlier run wrote. Inputs are never overwritten.",
    ),
]
Batch = Annotated[
    int,
    typer.Option("--batch", metavar="N", min=1, help="Images whose faces go through the network together."),
]

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Processes that read. A folder that is the only output becomes an archive: parts of it are done when "
        "their files are there, and a repeated run reads only what is new or changed.",
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Read one of N shares of the inputs into an archive, such as 3/40."),
]
OnOption = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="ENGINE",
        help="Read into an archive with Ray or Dask: ray, ray://HOST:PORT, dask or dask://HOST:PORT.",
    ),
]
Gpus = Annotated[
    float,
    typer.Option("--gpus-per-worker", metavar="N", min=0, help="GPUs of each worker of Ray or Dask, such as 0.5."),
]
FromList = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="File of names, one a line; or a .csv with a column of paths, whose other columns an archive carries.",
    ),
]
PathColumn = Annotated[
    str | None, typer.Option("--column", metavar="NAME", help="Column of paths in the .csv of --from.")
]
Pictures = Annotated[bool, typer.Option("--pictures", help="Write drawn images into an archive, too.")]
Segment = Annotated[
    str | None,
    typer.Option(
        "--segment",
        metavar="TIME",
        help="Cut long videos after each 10m, say: tracking begins anew there, so that several processes can read one. "
        "People keep their numbers.",
    ),
]
Retry = Annotated[bool, typer.Option("--retry", help="Read inputs of an archive again that failed before.")]


def analyze(
    sources: Sources = None,
    output: Output = None,
    draw: Draw = None,
    json: Json = False,
    every: Every = None,
    smooth: Smooth = SMOOTH,
    baseline: Baseline = None,
    segment: Segment = None,
    participants: ParticipantsOption = None,
    anonymize: Anonymize = "",
    resume: Resume = False,
    overwrite: Overwrite = False,
    model: Model = DEFAULT_MODEL,
    head: Head = None,
    detector: Detector = DEFAULT_DETECTOR,
    min_face: MinFace = MIN_FACE,
    threshold: Threshold = None,
    max_faces: MaxFaces = None,
    views: Views = 1,
    prior: Prior = None,
    orientation: Orientation = "auto",
    device: Device = "auto",
    threads: Threads = None,
    precision: Precision = DEFAULT_PRECISION,
    batch: Batch = 8,
    csv_dialect: CsvDialect = PLAIN,
    allow_download: AllowDownload = False,
    workers: Workers = None,
    shard: ShardOption = None,
    on: OnOption = None,
    gpus_per_worker: Gpus = 0.0,
    from_list: FromList = None,
    column: PathColumn = None,
    pictures: Pictures = False,
    retry: Retry = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Predict the expressions in images and videos.

    Prints a table on stderr. With --json, prints one line of JSON per image or frame on stdout instead.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.loading import open_recognizer
    from facemood.tracking.video_options import VideoOptions

    video = VideoOptions(parse_every(every), smooth, parse_period(baseline), segment=parse_segment(segment))
    options: dict[str, Any] = {
        "head": head, "detector": detector, "min_face": min_face, "threshold": threshold, "max_faces": max_faces,
        "views": views, "prior": prior, "orientation": orientation, "device": device, "threads": threads,
        "precision": precision,
    }  # fmt: skip
    named, carried = _named(sources, from_list, column)
    looks: dict[str, Any] = {"layers": draw or [], "anonymize": anonymize}
    if gpus_per_worker and not on:
        raise typer.BadParameter("--gpus-per-worker is for --on ray or --on dask://HOST:PORT")
    if participants and (workers or shard or on or segment):
        one = "--segment" if segment else "--workers, --shard or --on"
        raise typer.BadParameter(f"--participants does not go with {one}; read the study in one process, uncut")
    if workers or shard or on:
        from facemood.archive import EngineChoice, Reading
        from facemood.cli.archive_command import into_archive, is_archive, open_job

        reading = Reading(model, options, video, batch, allow_download, pictures, tuple(draw or ()))
        if shard or on or is_archive(output or []):
            engine = EngineChoice.parse(on, workers, gpus_per_worker) if on else None
            job = open_job(reading, output or [], json=json, overwrite=overwrite)
            looks_there = looks if pictures else None
            job = replace(job, workers=workers, retry=retry, carried=carried, looks=looks_there, make_engine=engine)
            raise typer.Exit(into_archive(job, named, shard, quiet=quiet))
    _refuse_archive_options(pictures or retry, output or [], carried)
    run = _Job(video, named, output or [], participants, batch=batch, allow_download=allow_download)
    run.bar, run.dialect = not quiet and sys.stderr.isatty(), csv_dialect
    run.resume, run.overwrite = resume, overwrite
    if workers:
        run.read_with(reading, workers, named)
    run.check(json=json, draws=bool(draw))
    code = run.run(open_recognizer(model, **options), looks, echo=json)
    run.tell(summary=not (json or quiet))
    if code:
        raise typer.Exit(code)


def _refuse_archive_options(asked: bool, outputs: list[str], carried: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse what only archives have, and tell of columns that are not carried."""
    from facemood.sources.remote import is_remote

    if any(map(is_remote, outputs)):
        raise typer.BadParameter(
            "only archives are written into an object store (--workers N -o s3://BUCKET/FOLDER/); facemood archive "
            "collect makes tables of them"
        )
    if asked:
        raise typer.BadParameter("--pictures and --retry are for archives; add --workers N and -o FOLDER/")
    if any(carried.values()):
        say("facemood: the other columns of the list are only carried into an archive (--workers N -o FOLDER/)")


def _named(
    sources: list[str] | None, from_list: str | None, column: str | None
) -> tuple[list[str], Mapping[str, Mapping[str, str]]]:
    """Return what the user named, and the values that a list carries."""
    if from_list is None:
        if not sources:
            raise typer.BadParameter("expected images, videos or folders, or a file of names with --from")
        return sources, {}
    from facemood.sources import read_input_list

    listed = read_input_list(from_list, column=column)
    return [*(sources or []), *listed.names], listed.carried


class _Job:
    """One run of the command: inputs, outputs, summary and failures."""

    def __init__(
        self,
        video: VideoOptions,
        sources: list[str],
        patterns: list[str],
        participants: str | None,
        *,
        batch: int,
        allow_download: bool,
    ) -> None:
        from facemood.cli.run_summary import RunSummary
        from facemood.outputs import OutputTargets
        from facemood.sources import find_inputs
        from facemood.stream import moves, plan_for
        from facemood.text import count

        self.video, self.batch, self.bar = video, batch, False
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
        read_too = [participants] if participants else []
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
        """Refuse options that do not fit together, and tell of one that does nothing."""
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
            for result in self._results(recognizer, self.outputs.left, looks["layers"]):
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
            self.seen.show()
        for name, message in ((printable(name), message) for name, message in self.failures):
            say(f"facemood: {message}" if name in message else f"facemood: {name}: {message}")

    def _open_outputs(self, recognizer: EmotionRecognizer, looks: dict[str, Any]) -> Outputs:
        """Open the files of the run, and tell what is left of it."""
        from facemood.outputs import Outputs
        from facemood.sinks import open_sink
        from facemood.stream import Stream, design_info

        stream = Stream(recognizer.pipeline, self.video, participants=self.plan)
        known = recognizer.info() if self.targets.all else {}  # without outputs, nothing records them
        photos = {**known, **design_info(self.plan)}
        videos = {**photos, **stream.info()}
        info = dict(videos if any(map(self.moves, self.inputs)) else photos)
        info |= {KEY: self.dialect} if self.dialect != PLAIN else {}
        info |= {"left_out": dict(self.left_out)} if self.left_out else {}
        shown = {key: value for key, value in looks.items() if value}

        def settings(name: str, drawn: bool) -> dict[str, Any]:
            own = {} if self.plan is None else {"participants": self.plan.info(name)}
            return {**(videos if self.moves(name) else photos), **own, **(shown if drawn else {})}

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

    def _results(self, recognizer: EmotionRecognizer, inputs: list[str], layers: list[str]) -> Iterator[Result]:
        """Read the inputs, with what is drawn of their faces, and note what cannot be read."""
        if self.reading is not None:
            return self.reading.results(inputs, on_error=self._fail, progress=self.bar)
        results = recognizer.stream(
            inputs,
            every=self.video.every,
            smooth=self.video.smooth,
            baseline=self.video.baseline,
            segment=self.video.segment,
            participants=self.plan and self.plan.only(inputs),
            batch=self.batch,
            progress=self.bar,
            keep_images=self.targets.wants_images,
            on_error=self._fail,
            allow_download=self.allow_download,
        )
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
