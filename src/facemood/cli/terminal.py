"""What the commands share: exit codes, options, and how they talk. Data goes to stdout, words to stderr."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

DONE, SOME_FAILED, USAGE, CANNOT_START, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done; some inputs failed and the rest is written; wrong usage; cannot start; interrupted."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Data = Annotated[
    str,
    typer.Option(
        "--data", help="A dataset: a path, or with its kind: fer2013, ferplus, folder, photos, affectnet, rafdb:DIR."
    ),
]


def _known_views(views: int) -> int:
    """Refuse a number of views that there is not."""
    from facemood.models import check_views

    try:
        return check_views(views)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Views = Annotated[
    int,
    typer.Option(
        "--views", callback=_known_views, help="Times that each face is read: 1, 2 or 10; slower, more accurate."
    ),
]


def _known_prior(prior: str) -> str:
    """Refuse a prior that there is not; whether the model has the figures for it is said when it is loaded."""
    from facemood.stages.classify import PRIORS

    if prior not in PRIORS:
        raise typer.BadParameter(f"expected {' or '.join(PRIORS)}, but got {prior!r}")
    return prior


Prior = Annotated[
    str,
    typer.Option(
        "--prior", callback=_known_prior, help="dataset; or balanced, which finds rare expressions more often."
    ),
]


Smooth = Annotated[
    float | None,
    typer.Option("--smooth", min=0, help="Seconds over which readings in films are smoothed; 0 for not at all."),
]
Baseline = Annotated[
    str | None,
    typer.Option("--baseline", help="When people are at rest, such as 0:00-0:10; changes are against that."),
]


def _known_layers(names: list[str] | None) -> list[str] | None:
    """Check what `--draw` names, before anything is loaded; commas and repetition do the same."""
    if not names:
        return None
    from facemood.errors import OutputError
    from facemood.render import check_layers

    try:
        return list(check_layers(",".join(names)))
    except OutputError as error:
        raise typer.BadParameter(str(error)) from error


Draw = Annotated[
    list[str] | None,
    typer.Option("--draw", callback=_known_layers, help="What is drawn on the faces as well: points, mesh, pose, map."),
]


def _known_way(how: str) -> str:
    """Check what `--anonymize` names, before anything is loaded."""
    from facemood.errors import OutputError
    from facemood.render import check_way

    try:
        return check_way(how)
    except OutputError as error:
        raise typer.BadParameter(str(error)) from error


Anonymize = Annotated[
    str,
    typer.Option("--anonymize", callback=_known_way, help="Hide the faces that are found in all pictures: blur, box."),
]


class _Handler(logging.Handler):
    """Writes what the library logs to stderr, a line each."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        say(record.getMessage())


def start_logging(*, quiet: bool = False, verbose: bool = False) -> None:
    """Let the library's messages reach stderr: warnings, with `verbose` everything, with `quiet` errors alone."""
    logger = logging.getLogger("facemood")
    logger.setLevel(logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING)
    logger.propagate = False
    logger.handlers = [_Handler()]


def quieten_exporters() -> None:
    """Let the packages that train and export speak of errors alone; call it once they are imported.

    They advertise, and note each package that they would know of and is not here.
    """
    for name in ("lightning.pytorch", "torch.onnx", "onnx_ir", "onnxscript"):
        logging.getLogger(name).setLevel(logging.ERROR)


def say(text: str) -> None:
    """Write words for people to stderr."""
    print(text, file=sys.stderr)  # noqa: T201 - this is the command line's mouth


def show_page(markdown: str) -> None:
    """Show a Markdown page to people on stderr."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console(stderr=True).print(Markdown(markdown))


def print_json(value: Any) -> None:
    """Write data to stdout as JSON."""
    print(json.dumps(value, ensure_ascii=False, indent=1))  # noqa: T201 - stdout carries data


def shorten(path: str, *, width: int = 28) -> str:
    """Return a path's last parts, so that it fits a table's column.

    Example:
        >>> shorten("photos/2024/a/very/long/way/to/a/picture/of/us.jpg", width=24)
        '…/to/a/picture/of/us.jpg'
    """
    parts = list(Path(path).parts)
    while len(parts) > 1 and len("…/" + "/".join(parts)) > width:
        parts.pop(0)
    short = "/".join(parts).replace("//", "/")
    return path if len(path) <= width else f"…/{short}"
