"""Commands that train the face networks; docs/detection.md and docs/ferc.md give their order."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from pathlib import Path

import cv2
import torch
from torch import nn

from facemood.array_files import read_arrays
from facemood.atomic import replacing
from facemood.train.data.upright import UPRIGHT_FILE
from facemood.train.faces import teach
from facemood.train.faces.export_parts import export_appearance, export_finder, export_landmarks, export_mask
from facemood.train.faces.finder_network import FinderNetwork
from facemood.train.faces.landmark_network import LandmarkNetwork
from facemood.train.faces.material import load_material
from facemood.train.faces.train_loop import Plan


def main() -> None:
    """Run the command of the arguments."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    options = _parser().parse_args()
    options.command(options)


def _parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = argparse.ArgumentParser(prog="python -m facemood.train.faces", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    finder = commands.add_parser("finder", help="train the finder")
    landmarks = commands.add_parser("landmarks", help="train the landmark network, or refine it")
    mine = commands.add_parser("mine", help="find the trained finder's false alarms")
    export = commands.add_parser("export", help="write both networks as ONNX")
    mask = commands.add_parser("mask", help="train the mask network, and write it as ONNX")
    appearance = commands.add_parser("appearance", help="train the appearance network, and write it as ONNX")
    for command, function in (
        (finder, _finder), (landmarks, _landmarks), (mine, _mine), (export, _export), (mask, _mask),
        (appearance, _appearance),
    ):  # fmt: skip
        command.set_defaults(command=function)
        command.add_argument("--run", type=Path, required=True, help="the run's folder; a started run is resumed")
    for command in (finder, landmarks, mine, mask):
        command.add_argument("--data", type=Path, required=True, help="folder with fer2013/ and scenes/")
        command.add_argument("--labels", type=Path, required=True, help="what scripts/label_faces.py wrote")
    appearance.add_argument("--data", type=Path, required=True, help="folder of FER2013")
    for command in (finder, landmarks, mask, appearance):
        command.add_argument("--steps", type=int, help="batches in all")
    landmarks.add_argument("--start", type=Path, help="network.pt of a landmark run that is refined")
    landmarks.add_argument("--hard", type=Path, help="hard.npz of a finder's run: false alarms to learn as no faces")
    mask.add_argument("--output", type=Path, help="folder for mask.onnx")
    appearance.add_argument("--output", type=Path, help="folder for appearance.onnx; needs --photos")
    appearance.add_argument("--photos", type=Path, nargs="+", default=[], help="photos of faces that it is centred on")
    export.add_argument("--refined", type=Path, required=True, help="the landmark network's run")
    export.add_argument("--output", type=Path, required=True, help="folder for finder.onnx and landmarks.onnx")
    return parser


def _finder(options: argparse.Namespace) -> None:
    """Train the finder."""
    plan = _plan(teach.FINDER, options.steps)
    network = teach.train_finder(load_material(options.data, options.labels), plan, options.run)
    _keep(network, options.run)


def _landmarks(options: argparse.Namespace) -> None:
    """Train the landmark network, or refine given weights."""
    plan = _plan(teach.REFINED if options.start else teach.LANDMARKS, options.steps)
    material = load_material(options.data, options.labels)
    network = teach.train_landmarks(material, plan, options.run, start=options.start, hard=options.hard)
    _keep(network, options.run)


def _mine(options: argparse.Namespace) -> None:
    """Find false alarms."""
    network = teach.load_weights(FinderNetwork(), options.run / teach.WEIGHTS)
    teach.store_false_alarms(options.run, network, load_material(options.data, options.labels))


def _export(options: argparse.Namespace) -> None:
    """Write both networks."""
    options.output.mkdir(parents=True, exist_ok=True)
    finder = teach.load_weights(FinderNetwork(), options.run / teach.WEIGHTS)
    landmarks = teach.load_weights(LandmarkNetwork(), options.refined / teach.WEIGHTS)
    export_finder(finder, options.output / "finder.onnx")
    export_landmarks(landmarks, options.output / "landmarks.onnx")


def _mask(options: argparse.Namespace) -> None:
    """Train the mask network, and export it if an output is given."""
    network = teach.train_mask(
        load_material(options.data, options.labels), _plan(teach.MASK, options.steps), options.run
    )
    _keep(network, options.run)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        export_mask(network, options.output / "mask.onnx")


def _appearance(options: argparse.Namespace) -> None:
    """Train the appearance network, and export it if an output is given."""
    options.run.mkdir(parents=True, exist_ok=True)
    network = teach.train_appearance(options.data, _plan(teach.APPEARANCE, options.steps), options.run)
    _keep(network, options.run)
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        points = read_arrays(options.run / UPRIGHT_FILE, needed=["points"])["points"]
        export_appearance(network, options.output / "appearance.onnx", points, options.photos)


def _plan(plan: Plan, steps: int | None) -> Plan:
    """Return a plan, optionally with another number of steps, and seed torch."""
    torch.manual_seed(plan.seed)
    return plan if steps is None else dataclasses.replace(plan, steps=steps)


def _keep(network: nn.Module, run: Path) -> None:
    """Write a trained network's weights."""
    with replacing(run / teach.WEIGHTS, "wb") as file:
        torch.save(network.state_dict(), file)


if __name__ == "__main__":
    main()
