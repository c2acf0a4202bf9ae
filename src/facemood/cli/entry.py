"""All commands in one application; errors become a message and an exit code."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from typing import Annotated

import typer

import facemood
from facemood.cli import learn_command, models_command
from facemood.cli.analyze_command import analyze
from facemood.cli.doctor_command import doctor
from facemood.cli.evaluate_command import evaluate
from facemood.cli.explain_command import explain
from facemood.cli.export_command import export
from facemood.cli.live_command import live
from facemood.cli.serve_command import serve
from facemood.cli.signals import exit_code, listen
from facemood.cli.soft_labels_command import soft_labels
from facemood.cli.terminal import CANNOT_START, INTERRUPTED, USAGE, say, use_utf8
from facemood.cli.train_command import train
from facemood.errors import FacemoodError, OptionError, OutputConflictError, RecipeError

BOXES = 80
"""Columns of a terminal from which the help is drawn in boxes; in narrower ones little room is left for the text."""

app: typer.Typer = typer.Typer(
    name="facemood",
    help="Recognize apparent facial expressions in images, videos and cameras. Train, export and measure the networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown" if shutil.get_terminal_size().columns >= BOXES else None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
COMMANDS: dict[str, Callable[..., None]] = {
    "analyze": analyze,
    "live": live,
    "serve": serve,
    "explain": explain,
    "evaluate": evaluate,
    "train": train,
    "soft-labels": soft_labels,
    "export": export,
    "doctor": doctor,
}
"""Each command by its name, in the order of the help."""

for _name, _command in COMMANDS.items():
    # The whole first paragraph: of a docstring, narrow terminals would list half a sentence.
    app.command(_name, short_help=(_command.__doc__ or "").partition("\n\n")[0])(_command)
app.add_typer(models_command.app, name="models")
app.add_typer(learn_command.app, name="learn")


def show_version(asked: bool) -> None:
    """Print the version and exit."""
    if asked:
        typer.echo(facemood.__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before a command."""


def main() -> None:
    """Run the command line. An error of facemood becomes one message without a stack trace."""
    listen()
    use_utf8()
    try:
        app()
    except FacemoodError as error:
        say(f"facemood: {error}")
        sys.exit(USAGE if isinstance(error, OptionError | OutputConflictError | RecipeError) else CANNOT_START)
    except SystemExit as ending:
        if ending.code == INTERRUPTED:
            sys.exit(exit_code())
        raise
