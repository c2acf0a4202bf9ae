"""What the commands share: exit codes, and how they talk. Data goes to stdout, words to stderr."""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

DONE, SOME_FAILED, USAGE, CANNOT_START, INTERRUPTED = 0, 1, 2, 3, 130
"""Exit codes: done; some inputs failed and the rest is written; wrong usage; cannot start; interrupted."""

PIPE_CLOSED = 141
"""Exit code where nobody reads stdout any more, as of a process that SIGPIPE ended."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Data = Annotated[
    str,
    typer.Option(
        "--data", help="A dataset: a path, or with its kind: fer2013, ferplus, folder, photos, affectnet, rafdb:DIR."
    ),
]


def path_of(data: str) -> str:
    """Return the path that `--data` names.

    Example:
        >>> path_of("folder:photos"), path_of("fer2013")
        ('photos', 'fer2013')
    """
    kind, _, path = data.partition(":")
    return path or kind


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
    print_line(json.dumps(value, ensure_ascii=False, indent=1))


def print_line(text: str) -> None:
    """Write a line of data to stdout at once; where nobody reads on, such as after ``| head``, end without a word."""
    try:
        print(text, flush=True)  # noqa: T201 - stdout carries data
    except BrokenPipeError:
        hang_up()


def hang_up() -> NoReturn:
    """End because nobody reads stdout any more; what Python holds back of it goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    raise typer.Exit(PIPE_CLOSED)


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
