"""``facemood live``: read a camera, the screen or a network stream as it goes, in a window or without one."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.arguments import (
    DETECTOR,
    MIN_FACE,
    MODEL,
    Anonymize,
    Baseline,
    Detector,
    Draw,
    Head,
    MaxFaces,
    MinFace,
    Model,
    Prior,
    Smooth,
    Threads,
    Views,
)
from facemood.cli.terminal import INTERRUPTED, SOME_FAILED, Json, Quiet, Verbose, print_line, say, start_logging
from facemood.cli.times import parse_period
from facemood.errors import FacemoodError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facemood.results import Result


def live(
    source: Annotated[
        str,
        typer.Argument(help="camera:0, screen, screen:2, screen:X,Y,WIDTH,HEIGHT, or an address: rtsp://, http://."),
    ] = "camera:0",
    record: Annotated[
        Path | None, typer.Option(help="Record from the start into this folder: a video without boxes, and a table.")
    ] = None,
    window: Annotated[bool, typer.Option("--window/--no-window", help="Show a window, or read without one.")] = True,
    json: Json = False,
    mirror: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror", help="Show it as a mirror does; by default cameras alone. Recordings never."
        ),
    ] = None,
    anonymize: Anonymize = "",
    draw: Draw = None,
    smooth: Smooth = None,
    baseline: Baseline = None,
    model: Model = MODEL,
    head: Head = None,
    detector: Detector = DETECTOR,
    min_face: MinFace = MIN_FACE,
    max_faces: MaxFaces = None,
    views: Views = 1,
    prior: Prior = "dataset",
    threads: Threads = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Read the expressions that a camera, a screen or a network stream shows.

    In the window Enter, q or Esc closes, space pauses, s saves a snapshot, r records.

    Nothing is stored unless you ask for it, and nothing leaves this machine.

    With --json a line of JSON for each frame goes to stdout.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.ferc import with_layers
    from facemood.loading import open_recognizer
    from facemood.sources.live import check_live
    from facemood.tracking.scene import SMOOTH, VideoOptions
    from facemood.window import LiveOptions, run_headless, run_window

    check_live(source)
    video = VideoOptions(smooth=SMOOTH if smooth is None else smooth, baseline=parse_period(baseline))
    recognizer = open_recognizer(
        model, head=head, detector=detector, min_face=min_face, max_faces=max_faces,
        views=views, prior=prior, threads=threads,
    )  # fmt: skip
    options = LiveOptions(
        mirror=source.startswith("camera") if mirror is None else mirror, layers=tuple(draw or ()),
        anonymize=anonymize, folder=record or Path(), record=record is not None,
    )  # fmt: skip
    listener = _Listener(json=json, tell=not (window or json or quiet))
    keeping = window or record is not None
    results = recognizer.stream(source, smooth=video.smooth, baseline=video.baseline, keep_images=keeping)
    results = with_layers(recognizer, results, options.layers)
    info = {**recognizer.info(), **video.info()}
    with _ending(listener):
        if window:
            run_window(results, info, options, name=source, on_result=listener)
        else:
            run_headless(results, info, options, on_result=listener)


class _Listener:
    """Hears each result, counts it, and prints it where that is asked for.

    Args:
        json: Whether each result is printed as JSON on stdout.
        tell: Whether people are told on stderr, whenever the words for the faces change.
    """

    def __init__(self, *, json: bool, tell: bool) -> None:
        self.json, self.tell, self.count = json, tell, 0
        self.words: list[str] | None = None

    def __call__(self, result: Result) -> None:
        """Print one result."""
        self.count += 1
        if self.json:
            print_line(result.to_json())
        words = [face.reported[0] for face in result.faces]
        if self.tell and words != self.words:
            say(f"{result.timestamp or 0:7.1f} s  {_describe(result)}")
        self.words = words


@contextlib.contextmanager
def _ending(listener: _Listener) -> Iterator[None]:
    """Turn what ends the reading into an exit code; before the first result, an error means that it cannot start."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"facemood: stopped after {listener.count} frames; what was recorded is kept")
        raise typer.Exit(INTERRUPTED) from None
    except FacemoodError as error:
        if not listener.count:
            raise
        say(f"facemood: {error}")
        raise typer.Exit(SOME_FAILED) from None


def _describe(result: Result) -> str:
    """Return a result's faces in words, the largest first."""
    from facemood.render.draw import words_of

    numbers = ["" if face.track_id is None else f"{face.track_id}: " for face in result.faces]
    words = [f"{number}{words_of(face)}" for number, face in zip(numbers, result.faces, strict=True)]
    return "   ".join(words) or "no face"
