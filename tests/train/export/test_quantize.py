"""Quantize a small network with the shape of ours, and compare its numbers with those of single precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from facemood.errors import DatasetError, ModelError
from facemood.models import ModelCard, ModelSession, find_model
from facemood.models.registry import INT8
from facemood.train.export import quantize
from facemood.train.export.quantize import convolutions
from facemood.train.onnx_file import save_onnx
from tests.models.made import make_model
from tests.train.test_fit import bright_or_dark

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


class Small(nn.Module):
    """Four convolutions, one of them 1 x 1, and a head."""

    def __init__(self) -> None:
        super().__init__()
        widths = [(1, 8, 3), (8, 16, 3), (16, 16, 1), (16, 16, 3)]
        self.body = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(a, b, k, stride=2, padding=k // 2), nn.ReLU()) for a, b, k in widths)
        )
        self.head = nn.Linear(16, len(LABELS))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images / 255 - 0.5).mean(dim=(2, 3)))
        return logits


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("small") / "small.onnx"
    card = ModelCard(
        "small", heads={"fer2013": LABELS}, default_head="fer2013", prior={"fer2013": (1 / 7,) * 7},
        trained_on={"split": "Training"}, version="3",
    )  # fmt: skip
    batch = torch.export.Dim("batch", min=1, max=64)
    save_onnx(Small(), file, card, example=torch.zeros(2, 1, 48, 48), free={0: batch}, half=True)
    return file


@pytest.fixture(scope="module")
def quantized(small: Path) -> Path:
    file = small.with_name("small.int8.onnx")
    quantize(small, bright_or_dark(), file)
    return file


def test_the_numbers_are_nearly_those_of_single_precision(small: Path, quantized: Path) -> None:
    images = np.asarray(bright_or_dark().images[:32])
    first, second = (ModelSession(file, device="cpu").run(images)["fer2013"] for file in (small, quantized))
    assert not np.array_equal(first, second)
    np.testing.assert_allclose(first, second, atol=0.05 * float(np.ptp(first)))


def test_wide_convolutions_but_the_first_have_integer_weights(quantized: Path) -> None:
    model = onnx.load(quantized)
    kinds = {entry.name: entry.data_type for entry in model.graph.initializer}
    weights = {entry.name: tuple(entry.dims) for entry in model.graph.initializer if len(entry.dims) == 4}
    integers = {weights[name] for name in weights if kinds[name] == onnx.TensorProto.INT8}
    assert integers == {(16, 8, 3, 3), (16, 16, 3, 3)}
    assert {weights[name] for name in weights} - integers == {(8, 1, 3, 3), (16, 16, 1, 1)}
    assert abs(np.concatenate([onnx.numpy_helper.to_array(entry).ravel() for entry in model.graph.initializer
                               if entry.data_type == onnx.TensorProto.INT8]).astype(int)).max() <= 64  # fmt: skip


def test_the_card_has_figures_of_its_own(quantized: Path) -> None:
    card = ModelSession(quantized, device="cpu").card
    assert card.version == "3+int8"
    assert card.temperature["fer2013"] > 0
    assert card.prior["fer2013"] == pytest.approx((1 / 7,) * 7, abs=1e-4)
    found = card.metrics[INT8]["fer2013 labels"]
    assert 0.8 <= found["same_label"] <= 1
    assert abs(found["nll"] - found["nll_fp32"]) < 0.05
    assert card.metrics["PublicTest: fer2013 labels"]["n"] == found["n"]


def test_the_session_of_a_name_takes_the_file_next_to_it(small: Path, quantized: Path) -> None:
    assert find_model(small, precision=INT8) == quantized
    assert find_model(quantized, precision=INT8) == quantized


def test_networks_that_read_no_faces_or_have_no_convolution_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the card's task is 'vector'; expected 'expression' or 'landmarks'"):
        quantize(find_model("ferc"), bright_or_dark(), tmp_path / "ferc.int8.onnx")
    dense = make_model(tmp_path / "dense.onnx")
    with pytest.raises(ModelError, match="no convolution that can be quantized"):
        quantize(dense, bright_or_dark(), tmp_path / "dense.int8.onnx")
    assert list(tmp_path.iterdir()) == [dense]


def test_a_dataset_without_a_training_split_is_refused(small: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no split 'Training'"):
        quantize(small, bright_or_dark().split("PublicTest"), tmp_path / "small.int8.onnx")
    assert list(tmp_path.iterdir()) == []


def test_depthwise_convolutions_stay() -> None:
    nodes = [onnx.helper.make_node("Conv", ["x", "w"], [name], name=name, kernel_shape=[3, 3], group=group)
             for name, group in (("first", 1), ("depthwise", 8), ("wide", 1))]  # fmt: skip
    assert list(convolutions(onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [], [])))) == ["wide"]
