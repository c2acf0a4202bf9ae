"""``facemood evaluate``: measure a model on a dataset's split, by the stated protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.terminal import Data, Json, Quiet, Verbose, Views, print_json, say, show_page, start_logging


def evaluate(
    data: Data,
    model: Annotated[str, typer.Argument(help="A model's name, or an .onnx file.")] = "baseline",
    split: Annotated[str, typer.Option(help="Which images are measured.")] = "PrivateTest",
    end_to_end: Annotated[
        bool,
        typer.Option("--end-to-end", help="Also read the images enlarged on a canvas, through detector and framing."),
    ] = False,
    detector: Annotated[
        str, typer.Option(help="The detector for --end-to-end: finder, hog, or yunet:FILE.onnx.")
    ] = "finder",
    views: Views = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for report.json and report.md.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Measure a model: accuracy, macro-F1, recall of each class and calibration, raw and de-duplicated."""
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.datasets import open_dataset
    from facemood.evaluation import report

    asked = detector if end_to_end else None
    found = report.make_report(model, open_dataset(data), split=split, detector=asked, views=views)
    if output is not None:
        report.write_report(output, found)
        if not quiet:
            say(f"wrote {output / 'report.json'} and {output / 'report.md'}")
    if json:
        print_json(found)
    elif not quiet:
        show_page(report.to_markdown(found))
