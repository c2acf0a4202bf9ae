"""``facemood evaluate``: measure a model on one split of a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.arguments import MODEL_NAME, Prior, Views
from facemood.cli.terminal import Data, Json, Quiet, Verbose, path_of, print_json, say, show_page, start_logging
from facemood.defaults import DEFAULT_MODEL

SPLIT = "PrivateTest"
"""The split that is measured if a dataset has several and none is asked for."""

Split = Annotated[
    str | None,
    typer.Option(
        metavar="SPLIT",
        show_default="PrivateTest, or the only one",
        help="Part of the dataset to measure, or of the model's run: test.",
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Also measure each group: a column of DIR/groups.csv, which has the columns file and COLUMN.",
    ),
]


def evaluate(
    data: Data,
    model: Annotated[str, typer.Argument(help=f"{MODEL_NAME}, or an .onnx file.")] = DEFAULT_MODEL,
    split: Split = None,
    groups: Groups = None,
    end_to_end: Annotated[
        bool,
        typer.Option("--end-to-end", help="Also measure with face detection: each image is enlarged on a canvas."),
    ] = False,
    detector: Annotated[
        str, typer.Option(metavar="DETECTOR", help="Detector for --end-to-end: finder, hog or yunet:FILE.onnx.")
    ] = "finder",
    views: Views = 1,
    prior: Prior = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for report.json and report.md.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE.md", help="Write the full study to this page: all views, corruptions and figures."),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL", help="Add another model, or another seed of the recipe, to --report. May be repeated."
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure a model's accuracy, macro-F1, recall per class and calibration.

    The figures are reported on all images, and without near-duplicates of training images. A model of your own is
    measured on the images that its training kept aside.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.datasets import open_dataset
    from facemood.evaluation.evaluation_report import make_report, to_markdown, write_report
    from facemood.evaluation.groups import read_groups
    from facemood.evaluation.run_images import choose_images
    from facemood.models import find_model
    from facemood.originals import refuse_overwriting

    pages = [] if report is None else [report, report.with_suffix(".json")]
    reports = [] if output is None else [output / "report.json", output / "report.md"]
    refuse_overwriting([*pages, *reports], [model, *(also or []), path_of(data)])
    if report is not None:
        _write_study(report, [model, *(also or [])], data, split or SPLIT, quiet=quiet)
        return
    asked = detector if end_to_end else None
    dataset, split = choose_images(find_model(model), open_dataset(data), split)
    split = split or (dataset.splits[0] if len(dataset.splits) == 1 else SPLIT)
    grouped = None if groups is None else read_groups(Path(path_of(data)), dataset, groups)
    found = make_report(model, dataset, split=split, detector=asked, views=views, prior=prior, groups=grouped)
    if output is not None:
        write_report(output, found)
        if not quiet:
            say(f"wrote {output / 'report.json'} and {output / 'report.md'}")
    if json:
        print_json(found)
    elif not quiet:
        show_page(to_markdown(found))


def _write_study(page: Path, models: list[str], data: str, split: str, *, quiet: bool) -> None:
    """Write the full study of some models; the extra it needs is checked first."""
    from facemood.datasets import open_dataset
    from facemood.errors import require
    from facemood.evaluation.paper_study import make_study
    from facemood.evaluation.study_page import write_study

    require("matplotlib", extra="plot")
    dataset = open_dataset(data)
    write_study(page, make_study(models, dataset, split=split))
    if not quiet:
        say(f"wrote {page}, its numbers {page.with_suffix('.json')} and its figures in {page.with_suffix('')}")
