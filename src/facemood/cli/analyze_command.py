"""``facemood analyze``: read images and videos, and write tables, JSON, pictures, videos and reports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from facemood.cli.arguments import (
    DETECTOR,
    MIN_FACE,
    MODEL,
    Anonymize,
    Baseline,
    Detector,
    Device,
    Draw,
    Head,
    MaxFaces,
    MinFace,
    Model,
    Prior,
    Smooth,
    Threads,
    Threshold,
    Views,
)
from facemood.cli.terminal import CANNOT_START, DONE, INTERRUPTED, SOME_FAILED, Json, Quiet, Verbose, say, start_logging
from facemood.cli.times import parse_every, parse_period

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facemood.cli.outputs import Outputs
    from facemood.recognizer import EmotionRecognizer
    from facemood.results import Result
    from facemood.sinks import Sink
    from facemood.tracking.scene import VideoOptions

ENDINGS = ".csv, .parquet, .jsonl, .json, .mp4, .html, .episodes.csv, codebook.md, codebook.csv, .png, .jpg"


def analyze(
    sources: Annotated[
        list[str], typer.Argument(help="Images, videos, folders, or patterns such as 'photos/**/*.jpg'.")
    ],
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            help=f"Where to write: {ENDINGS}, or a folder of pictures. With {{name}} in it, one for each input.",
        ),
    ] = None,
    draw: Draw = None,
    json: Json = False,
    every: Annotated[
        str | None, typer.Option(help="Of videos, read each 5th frame with 5, or one every half second with 0.5s.")
    ] = None,
    smooth: Smooth = None,
    baseline: Baseline = None,
    anonymize: Anonymize = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Pass over inputs whose own files ({name}) are there already.")
    ] = False,
    model: Model = MODEL,
    head: Head = None,
    detector: Detector = DETECTOR,
    min_face: MinFace = MIN_FACE,
    threshold: Threshold = None,
    max_faces: MaxFaces = None,
    views: Views = 1,
    prior: Prior = "dataset",
    device: Device = "auto",
    threads: Threads = None,
    batch: Annotated[int, typer.Option(min=1, help="Images whose faces are read together.")] = 8,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Read the expressions in images and videos.

    Prints a table for people on stderr, or with --json a line of JSON for each image or frame on stdout.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.loading import open_recognizer
    from facemood.tracking.scene import SMOOTH, VideoOptions

    video = VideoOptions(
        every=parse_every(every), smooth=SMOOTH if smooth is None else smooth, baseline=parse_period(baseline)
    )
    recognizer = open_recognizer(
        model, head=head, detector=detector, min_face=min_face, threshold=threshold, max_faces=max_faces,
        views=views, prior=prior, device=device, threads=threads,
    )  # fmt: skip
    patterns, layers = output or [], draw or []
    job = _Job(recognizer, video, sources, batch=batch, bar=not quiet and sys.stderr.isatty())
    if resume:
        job.pass_over(patterns)
    code = job.run(patterns, {"layers": layers, "anonymize": anonymize}, echo=json)
    if (job.seen.photos or job.seen.frames) and not (json or quiet):
        job.seen.show()
    for name, message in job.failures:
        say(f"facemood: {message}" if name in message else f"facemood: {name}: {message}")
    if code:
        raise typer.Exit(code)


class _Job:
    """One run of the command: what it reads, what it has seen, what failed."""

    def __init__(
        self, recognizer: EmotionRecognizer, video: VideoOptions, sources: list[str], *, batch: int, bar: bool
    ) -> None:
        from facemood.cli.run_summary import RunSummary
        from facemood.sources import find_inputs

        self.recognizer, self.video, self.batch, self.bar = recognizer, video, batch, bar
        self.failures: list[tuple[str, str]] = []
        self.outputs: Outputs | None = None
        self.inputs = [str(item) for item in find_inputs(sources, on_error=self._fail)]
        self.seen, self.done = RunSummary(), False

    def pass_over(self, patterns: list[str]) -> None:
        """Leave out what an earlier run has finished."""
        from facemood.cli.outputs import NAME, left_to_read

        if not any(NAME in pattern for pattern in patterns):
            raise typer.BadParameter(f"--resume needs files of each input's own: -o 'tables/{NAME}.csv'")
        left = left_to_read(patterns, self.inputs)
        say(f"facemood: {len(self.inputs) - len(left)} of {len(self.inputs)} inputs are done already")
        self.done = bool(self.inputs) and not left
        self.inputs = left

    def run(self, patterns: list[str], looks: dict[str, Any], *, echo: bool) -> int:
        """Read everything and write it as it comes; return the exit code. Files are finished in any case."""
        from facemood.cli.outputs import Outputs
        from facemood.sinks import sink_kind

        if not self.inputs:
            return DONE if self.done else CANNOT_START
        drawing = any(sink_kind(pattern).wants_images for pattern in patterns)
        if looks["layers"] and not drawing:
            say("facemood: --draw shows on pictures alone; write some with -o picture.png or -o folder/")
        outputs = self.outputs = Outputs(patterns, self.inputs, lambda name: self._open(name, looks))
        whole = False
        try:
            for result in self._results(drawing, looks["layers"]):
                self._take(result, outputs, echo=echo)
            whole = True
        except KeyboardInterrupt:
            say(f"facemood: interrupted after {self.seen.told()}; what was read is kept")
            return INTERRUPTED
        finally:
            outputs.close(whole=whole)
        return SOME_FAILED if self.failures else DONE

    @property
    def info(self) -> dict[str, Any]:
        """What makes the results."""
        from facemood.stream import moves

        return {**self.recognizer.info(), **(self.video.info() if any(map(moves, self.inputs)) else {})}

    def _open(self, name: str, looks: dict[str, Any]) -> Sink:
        """Open the writer for a name."""
        from facemood.sinks import open_sink

        return open_sink(name, self.info, **looks)

    def _results(self, keep_images: bool, layers: list[str]) -> Iterator[Result]:
        """Read the inputs, with what is drawn of their faces, and note what cannot be read."""
        from facemood.ferc import with_layers

        results = self.recognizer.stream(
            self.inputs,
            every=self.video.every,
            smooth=self.video.smooth,
            baseline=self.video.baseline,
            batch=self.batch,
            progress=self.bar,
            keep_images=keep_images,
            on_error=self._fail,
        )
        return with_layers(self.recognizer, results, layers)

    def _fail(self, name: str, error: Exception) -> None:
        """Note an input that names nothing or cannot be read; the others go on."""
        self.failures.append((name, str(error)))
        if self.outputs:
            self.outputs.fail(name)

    def _take(self, result: Result, outputs: Outputs, *, echo: bool) -> None:
        """Write one result and remember it."""
        outputs.write(result)
        if echo:
            print(result.to_json(), flush=True)  # noqa: T201 - stdout carries data
        self.seen.add(result)
