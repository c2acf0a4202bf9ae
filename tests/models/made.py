"""Small ONNX files for tests, with outputs that can be worked out by hand and any card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from facemood.models.card import METADATA_KEY

SIDE = 4

CARD: dict[str, Any] = {"name": "m", "heads": {"out": ["a", "b"]}, "default_head": "out", "input_size": [SIDE, SIDE]}
"""A card that matches the network of `make_model`."""

WEIGHTS = np.arange(SIDE * SIDE * 2, dtype=np.float32).reshape(SIDE * SIDE, 2) / 1000
"""(16, 2), so that an output is a weighted sum of pixels, with different weights."""

Shape = Sequence[int | str | None]


def dense_nodes(weights: str = "W") -> list[NodeProto]:
    """Flatten, then multiply by the weights."""
    return [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", weights], ["out"])]


def make_model(
    file: Path,
    card: dict[str, Any] | str | None = None,
    *,
    nodes: Sequence[NodeProto] | None = None,
    inputs: dict[str, Shape] | None = None,
    outputs: dict[str, Shape | None] | None = None,
    kind: int = TensorProto.FLOAT,
    weights: TensorProto | None = None,
) -> Path:
    """Write an ONNX file with a card, valid or damaged.

    Args:
        file: Where to.
        card: What differs from `CARD`, or the whole JSON as text.
        nodes: The graph; by default `dense_nodes`.
        inputs: Their shapes.
        outputs: Their shapes; None tells no shape.
        kind: The type of all inputs, outputs and weights.
        weights: The tensor ``"W"``.
    """
    inputs = {"x": ["n", 1, SIDE, SIDE]} if inputs is None else inputs
    outputs = {"out": ["n", 2]} if outputs is None else outputs
    graph = helper.make_graph(
        dense_nodes() if nodes is None else list(nodes),
        "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in outputs.items()],
        [weights or numpy_helper.from_array(WEIGHTS.astype(helper.tensor_dtype_to_np_dtype(kind)), "W")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    text = card if isinstance(card, str) else json.dumps({**CARD, **(card or {})})
    helper.set_model_props(model, {METADATA_KEY: text})
    file.write_bytes(model.SerializeToString())  # onnx.save would look for external data
    return file


def external_tensor(location: str, *, name: str = "W") -> TensorProto:
    """Weights in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=WEIGHTS.shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", str(WEIGHTS.nbytes))):
        tensor.external_data.add(key=key, value=value)
    return tensor
