"""``facemood export``: make a model of training runs, or measure a model's crop framing for another detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.terminal import Data, Quiet, Verbose, path_of, quieten_exporters, say, show_page, start_logging
from facemood.originals import refuse_overwriting


def export(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="The folder of a training run; several that started from one model, for the mean of their weights; "
            "or an .onnx model whose crop framing is measured anew.",
        ),
    ],
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The .onnx file to write.")],
    detector: Annotated[
        list[str] | None,
        typer.Option(help="Detectors whose crop framing is measured: finder, hog, yunet:FILE.onnx. May be repeated."),
    ] = None,
    no_framing: Annotated[bool, typer.Option("--no-framing", help="Measure no crop framing.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Export a run as ONNX, fit its temperature, measure crop framing and accuracy, and write its card.

    Of several runs that started from one model, the mean of their weights becomes one network, which mostly reads
    better than each. Given a model instead of a run, only the framing is measured, and goes into its card.
    """
    start_logging(quiet=quiet, verbose=verbose)
    refuse_overwriting([output], [path_of(data)])
    from facemood.datasets import open_dataset
    from facemood.models.card_markdown import card_page
    from facemood.stages.detect import DetectOptions, open_detector
    from facemood.train.data.divide import open_data
    from facemood.train.export import export as write_model
    from facemood.train.export import reframe
    from facemood.train.fit import read_recipe

    quieten_exporters()
    wanted = [] if no_framing else detector or ["finder"]
    detectors = tuple(open_detector(name, DetectOptions()) for name in wanted)
    if [run.suffix for run in runs] == [".onnx"]:
        card = reframe(runs[0], open_dataset(data), output, detectors=detectors)
    else:
        card = write_model(runs, open_data(read_recipe(runs[0]), data), output, detectors=detectors)
    if not quiet:
        show_page(card_page(card))
        say(f"wrote {output}")
