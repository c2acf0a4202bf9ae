"""``facemood analyze``: read images, and write tables, JSON and pictures."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.terminal import (
    CANNOT_START,
    DONE,
    INTERRUPTED,
    SOME_FAILED,
    Json,
    Prior,
    Quiet,
    Verbose,
    Views,
    say,
    shorten,
    start_logging,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facemood.recognizer import EmotionRecognizer
    from facemood.results import Result
    from facemood.sinks import Sink

SHOWN_ROWS = 40
"""Rows of the table on the terminal; the rest is counted."""


def parse_layers(names: list[str] | None) -> list[str] | None:
    """Check what `--draw` names, before anything is loaded; commas and repetition do the same."""
    if not names:
        return None
    from facemood.errors import OutputError
    from facemood.render import check_layers

    try:
        return list(check_layers(",".join(names)))
    except OutputError as error:
        raise typer.BadParameter(str(error)) from error


def analyze(
    sources: Annotated[list[str], typer.Argument(help="Images, folders, or patterns such as 'photos/**/*.jpg'.")],
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output", "-o", help="Where to write: .csv, .jsonl, .json, .png, .jpg, or a folder of pictures."
        ),
    ] = None,
    draw: Annotated[
        list[str] | None,
        typer.Option(callback=parse_layers, help="What pictures show on the faces as well: points, mesh, pose."),
    ] = None,
    json: Json = False,
    model: Annotated[str, typer.Option(help="A model's name, or an .onnx file.")] = "baseline",
    head: Annotated[
        str | None, typer.Option(help="Which of the model's heads to read, such as fer2013 or ferplus.")
    ] = None,
    detector: Annotated[str, typer.Option(help="finder, hog, or yunet:FILE.onnx.")] = "finder",
    min_face: Annotated[float, typer.Option(min=1, help="Smallest face in pixels; larger is faster.")] = 24.0,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Smallest detector score; by default the detector's own.")
    ] = None,
    max_faces: Annotated[int | None, typer.Option(min=1, help="How many faces of an image at most.")] = None,
    views: Views = 1,
    prior: Prior = "dataset",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the network.")] = None,
    batch: Annotated[int, typer.Option(min=1, help="Images whose faces are read together.")] = 8,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Read the expressions in images.

    Prints a table for people on stderr, or with --json a line of JSON for each image on stdout.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.recognizer import EmotionRecognizer

    recognizer = EmotionRecognizer(
        model, head=head, detector=detector, min_face=min_face, threshold=threshold, max_faces=max_faces,
        views=views, prior=prior, device=device, threads=threads,
    )  # fmt: skip
    job = _Job(recognizer, sources, batch=batch, bar=not quiet and sys.stderr.isatty())
    code = job.run(output or [], draw or [], echo=json)
    if job.images and not (json or quiet):
        job.show_table()
    for name, message in job.failures:
        say(f"facemood: {message}" if name in message else f"facemood: {name}: {message}")
    if code:
        raise typer.Exit(code)


class _Job:
    """One run of the command: what it reads, what it has seen, what failed."""

    def __init__(self, recognizer: EmotionRecognizer, sources: list[str], *, batch: int, bar: bool) -> None:
        from facemood.sources import find_inputs

        self.recognizer, self.batch, self.bar = recognizer, batch, bar
        self.failures: list[tuple[str, str]] = []
        self.inputs = list(find_inputs(sources, on_error=self._fail))
        self.rows: list[list[str]] = []
        self.images = self.faces = self.unshown = 0

    def run(self, outputs: list[str], layers: list[str], *, echo: bool) -> int:
        """Read everything and write it as it comes; return the exit code. Sinks are finished in any case."""
        from facemood.sinks import open_sink

        if not self.inputs:
            return CANNOT_START
        with contextlib.ExitStack() as stack:
            sinks: list[Sink] = []
            for path in outputs:
                sinks.append(open_sink(path, self.recognizer.info(), layers=layers))
                stack.callback(sinks[-1].close)
            drawing = any(sink.wants_images for sink in sinks)
            if layers and not drawing:
                say("facemood: --draw shows on pictures alone; write some with -o picture.png or -o folder/")
            try:
                for result in self._results(drawing):
                    self._take(result, sinks, echo=echo)
            except KeyboardInterrupt:
                say(f"facemood: interrupted after {self.images} of {len(self.inputs)} images; what was read is kept")
                return INTERRUPTED
        return SOME_FAILED if self.failures else DONE

    def show_table(self) -> None:
        """Print what was read, for people."""
        from rich.console import Console
        from rich.table import Column, Table

        widest = max((len(row[0]) for row in self.rows), default=0)
        image = Column("image", min_width=widest)  # the end of a name tells pictures apart, so it is never cut
        table = Table(image, "face", "expression", "sure", "then", box=None, header_style="bold")
        for row in self.rows:
            table.add_row(*row)
        console = Console(stderr=True)
        if self.rows:
            console.print(table)
        if self.unshown:
            console.print(f"… and {self.unshown} more; write all with -o table.csv")
        console.print(f"{_count(self.images, 'image')}, {_count(self.faces, 'face')}", style="dim", highlight=False)

    def _results(self, keep_images: bool) -> Iterator[Result]:
        """Read the images, and note what cannot be read."""
        return self.recognizer.stream(
            self.inputs,
            batch=self.batch,
            progress=self.bar,
            keep_images=keep_images,
            on_error=self._fail,
        )

    def _fail(self, name: str, error: Exception) -> None:
        """Note an input that names nothing or cannot be read; the others go on."""
        self.failures.append((name, str(error)))

    def _take(self, result: Result, sinks: list[Sink], *, echo: bool) -> None:
        """Hand one result to the sinks and remember its rows for the table."""
        for sink in sinks:
            sink.write(result)
        if echo:
            print(result.to_json(), flush=True)  # noqa: T201 - stdout carries data
        self.images += 1
        self.faces += len(result)
        rows = _table_rows(result)
        room = SHOWN_ROWS - len(self.rows)
        self.rows += rows[:room]
        self.unshown += len(rows[room:])


def _count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it wants one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _table_rows(result: Result) -> list[list[str]]:
    """Return a result's lines of the table: one a face, or one that says there is none."""
    from facemood.render.draw import name_of, percent

    name = shorten(result.source)
    if not result.faces:
        return [[name, "-", "no face found", "", ""]]
    rows = []
    for number, face in enumerate(result.faces):
        then = "  ".join(f"{label} {percent(probability)}" for label, probability in face.top(3)[1:])
        rows.append([name if number == 0 else "", str(number), name_of(face), percent(face.confidence), then])
    return rows
