"""Shared by the commands: exit codes and output. Data goes to stdout, messages to stderr."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from facemood.filenames import printable

DONE = 0
"""Exit code: everything was done."""

SOME_FAILED = 1
"""Exit code: some inputs failed, and the rest is written."""

USAGE = 2
"""Exit code: wrong usage; nothing was analyzed. It is also that of Typer."""

CANNOT_START = 3
"""Exit code: the command cannot start, or a file cannot be written."""

INTERRUPTED = 130
"""Exit code: ended by Ctrl-C; as in shells, 128 plus the number of SIGINT."""

PIPE_CLOSED = 141
"""Exit code: the reader of stdout has gone; as in shells, 128 plus the number of SIGPIPE."""

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more messages.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Data = Annotated[
    str,
    typer.Option(
        "--data",
        metavar="PATH|KIND:PATH",
        help="Dataset, optionally with its kind: fer2013, ferplus, folder, photos, affectnet or rafdb.",
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
    """Writes the library's log messages to stderr, one per line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        say(record.getMessage())


def use_utf8() -> None:
    """Write UTF-8 to stdout and stderr in every locale; what it cannot encode is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def start_logging(*, quiet: bool = False, verbose: bool = False) -> None:
    """Send the library's log messages to stderr: warnings by default, all if `verbose`, only errors if `quiet`."""
    logger = logging.getLogger("facemood")
    logger.setLevel(logging.ERROR if quiet else logging.INFO if verbose else logging.WARNING)
    logger.propagate = False
    logger.handlers = [_Handler()]


def quieten_exporters() -> None:
    """Let the packages for training and export log only errors; call it after they are imported.

    Otherwise they advertise, and log each optional package that is missing.
    """
    for name in ("lightning.pytorch", "torch.onnx", "onnx_ir", "onnxscript"):
        logging.getLogger(name).setLevel(logging.ERROR)


def say(text: str) -> None:
    """Print a message on stderr; control characters of names in it are written out."""
    print(printable(text, lines=True), file=sys.stderr)  # noqa: T201 - the command line's one place for messages


def show_page(markdown: str) -> None:
    """Show a Markdown page on stderr."""
    from rich.console import Console
    from rich.markdown import Markdown

    Console(stderr=True).print(Markdown(markdown))


def show_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Show a table of text on stderr, in the width of the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headers, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text(printable(cell, lines=True)) for cell in row))
    Console(stderr=True).print(table)


def print_json(value: Any) -> None:
    """Print data as JSON on stdout."""
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
    """Shorten a path to its last parts, at most `width` characters if the file name fits.

    Example:
        >>> shorten("photos/2024/a/very/long/way/to/a/picture/of/us.jpg", width=24)
        '…/to/a/picture/of/us.jpg'
    """
    parts = list(Path(path).parts)
    while len(parts) > 1 and len("…/" + "/".join(parts)) > width:
        parts.pop(0)
    short = "/".join(parts).replace("//", "/")
    return path if len(path) <= width else f"…/{short}"
