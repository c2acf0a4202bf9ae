"""The commands together, and what turns an error into a message and an exit code."""

from __future__ import annotations

import sys
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
from facemood.cli.terminal import CANNOT_START, INTERRUPTED, USAGE, say
from facemood.cli.train_command import train
from facemood.errors import FacemoodError, OutputConflictError, RecipeError

app: typer.Typer = typer.Typer(
    name="facemood",
    help="Read apparent facial expressions from images, videos and cameras; train, export and measure the networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("analyze")(analyze)
app.command("live")(live)
app.command("serve")(serve)
app.command("explain")(explain)
app.command("evaluate")(evaluate)
app.command("train")(train)
app.command("soft-labels")(soft_labels)
app.command("export")(export)
app.add_typer(models_command.app, name="models")
app.add_typer(learn_command.app, name="learn")
app.command("doctor")(doctor)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(facemood.__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line: facemood's own errors become one message, never a stack trace."""
    listen()
    try:
        app()
    except FacemoodError as error:
        say(f"facemood: {error}")
        sys.exit(USAGE if isinstance(error, RecipeError | OutputConflictError) else CANNOT_START)
    except SystemExit as ending:
        if ending.code == INTERRUPTED:
            sys.exit(exit_code())
        raise
