"""``facemood soft-labels``: let cross-fitted teachers label the images that they never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.terminal import Data, Quiet, Verbose, say, start_logging


def soft_labels(
    runs: Annotated[list[Path], typer.Argument(help="The folders of the teachers' runs, one for each fold.")],
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The .npz file to write.")],
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the file of soft labels that a recipe with [distill] learns from.

    The teachers are runs of one recipe with data.folds, each with another data.fold.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.train.cross_fit import label_out_of_fold
    from facemood.train.data.divide import open_data
    from facemood.train.data.soft_labels import write_soft_labels
    from facemood.train.fit import read_recipe

    soft = label_out_of_fold(runs, open_data(read_recipe(runs[0]), data))
    write_soft_labels(output, soft)
    if not quiet:
        for head, found in soft.about["out_of_fold_accuracy"].items():
            say(f"{head}: {found['accuracy']:.1%} right on {found['n']:,} images unseen by their teacher")
        say(f"wrote {output}")
