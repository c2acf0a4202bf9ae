"""``facemood live``: analyze a camera, the screen or a network stream live, with or without a window."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.arguments import (
    Anonymize,
    Baseline,
    Detector,
    Draw,
    Expression,
    Head,
    Language,
    LiveOrientation,
    MaxFaces,
    MinFace,
    Model,
    Precision,
    Prior,
    Smooth,
    Threads,
    Valence,
    Views,
)
from facemood.cli.on_change import ChangeReaction
from facemood.cli.terminal import INTERRUPTED, SOME_FAILED, Json, Quiet, Verbose, print_line, say, start_logging
from facemood.cli.times import parse_period
from facemood.defaults import DEFAULT_DETECTOR, DEFAULT_MODEL, DEFAULT_PRECISION, MIN_FACE, SMOOTH
from facemood.errors import FacemoodError
from facemood.languages import ENGLISH, Say, speaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from facemood.results import Result


Source = Annotated[
    str, typer.Argument(help="camera:0, screen, screen:2, screen:X,Y,WIDTH,HEIGHT, or an rtsp:// or http:// address.")
]
OnChange = Annotated[
    str | None,
    typer.Option(
        "--on-change",
        metavar="COMMAND|ADDRESS",
        help="Run a command when the expression of a person changes, with the change as JSON on its stdin, and as "
        "FACEMOOD_PERSON, FACEMOOD_EXPRESSION and others; or send the JSON to a WebSocket (ws://HOST) or to a topic of "
        "an MQTT broker (mqtt://HOST/TOPIC).",
    ),
]
Mirror = Annotated[
    bool | None,
    typer.Option(
        "--mirror/--no-mirror",
        show_default="cameras only",
        help="Mirror the image in the window. Recordings are not mirrored.",
    ),
]


def live(
    source: Source = "camera:0",
    record: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Record a video without boxes and a table into this folder."),
    ] = None,
    window: Annotated[bool, typer.Option("--window/--no-window", help="Open a window.")] = True,
    on_change: OnChange = None,
    json: Json = False,
    mirror: Mirror = None,
    anonymize: Anonymize = "",
    draw: Draw = None,
    language: Language = ENGLISH,
    smooth: Smooth = SMOOTH,
    baseline: Baseline = None,
    valence: Valence = False,
    expression: Expression = None,
    model: Model = DEFAULT_MODEL,
    head: Head = None,
    detector: Detector = DEFAULT_DETECTOR,
    min_face: MinFace = MIN_FACE,
    max_faces: MaxFaces = None,
    views: Views = 1,
    prior: Prior = None,
    orientation: LiveOrientation = "0",
    threads: Threads = None,
    precision: Precision = DEFAULT_PRECISION,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Analyze a camera, a screen or a network stream live.

    Keys in the window: Enter, q or Esc closes it, space pauses, s saves a snapshot, r records.

    Nothing is stored unless you record or save it, and nothing leaves this machine.

    With --json, one line of JSON per frame is printed on stdout.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.derived import read_expressions
    from facemood.ferc import with_layers
    from facemood.loading import open_recognizer
    from facemood.sources.live import check_live
    from facemood.tracking.video_options import VideoOptions
    from facemood.window import LiveOptions, run_headless, run_window

    reaction = None if on_change is None else ChangeReaction(on_change)
    check_live(source)
    video = VideoOptions(smooth=smooth, baseline=parse_period(baseline))
    recognizer = open_recognizer(
        model, head=head, detector=detector, min_face=min_face, max_faces=max_faces,
        views=views, prior=prior, orientation=orientation, threads=threads, precision=precision,
        valence=valence, expressions=read_expressions(expression or []),
    )  # fmt: skip
    options = LiveOptions(
        mirror=source.startswith("camera") if mirror is None else mirror, layers=tuple(draw or ()), language=language,
        anonymize=anonymize, folder=record or Path(), record=record is not None,
    )  # fmt: skip
    listener = _Listener(speaker(language), json=json, describe=not (window or json or quiet), react=reaction)
    needs_images = window or record is not None
    results = recognizer.stream(source, smooth=video.smooth, baseline=video.baseline, keep_images=needs_images)
    results = with_layers(recognizer, results, options.layers)
    info = {**recognizer.info(), **video.info()}
    with _exit_codes(listener), reaction or contextlib.nullcontext():
        if window:
            run_window(results, info, options, name=source, on_result=listener)
        else:
            run_headless(results, info, options, on_result=listener)


class _Listener:
    """Called with each result: counts it and prints it if that was requested.

    Args:
        say: Returns the word for a label.
        json: Print each result as JSON on stdout.
        describe: Print the faces on stderr whenever a label changes.
        react: Also called with each result.
    """

    def __init__(self, say: Say, *, json: bool, describe: bool, react: Callable[[Result], None] | None = None) -> None:
        self.say, self.json, self.describe, self.react, self.count = say, json, describe, react, 0
        self.labels: list[str] | None = None

    def __call__(self, result: Result) -> None:
        """Print one result."""
        self.count += 1
        if self.react is not None:
            self.react(result)
        if self.json:
            print_line(result.to_json())
        labels = [face.reported[0] for face in result.faces]
        if self.describe and labels != self.labels:
            say(f"{result.timestamp or 0:7.1f} s  {_describe(result, self.say)}")
        self.labels = labels


@contextlib.contextmanager
def _exit_codes(listener: _Listener) -> Iterator[None]:
    """Turn an interruption or error into an exit code. An error before the first result means: cannot start."""
    try:
        yield
    except KeyboardInterrupt:
        say(f"facemood: stopped after {listener.count} frames; the recording is kept")
        raise typer.Exit(INTERRUPTED) from None
    except FacemoodError as error:
        if not listener.count:
            raise
        say(f"facemood: {error}")
        raise typer.Exit(SOME_FAILED) from None


def _describe(result: Result, say: Say) -> str:
    """Return a result's faces as one line of text, the largest first."""
    from facemood.render.draw import words_of

    numbers = ["" if face.track_id is None else f"{face.track_id}: " for face in result.faces]
    faces = [f"{number}{words_of(face, say)}" for number, face in zip(numbers, result.faces, strict=True)]
    return "   ".join(faces) or "no face"
