"""``facemood export``: turn training runs into a model, or measure a model's crop framing for another detector."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.arguments import Precision
from facemood.cli.terminal import Data, Quiet, Verbose, path_of, quieten_exporters, say, show_page, start_logging
from facemood.defaults import DEFAULT_PRECISION, FP32
from facemood.originals import refuse_overwriting


def export(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN",
            help="Folders of training runs, or one .onnx model whose crop framing is measured again.",
        ),
    ],
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.onnx", help="Model file to write.")],
    detector: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DETECTOR",
            show_default="finder",
            help="Measure crop framing for: finder, hog or yunet:FILE.onnx. May be repeated.",
        ),
    ] = None,
    start_share: Annotated[
        float,
        typer.Option(
            metavar="SHARE", min=0, max=1, help="Share of the weights that the run started from; 0.5 is their mean."
        ),
    ] = 0.0,
    name: Annotated[str, typer.Option(metavar="NAME", help="The model's name; the recipe's unless given.")] = "",
    version: Annotated[
        str, typer.Option("--model-version", metavar="VERSION", help="The version of the weights.")
    ] = "1",
    precision: Precision = DEFAULT_PRECISION,
    no_framing: Annotated[bool, typer.Option("--no-framing", help="Do not measure crop framing.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Export a training run as an ONNX model with a card.

    The export fits the temperature and measures accuracy and crop framing. Several runs that started from one model
    become one network with the mean of their weights, which is usually more accurate than each. --start-share does the
    same with one run and the model that it started from. For an .onnx model,
    only the crop framing is measured and written to its card. With --precision int8, an .onnx model is written again
    so that it computes with 8-bit integers, with figures of its own.
    """
    start_logging(quiet=quiet, verbose=verbose)
    refuse_overwriting([output], [path_of(data)])
    from facemood.datasets import open_dataset
    from facemood.models.card_markdown import card_page
    from facemood.stages.detect import DetectOptions, open_detector
    from facemood.train.data.divide import open_data
    from facemood.train.export import export as write_model
    from facemood.train.export import quantize, reframe
    from facemood.train.run_folder import read_recipe

    quieten_exporters()
    wanted = [] if no_framing else detector or ["finder"]
    detectors = tuple(open_detector(name, DetectOptions()) for name in wanted)
    if precision != FP32:
        card = quantize(_only_model(runs), open_dataset(data), output)
    elif [run.suffix for run in runs] == [".onnx"]:
        card = reframe(runs[0], open_dataset(data), output, detectors=detectors)
    else:
        images = open_data(read_recipe(runs[0]), data)
        card = write_model(
            runs, images, output, detectors=detectors, start_share=start_share, name=name, version=version
        )
    if not quiet:
        show_page(card_page(card))
        say(f"wrote {output}")


def _only_model(runs: list[Path]) -> Path:
    """Return the one model that is quantized."""
    if [run.suffix for run in runs] != [".onnx"]:
        raise typer.BadParameter("--precision int8 needs one .onnx model; export the run first")
    return runs[0]
