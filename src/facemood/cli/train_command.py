"""``facemood train``: train by a recipe, then export the model and write a report."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.terminal import INTERRUPTED, Data, Quiet, Verbose, quieten_exporters, say, show_table, start_logging

if TYPE_CHECKING:
    from facemood.datasets import ExpressionDataset
    from facemood.train import Recipe

MODEL = "model.onnx"
"""File of the exported model in a run's folder."""


def list_all(wanted: bool) -> None:
    """Show the recipes of the package and end, if that is wanted."""
    if not wanted:
        return
    from facemood.train import list_recipes, load_recipe

    show_table(("recipe", "description"), ((name, load_recipe(name).description) for name in list_recipes()))
    raise typer.Exit


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, such as default, or a TOML file.")],
    data: Data,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a recipe value: train.epochs=20. May be repeated."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", metavar="FOLDER", show_default="runs/RECIPE", help="Folder of the run."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="FOLDER", help="Continue the run in this folder.")
    ] = None,
    no_pretrained: Annotated[
        bool, typer.Option("--no-pretrained", help="Start timm backbones from random weights, not published ones.")
    ] = False,
    devices: Annotated[int, typer.Option(metavar="N", min=1, help="Devices or processes per machine to train on.")] = 1,
    nodes: Annotated[int, typer.Option(metavar="N", min=1, help="Machines to train on.")] = 1,
    features: Annotated[
        Path | None,
        typer.Option(
            "--features",
            metavar="FOLDER",
            show_default="RUN/features",
            help="Folder of cached features (train.cached_versions), which several runs may share.",
        ),
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard logs.")] = False,
    explain: Annotated[
        int,
        typer.Option("--explain", metavar="N", min=0, help="Explain the N worst mistakes with LIME in the report."),
    ] = 0,
    listed: Annotated[
        bool, typer.Option("--list", callback=list_all, is_eager=True, help="List the recipes of the package and exit.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a network by a recipe, and write a model and a report.

    A stopped run continues from its last complete epoch with --resume.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if explain:
        from facemood.errors import require

        require("lime", extra="explain")  # before hours of training, not after
    from facemood.train import Hardware, fit, load_recipe
    from facemood.train.data.divide import open_data
    from facemood.train.data.soft_labels import find_soft_labels
    from facemood.train.trainer import leads

    quieten_exporters()

    chosen = load_recipe(
        recipe, overrides=[*(settings or []), *(["network.pretrained=false"] if no_pretrained else [])]
    )
    if chosen.distill.labels:
        find_soft_labels(chosen.distill.labels)  # before minutes of reading data, not after
    folder = resume or run or Path("runs") / chosen.name
    dataset = open_data(chosen, data)
    bar = not quiet and sys.stderr.isatty()
    hardware = Hardware(devices=devices, nodes=nodes, tensorboard=tensorboard)
    try:
        fit(chosen, dataset, folder, resume=resume is not None, progress=bar, hardware=hardware, features=features)
    except KeyboardInterrupt:
        say(f"facemood: stopped; continue from the last complete epoch with the same command and --resume {folder}")
        raise typer.Exit(INTERRUPTED) from None
    if leads():
        _finish(chosen, dataset, folder, mistakes=explain, quiet=quiet)


def _finish(recipe: Recipe, dataset: ExpressionDataset, run: Path, *, mistakes: int, quiet: bool) -> None:
    """Export the model and write the report; if the finder detects no faces, the model has no crop framing."""
    from facemood.errors import DatasetError
    from facemood.stages.detect import DetectOptions, open_detector
    from facemood.train.export import export
    from facemood.train.run_report import write_report

    model = run / MODEL
    try:
        export(run, dataset, model, detectors=(open_detector("finder", DetectOptions()),))
    except DatasetError as error:
        logging.getLogger("facemood").warning("%s", error)
        export(run, dataset, model)
    page = write_report(run, dataset, model, mistakes=mistakes)
    if not quiet:
        say(f"trained {recipe.name}; report: {page}; use the model with: facemood analyze PHOTO --model {model}")
