"""``facemood tune``: train a recipe with other settings, and find the best on the validation images."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.terminal import INTERRUPTED, Data, Quiet, Verbose, say, start_logging


def tune(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, such as cnn48, or a TOML file.")],
    data: Data,
    trials: Annotated[int, typer.Option(metavar="N", min=1, help="Trials, those of earlier calls included.")] = 20,
    hours: Annotated[
        float, typer.Option(metavar="H", min=0.0, show_default="no limit", help="Begin no trial after so many hours.")
    ] = math.inf,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="FOLDER", show_default="runs/RECIPE-tuning", help="Folder of the trials."),
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option(
            "--range",
            metavar="KEY=LOW..HIGH",
            show_default="learning rate, weight decay, dropout and more",
            help="Search a setting between two numbers: train.learning_rate=1e-4..1e-2. May be repeated.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe value in all trials. May be repeated."),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Search for better settings of a recipe, and write a page on what was found.

    Each trial is a training run; trials that fall behind end early. The same command goes on with a tuning that was
    stopped.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.errors import require

    require("optuna", extra="tune")  # before minutes of reading data, not after
    from facemood.train import load_recipe
    from facemood.train.data.divide import open_data
    from facemood.train.tune import read_range
    from facemood.train.tune import tune as search

    chosen = load_recipe(recipe, overrides=settings or [])
    searched = [read_range(text, chosen) for text in ranges or []]
    folder = run or Path("runs") / f"{chosen.name}-tuning"
    dataset = open_data(chosen, data)
    try:
        page = search(recipe, dataset, folder, settings=settings or [], ranges=searched, trials=trials, hours=hours)
    except KeyboardInterrupt:
        say(f"facemood: stopped; the same command goes on with the tuning in {folder}")
        raise typer.Exit(INTERRUPTED) from None
    if not quiet:
        say(f"tuned {chosen.name}; what was found: {page}")
