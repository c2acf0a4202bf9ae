"""``facemood soft-labels``: let teachers label the images that a student learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.arguments import Views
from facemood.cli.terminal import Data, Quiet, Verbose, path_of, say, start_logging
from facemood.originals import refuse_overwriting


def soft_labels(
    runs: Annotated[list[Path], typer.Argument(help="The folders of the teachers' runs.")],
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The .npz file to write.")],
    views: Views = 10,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the file of soft labels that a recipe with [distill] learns from.

    The teachers are runs of one recipe with data.folds, each with another data.fold: they label what they left out. Or
    they are runs without folds, which label everything together.
    """
    start_logging(quiet=quiet, verbose=verbose)
    refuse_overwriting([output], [path_of(data)])
    from facemood.train.data.divide import open_data
    from facemood.train.data.soft_labels import write_soft_labels
    from facemood.train.fit import read_recipe
    from facemood.train.teachers import SEEN, UNSEEN, label_by_teachers

    soft = label_by_teachers(runs, open_data(read_recipe(runs[0]), data), views=views)
    write_soft_labels(output, soft)
    if not quiet:
        kind, known = (
            (UNSEEN, "unseen by their teacher") if UNSEEN in soft.about else (SEEN, "that their teachers know")
        )
        for head, found in soft.about[kind].items():
            say(f"{head}: {found['accuracy']:.1%} right on {found['n']:,} images {known}")
        say(f"wrote {output}")
