"""Export the folder of a run as a model file."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.datasets.splits import find_split
from facemood.errors import ModelError
from facemood.models.card import ModelCard, write_card
from facemood.models.session import ModelSession
from facemood.stages.detect import Detector
from facemood.train.average import load_average
from facemood.train.data.divide import prepare
from facemood.train.export.describe import describe
from facemood.train.export.fit_calibration import calibrate
from facemood.train.export.measure import add_framings, measure
from facemood.train.export.write_onnx import write_onnx
from facemood.train.run_folder import read_recipe


def export(
    runs: Path | Sequence[Path],
    dataset: ExpressionDataset,
    file: Path,
    *,
    detectors: tuple[Detector, ...] = (),
    half: bool = True,
    start_share: float = 0.0,
    name: str = "",
    version: str = "1",
) -> ModelCard:
    """Write a run's network, or the weight average of several runs, as ONNX with a complete card.

    Calibration is fitted on the validation split, the framing is measured on training images, and the figures are
    measured with the written file.

    Args:
        runs: The folder of a training run; or several that started from the same model (`average`), whose card has the
            name of the first.
        dataset: The dataset that they were trained on.
        file: The ONNX file to write; it is renamed into place when its card is complete.
        detectors: Detectors for which the framing is measured.
        half: Store the weights in half precision: half the size, still computed in single precision.
        start_share: Share 0..1 of the weights that the run started from (`load_blend`).
        name: The model's name; empty for the recipe's.
        version: The version of its weights.

    Raises:
        RecipeError: A folder has no run, or the runs did not start from the same model.
        OutputError: The file cannot be written. This is raised before the work begins.
    """
    runs = [runs] if isinstance(runs, Path) else runs
    training, validation = prepare(read_recipe(runs[0]), dataset)
    module, facts = load_average(runs, training, start_share=start_share)
    described = describe(facts)
    card = dataclasses.replace(described, name=name or described.name, version=version)
    with replacing(file, "wb") as whole, tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / file.name
        card = add_framings(card, training.images, detectors)  # first, because it may fail
        write_onnx(module.network, draft, card, half=half)
        card = calibrate(draft, training, validation)
        card = dataclasses.replace(card, metrics={**measure(draft, dataset, validation), **card.metrics})
        write_card(draft, card)
        whole.write(draft.read_bytes())
    return card


def reframe(model: Path, dataset: ExpressionDataset, file: Path, *, detectors: tuple[Detector, ...]) -> ModelCard:
    """Write a model again, with the crop framing of more detectors in its card; the weights stay the same.

    Args:
        model: The ONNX file of a model.
        dataset: The dataset that it was trained on.
        file: The ONNX file to write; it may be the same.
        detectors: Detectors for which the framing is measured; the framing of others stays.

    Raises:
        ModelError: The file is not a model, or its card does not name its training split.
        OutputError: The file cannot be written.
    """
    card = ModelSession(model, device="cpu").card
    trained = card.trained_on.get("split")
    if not isinstance(trained, str):
        raise ModelError(
            f"{model}: the card's trained_on names no split, so there are no images to measure a framing on"
        )
    split = find_split(dataset, trained) or trained
    tiles = dataset.split(split).images
    weights = model.read_bytes()
    with replacing(file, "wb") as whole, tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / file.name
        draft.write_bytes(weights)
        card = add_framings(card, tiles, detectors)
        write_card(draft, card)
        whole.write(draft.read_bytes())
    return card
