"""Quantize a model: its convolutions compute with 8-bit integers, two to four times as fast on CPUs that can.

Static quantization (Jacob et al. 2018, https://arxiv.org/abs/1712.05877): the ranges of activations are measured on
training images, so nothing is measured at inference. Activations are unsigned, weights signed with one scale per output
channel. Weights use 7 bits, because without VNNI a sum of two products of 8 bits overflows 16 bits.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.datasets.splits import find_split
from facemood.errors import DatasetError, ModelError
from facemood.evaluation.crop_framing import tile_points
from facemood.evaluation.metrics import negative_log_likelihood
from facemood.evaluation.protocol import TRAINING, match_head, run_all, targets
from facemood.models.card import ModelCard, write_card
from facemood.models.registry import INT8
from facemood.models.runtime import quantization_tools
from facemood.models.session import ModelSession, prepare
from facemood.spacing import evenly_spaced
from facemood.stages.classify import calibrate as probabilities
from facemood.stages.landmarks import LandmarkModel
from facemood.train.export.fit_calibration import calibrate
from facemood.train.export.measure import measure

CALIBRATION_IMAGES = 400
"""Training images on which the ranges of activations are measured, evenly spaced."""

TASKS = ("expression", "landmarks")
"""Tasks of the models that can be quantized: those that read images of faces."""

Inputs = Sequence[NDArray[np.float32]]


def quantize(model: Path, dataset: ExpressionDataset, file: Path) -> ModelCard:
    """Write an int8 version of a model, with a card of its own.

    The first convolution, convolutions of 1 x 1 and the heads stay in single precision: they cost little time and much
    accuracy. The temperature, the confidence of certain predictions, the operating point and all figures are fitted
    and measured again with the written file.

    Args:
        model: The ONNX file of a model for expressions, or of the landmark network.
        dataset: FER2013, or the dataset that the model was trained on. Ranges are measured on its training split.
        file: The ONNX file to write.

    Returns:
        The card. ``metrics["int8"]`` compares both files on the validation split: the share of images with the same
        label, and the mean negative log-likelihood (nats) of each.

    Raises:
        ModelError: The model reads no faces, or it has no convolution that can be quantized.
        DatasetError: The dataset has no training or validation split.
        OutputError: The file cannot be written. This is raised before the work begins.
    """
    session = ModelSession(model, device="cpu")
    card = session.card
    if card.task not in TASKS:
        raise ModelError(f"{model}: the card's task is {card.task!r}; expected {' or '.join(map(repr, TASKS))}")
    training = _split(dataset, str(card.trained_on.get("split", TRAINING)), TRAINING)
    with replacing(file, "wb") as whole, tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "int8.onnx"
        tiles = np.asarray(training.images[evenly_spaced(len(training), CALIBRATION_IMAGES)])
        _write_quantized(model, draft, _inputs(card, tiles))
        card = dataclasses.replace(
            card, version=f"{card.version}+{INT8}", description=f"{card.description}; computed with 8-bit integers"
        )
        write_card(draft, card)
        if card.task == "expression":
            card = _finish_card(session, draft, dataset)
        whole.write(draft.read_bytes())
    return card


def _finish_card(session: ModelSession, draft: Path, dataset: ExpressionDataset) -> ModelCard:
    """Fit and measure everything on the card again, and compare both models on the validation split."""
    recipe = session.card.trained_on.get("recipe", {})
    validation = _split(dataset, recipe.get("data", {}).get("validate", ""), "PublicTest")
    card = calibrate(draft, None, validation)
    figures = {**session.card.metrics, **measure(draft, dataset, validation)}
    card = dataclasses.replace(card, metrics={**figures, INT8: _compare(session, ModelSession(draft), validation)})
    write_card(draft, card)
    return card


def _compare(first: ModelSession, second: ModelSession, validation: ExpressionDataset) -> dict[str, Any]:
    """Compare the predictions of a model and its int8 version, each with its own temperature."""
    found: dict[str, Any] = {}
    logits = [run_all(session, validation.images) for session in (first, second)]
    for protocol, target, rows in targets(validation):
        head = match_head(first.card, target)
        if head is None or not len(target):
            continue
        parts = [
            probabilities(one.card, head, each[head][rows]) for one, each in zip((first, second), logits, strict=True)
        ]
        names = first.card.heads[head]
        labels = np.array([names.index(label) for label in target.classes])[target.labels]
        same = float((parts[0].argmax(axis=1) == parts[1].argmax(axis=1)).mean())
        nll = [round(negative_log_likelihood(part, labels), 4) for part in parts]
        found[protocol] = {"n": len(target), "same_label": round(same, 4), "nll": nll[1], "nll_fp32": nll[0]}
    return found


def _split(dataset: ExpressionDataset, wanted: str, otherwise: str) -> ExpressionDataset:
    """Return a split of a dataset by its name."""
    name = find_split(dataset, wanted) or find_split(dataset, otherwise)
    if name is None:
        raise DatasetError(f"the dataset {dataset.name} has no split {wanted or otherwise!r}; it has {dataset.splits}")
    return dataset.split(name)


def _inputs(card: ModelCard, tiles: NDArray[np.uint8]) -> Inputs:
    """Return inputs (1, C, h, w) float32 that the network meets when it reads training images."""
    if card.task == "expression":
        return [prepare(tile[None], card) for tile in tiles]
    recorder = _Recorder()
    for tile in tiles:
        tile_points(recorder, tile)
    return [prepare(crop[None], card) for crop in recorder.crops]


class _Recorder(LandmarkModel):
    """The landmark network, which keeps the crops that it is given: in the usual box, then in the box that it found."""

    def __init__(self) -> None:
        super().__init__(threads=1)
        self.crops: list[NDArray[np.uint8]] = []

    def predict_crops(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Keep the crops, and predict their landmarks."""
        self.crops += list(crops)
        return super().predict_crops(crops)


def _write_quantized(model: Path, file: Path, inputs: Inputs) -> None:
    """Quantize a network into a file without a card."""
    tools = quantization_tools()
    folded = file.with_name("folded.onnx")
    tools.shape_inference.quant_pre_process(str(model), str(folded), skip_symbolic_shape=True)
    network = onnx.load(str(folded))
    for index, node in enumerate(network.graph.node):  # an empty name would stand for all nodes
        node.name = f"{node.op_type}_{index}"
    chosen = list(convolutions(network))
    if not chosen:
        raise ModelError(f"{model}: the network has no convolution that can be quantized")
    onnx.save(network, str(folded))
    tools.quantize_static(
        str(folded),
        str(file),
        _Reader(network.graph.input[0].name, inputs),
        quant_format=tools.QuantFormat.QDQ,
        activation_type=tools.QuantType.QUInt8,
        weight_type=tools.QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        nodes_to_quantize=chosen,
        op_types_to_quantize=["Conv"],
        extra_options={"CalibMovingAverage": True},
    )


def convolutions(network: onnx.ModelProto) -> Iterator[str]:
    """Yield the names of the convolutions that are quantized: wider than 1 x 1, not depthwise, and not the first."""
    first = True
    for node in network.graph.node:
        if node.op_type != "Conv":
            continue
        attributes = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
        if not first and max(attributes.get("kernel_shape", (1,))) > 1 and attributes.get("group", 1) == 1:
            yield node.name
        first = False


class _Reader:
    """Gives the calibration inputs one by one, as ONNX Runtime asks for them."""

    def __init__(self, name: str, inputs: Inputs) -> None:
        self.left = ({name: one} for one in inputs)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """Return the next input by its name, or None."""
        return next(self.left, None)
