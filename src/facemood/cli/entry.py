"""All commands in one application; errors become a message and an exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import pairwise
from typing import Annotated

import typer

import facemood
from facemood.cli.examples import epilog
from facemood.cli.quick_start import QuickCommand, QuickGroup
from facemood.cli.signals import exit_code, listen
from facemood.cli.terminal import CANNOT_START, INTERRUPTED, USAGE, say, use_utf8
from facemood.errors import FacemoodError, OptionError, OutputConflictError, RecipeError

BOXES = 80
"""Columns of a terminal from which the help is drawn in boxes; in narrower ones little room is left for the text."""

COMMANDS = (
    "analyze",
    "live",
    "serve",
    "web",
    "review",
    "explain",
    "evaluate",
    "train",
    "tune",
    "soft-labels",
    "export",
    "doctor",
)
"""The commands, in the order of the help. The function ``NAME`` is in ``cli/NAME_command.py``."""

GROUPS = ("archive", "models", "learn")
"""Commands that have commands of their own. The application ``app`` is in ``cli/NAME_command.py``."""


LIGHT = ("analyze", "live", "serve")
"""Commands that multiply no large matrices in NumPy. Threads for it would take CPU time when NumPy is imported."""


def build_app(names: Iterable[str] = (*COMMANDS, *GROUPS)) -> typer.Typer:
    """Return the application with some of its commands, whose modules are imported.

    Args:
        names: Some of `COMMANDS` and `GROUPS`.
    """
    markdown = shutil.get_terminal_size().columns >= BOXES
    app = typer.Typer(
        name="facemood",
        cls=QuickGroup,
        help="Recognize apparent facial expressions in images, videos and cameras. "
        "Train, export and measure the networks.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown" if markdown else None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(common)
    for name in names:
        function = name.replace("-", "_")
        module = import_module(f"facemood.cli.{function}_command")
        if name in GROUPS:
            for inner in module.app.registered_commands:
                inner.epilog = epilog(f"{name} {inner.name}", markdown=markdown)
            app.add_typer(module.app, name=name, epilog=epilog(name, markdown=markdown))
            continue
        command = getattr(module, function)
        # The whole first paragraph: of a docstring, narrow terminals would list half a sentence.
        short = (command.__doc__ or "").partition("\n\n")[0]
        below = epilog(name, markdown=markdown)
        app.command(name, short_help=short, epilog=below, cls=QuickCommand)(command)
    return app


def show_version(asked: bool) -> None:
    """Print the version and exit."""
    if asked:
        typer.echo(facemood.__version__)
        raise typer.Exit


def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before a command."""


def check_given(arguments: Sequence[str]) -> None:
    """Refuse a value that is empty, as that of a variable that is not set: as a path, it would mean this folder.

    Args:
        arguments: The words after ``facemood``. Inputs of ``analyze`` are told one by one, and the others are read.

    Raises:
        OptionError: A value is empty.
    """
    words = [part for word in arguments for part in (word.split("=", 1) if word.startswith("--") else [word])]
    for before, word in pairwise(("", *words)):
        if word == "" and before.startswith("-") and before.strip("-"):
            raise OptionError(f"the value of {before} is empty; give one, or leave {before} out")
        if word == "" and words[0] != "analyze":
            raise OptionError("an argument is empty; leave it out, or write '.' for this folder")


def run() -> None:
    """Run the command line. An error of facemood becomes one message without a stack trace.

    Only the command that is named first is built: building all takes as long as importing Typer.
    """
    listen()
    use_utf8()
    if set(sys.argv[1:2]) & set(LIGHT):
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy is not imported yet
    named = [name for name in sys.argv[1:2] if name in (*COMMANDS, *GROUPS)]
    try:
        check_given(sys.argv[1:])
        build_app(named or [*COMMANDS, *GROUPS])()
    except FacemoodError as error:
        say(f"facemood: {error}")
        sys.exit(USAGE if isinstance(error, OptionError | OutputConflictError | RecipeError) else CANNOT_START)
    except SystemExit as ending:
        if ending.code == INTERRUPTED:
            sys.exit(exit_code())
        raise
