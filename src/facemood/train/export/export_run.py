"""Export: from the folder of a run to a model file, step by step."""

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
from facemood.train.fit import read_recipe


def export(
    runs: Path | Sequence[Path],
    dataset: ExpressionDataset,
    file: Path,
    *,
    detectors: tuple[Detector, ...] = (),
    half: bool = True,
) -> ModelCard:
    """Write a run's network, or the mean of several runs' networks, as ONNX with a complete card.

    What is fitted after training is fitted on the validation split, the framing is measured on training images, and the
    figures are measured through the written file.

    Args:
        runs: The folder of a training run; or those of several that started from the same model (`average`), the first
            of which gives the card its name.
        dataset: What they were trained on.
        file: The ONNX file to write; it is renamed into place when its card is complete.
        detectors: Detectors for which the framing is measured.
        half: Store the weights in half precision: half the size, computed in single precision as ever.

    Raises:
        RecipeError: A folder holds no run, or the runs did not start from the same model.
        OutputError: The file cannot be written to; this is said before the work begins.
    """
    runs = [runs] if isinstance(runs, Path) else runs
    training, validation = prepare(read_recipe(runs[0]), dataset)
    module, facts = load_average(runs, training)
    card = describe(facts)
    with replacing(file, "wb") as whole, tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / file.name
        card = add_framings(card, training.images, detectors)  # the one that may fail, so it comes first
        write_onnx(module.network, draft, card, half=half)
        card = calibrate(draft, training, validation)
        card = dataclasses.replace(card, metrics={**measure(draft, dataset, validation), **card.metrics})
        write_card(draft, card)
        whole.write(draft.read_bytes())
    return card


def reframe(model: Path, dataset: ExpressionDataset, file: Path, *, detectors: tuple[Detector, ...]) -> ModelCard:
    """Write a model again, with the crop framing of more detectors in its card; the weights stay as they are.

    Args:
        model: The ONNX file of a model.
        dataset: What it was trained on.
        file: The ONNX file to write; it may be the same.
        detectors: Detectors for which the framing is measured; what is known of others stays.

    Raises:
        ModelError: The file is no model, or its card does not say on which split it was trained.
        OutputError: The file cannot be written to.
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
