"""``facemood train``: run a recipe."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.terminal import INTERRUPTED, Data, Quiet, Verbose, say, start_logging


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, such as baseline, or a TOML file.")],
    data: Data,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Change a value: train.epochs=20. May be repeated.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The run's folder; runs/RECIPE where it is not given.")
    ] = None,
    resume: Annotated[Path | None, typer.Option("--resume", help="Go on with the run in this folder.")] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a network by a recipe. A run that was stopped goes on with --resume from its last whole epoch."""
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.errors import require

    for module in ("torch", "lightning"):
        require(module, extra="train")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    from facemood.datasets import open_dataset
    from facemood.train import fit, load_recipe

    chosen = load_recipe(recipe, overrides=settings or [])
    folder = resume or run or Path("runs") / chosen.name
    bar = not quiet and sys.stderr.isatty()
    try:
        fit(chosen, open_dataset(data), folder, resume=resume is not None, progress=bar)
    except KeyboardInterrupt:
        say(f"facemood: stopped; go on from the last whole epoch with the same command and --resume {folder}")
        raise typer.Exit(INTERRUPTED) from None
    if not quiet:
        say(f"trained; make a model of it with: facemood export {folder} --data {data} -o {chosen.name}.onnx")
