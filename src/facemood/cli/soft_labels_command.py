"""``facemood soft-labels``: write the teachers' predictions as soft labels for knowledge distillation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.arguments import Views
from facemood.cli.terminal import Data, Quiet, Verbose, path_of, say, start_logging
from facemood.originals import refuse_overwriting


def soft_labels(
    runs: Annotated[list[Path], typer.Argument(help="Folders of the teachers' training runs.")],
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.npz", help="File of soft labels to write.")],
    views: Views = 10,
    add: Annotated[
        Path | None, typer.Option("--add", metavar="FILE.npz", help="Soft labels of earlier teachers to average in.")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write soft labels of teachers, for recipes with a [distill] section.

    The teachers are training runs of one recipe. With data.folds, each run has its own data.fold and labels the images
    that it was not trained on. Without folds, every run labels all images, and the labels are averaged. With --add, the
    soft labels of earlier teachers are averaged in; each teacher of an image counts once.
    """
    start_logging(quiet=quiet, verbose=verbose)
    refuse_overwriting([output], [path_of(data), *([add] if add else [])])
    from facemood.train.data.divide import open_data
    from facemood.train.data.soft_labels import SEEN, UNSEEN, read_soft_labels, write_soft_labels
    from facemood.train.run_folder import read_recipe
    from facemood.train.teachers import label_by_teachers

    added = read_soft_labels(str(add)) if add else None
    soft = label_by_teachers(runs, open_data(read_recipe(runs[0]), data), views=views, added=added)
    write_soft_labels(output, soft)
    if not quiet:
        kind, images = (
            (UNSEEN, "images their teacher was not trained on")
            if UNSEEN in soft.about
            else (SEEN, "images their teachers were trained on")
        )
        for head, found in soft.about[kind].items():
            say(f"{head}: {found['accuracy']:.1%} accuracy on {found['n']:,} {images}")
        say(f"wrote {output}")
