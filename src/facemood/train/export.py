"""Turn a training run into a model: ONNX, temperature, crop framing, measured figures, and a card that tells them."""

from __future__ import annotations

import dataclasses
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset, Images
from facemood.datasets.splits import find_split
from facemood.errors import ModelError
from facemood.evaluation import evaluate
from facemood.evaluation.calibration import balance_curve, fit_balance, fit_certain, fit_temperature
from facemood.evaluation.framing import measure_framing
from facemood.evaluation.protocol import match_head, run_all, targets
from facemood.labels import EXPRESSIONS
from facemood.models.activation import FEATURES, weights_of
from facemood.models.card import ModelCard, write_card
from facemood.models.session import ModelSession
from facemood.stages.classify import calibrate as probabilities
from facemood.stages.detect import Detector
from facemood.train.average import load_average
from facemood.train.data.divide import prepare
from facemood.train.data.targets import VOTE_HEAD
from facemood.train.fit import read_recipe
from facemood.train.networks.se_resnet import ExpressionNetwork
from facemood.train.onnx_file import save_onnx

logger = logging.getLogger("facemood")

FRAMING_TILES = 2000
"""Training tiles on which the framing is measured."""

LIMITS = (
    "It reads apparent expression from a still picture, not what a person feels or thinks.",
    "Faces turned far from the camera, covered or smaller than 30 pixels are read poorly.",
)

FER2013_LIMITS = (
    "FER2013's labels come from web searches and are often wrong; people agree with them about 65% of the time.",
    "Disgust and contempt are rare in the training data, and are often missed.",
    "The training faces came from web searches; ages, skin tones and cultures are not balanced and not recorded, "
    "so accuracy for a group is unknown.",
    "FER2013's pictures were collected from the web for research, and their rights were never cleared: the weights are "
    "ours to license, the pictures are not.",
)

OWN_LIMITS = ("Whom the training images show, and who labelled them, is known to the one who trained it.",)


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
        card = add_framings(card, _sample(training.images), detectors)  # the one that may fail, so it comes first
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
    tiles = _sample(dataset.split(split).images)
    weights = model.read_bytes()
    with replacing(file, "wb") as whole, tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / file.name
        draft.write_bytes(weights)
        card = add_framings(card, tiles, detectors)
        write_card(draft, card)
        whole.write(draft.read_bytes())
    return card


def add_framings(card: ModelCard, tiles: NDArray[np.uint8], detectors: tuple[Detector, ...]) -> ModelCard:
    """Measure the crop framing for detectors, and return the card that tells it."""
    framings = {detector.name: measure_framing(detector, tiles) for detector in detectors}
    measured = {name: dataclasses.asdict(framing) for name, framing in framings.items()}
    return dataclasses.replace(
        card,
        framing={**card.framing, **{name: framing.crop for name, framing in framings.items()}},
        metrics={**card.metrics, "framing": {**card.metrics.get("framing", {}), **measured}},
    )


def write_onnx(network: nn.Module, file: Path, card: ModelCard, *, half: bool = False) -> None:
    """Export a network for batches of any size, with an output for each head.

    Our own networks also give what `models.activation` needs.

    Args:
        network: Maps (N, C, h, w) float images to the logits of each head, as `build_network` makes it.
        file: The ONNX file.
        card: Goes into the file's metadata.
        half: Store the weights in half precision.
    """
    (width, height), channels = card.input_size, len(card.mean)
    batch = torch.export.Dim("batch", min=1, max=4096)
    example = torch.zeros(2, channels, height, width)
    names = tuple(card.heads)
    more: tuple[str, ...] = ()
    ordered: nn.Module = _Ordered(network, names)
    if isinstance(network, ExpressionNetwork):
        ordered, more = _WithFeatures(network, names), (FEATURES, *(weights_of(head) for head in names))
    save_onnx(ordered, file, card, example=example, free={0: batch}, more=more, half=half)


def describe(facts: dict[str, Any]) -> ModelCard:
    """Write the card of an exported run, as far as the run's own facts go."""
    recipe, side = facts["recipe"], facts.get("input_size", 48)
    own, *others = facts["heads"]
    heads = {own: tuple(facts["classes"]), **dict.fromkeys(others, EXPRESSIONS)}
    colour = recipe.get("input", {}).get("colour", "grey")
    channels = 1 if colour == "grey" else 3
    return ModelCard(
        name=recipe["name"],
        description=recipe["description"],
        heads=heads,
        default_head=VOTE_HEAD if VOTE_HEAD in heads else own,
        input_size=(side, side),
        colour=colour,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        trained_on={
            "dataset": facts["dataset"],
            **facts["trained_on"],
            "epochs": facts["epochs_done"],
            "recipe": recipe,
            **({"averaged_with": facts["averaged_with"]} if "averaged_with" in facts else {}),
        },
        limits=_limits(facts["dataset"], start=recipe["network"].get("start", "")),
    )


def _limits(dataset: str, *, start: str) -> tuple[str, ...]:
    """Return the sentences that say what a model cannot do, by what it learned from."""
    known = dataset in ("fer2013", "ferplus")
    return (*LIMITS, *(FER2013_LIMITS if known or start else ()), *(() if known else OWN_LIMITS))


def calibrate(file: Path, training: ExpressionDataset, validation: ExpressionDataset) -> ModelCard:
    """Fit what follows training: each head's temperature, the confidence of certain readings, and the balance.

    Args:
        file: The model; its card is written anew.
        training: The images that it trained on; they say how common each label is.
        validation: The images on which everything else is fitted.

    Returns:
        The card.
    """
    session = ModelSession(file, device="cpu")
    logits = run_all(session, validation.images)
    card = dataclasses.replace(session.card, prior=_priors(session.card, training))
    for _, target, rows in targets(validation):
        head = match_head(card, target)
        if head is not None:
            card = _fit_head(card, head, logits[head][rows], target.labels)
    write_card(file, card)
    return card


def _priors(card: ModelCard, training: ExpressionDataset) -> dict[str, tuple[float, ...]]:
    """Return how common each label of each head is, 0..1; a label that was never seen counts as seen once."""
    found = {}
    for _, target, _ in targets(training):
        head = match_head(card, target)
        if head is not None:
            counts = np.maximum(np.bincount(target.labels, minlength=len(card.heads[head])), 1)
            found[head] = tuple(np.maximum(np.round(counts / counts.sum(), 5), 1e-5).tolist())
    return found


def _fit_head(card: ModelCard, head: str, logits: NDArray[np.float32], labels: NDArray[np.int64]) -> ModelCard:
    """Fit temperature, certainty and balance of one head, in that order."""
    card = dataclasses.replace(card, temperature={**card.temperature, head: fit_temperature(logits, labels)})
    certain = fit_certain(probabilities(card, head, logits), labels)
    balance = fit_balance(balance_curve(card, head, logits, labels))
    return dataclasses.replace(card, certain={**card.certain, head: certain}, balance={**card.balance, head: balance})


def measure(file: Path, dataset: ExpressionDataset, validation: ExpressionDataset) -> dict[str, Any]:
    """Measure a model file on every split but the one it was trained on; keep what a card should hold.

    Where the dataset has no other split, the images that were split off for validation are measured.
    """
    session = ModelSession(file, device="cpu")
    kept = ("n", "accuracy", "macro_f1", "ece_before_temperature", "ece", "recall")
    trained = find_split(dataset, session.card.trained_on["split"])
    parts = [(split, dataset) for split in dataset.splits if split != trained]
    if not parts:
        name = "validation"
        parts = [(name, dataclasses.replace(validation, usage=np.full(len(validation), name)))]
    return {
        f"{split}: {found.protocol}": {key: found.to_dict()[key] for key in kept}
        for split, images in parts
        for found in evaluate(session, images, split=split)
    }


class _Ordered(nn.Module):
    """Gives the logits of a network as a tuple in the card's order, which ONNX needs."""

    def __init__(self, network: nn.Module, heads: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, heads

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        logits = self.network(images)
        return tuple(logits[name] for name in self.names)


class _WithFeatures(nn.Module):
    """Gives logits, last feature map, and the heads' weights."""

    def __init__(self, network: ExpressionNetwork, heads: tuple[str, ...]) -> None:
        super().__init__()
        self.network, self.names = network, heads

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        features = self.network.features(images)
        logits = self.network.classify(features)
        weights = (self.network.head_weights(name).clone() for name in self.names)
        return (*(logits[name] for name in self.names), features, *weights)


def _sample(images: Images) -> NDArray[np.uint8]:
    """Take evenly spaced images, at most `FRAMING_TILES`."""
    step = max(1, len(images) // FRAMING_TILES)
    return np.asarray(images[::step][:FRAMING_TILES])
