"""Write a network as ONNX, with only what inference needs, and optionally with weights in half precision."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from facemood.atomic import replacing
from facemood.errors import ModelError
from facemood.models.card import ModelCard, write_card
from facemood.numpy_cnn.pretrained import HALF

OPSET = 18
"""Version of ONNX's operator set in the files; ONNX Runtime supports it from 1.14 on."""

SMALL = 256
"""Arrays with fewer numbers stay in single precision, because there is nothing to gain."""


def save_onnx(
    network: nn.Module,
    file: Path,
    card: ModelCard,
    *,
    example: Tensor,
    free: dict[int, Any],
    more: Sequence[str] = (),
    half: bool = False,
) -> None:
    """Write a network as ONNX, with the card in its metadata.

    Args:
        network: Returns an output or a tuple of them: first those of the card's heads in order, then `more`.
        file: The ONNX file.
        card: The card.
        example: An input.
        free: The free dimensions of the input, as `torch.export.Dim` by position.
        more: Names of additional outputs.
        half: Store the weights in half precision. Inference converts them to single precision when it loads the file,
            so it is as fast, and only the rounding of the weights (1 in 2,048) is lost.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)  # in torch, not here
        program = torch.onnx.export(
            network.eval(),
            (example,),
            dynamo=True,
            dynamic_shapes=(free,),
            input_names=["images"],
            output_names=[*card.heads, *more],
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise ModelError("torch exported no ONNX program; this needs torch 2.9 or later with onnxscript")
    model = program.model_proto
    strip(model)
    if half:
        store_half(model)
    with replacing(file, "wb") as whole:
        whole.write(model.SerializeToString())
    write_card(file, card)


def strip(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes on the source in place: file names, line numbers, types of inner values."""
    del model.graph.value_info[:]
    model.doc_string = model.graph.doc_string = ""
    for entry in (model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output):
        del entry.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = node.name = ""


def store_half(model: onnx.ModelProto) -> None:
    """Store large weights in place as float16, each with a cast back to float32."""
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype == np.float32 and values.size >= SMALL:
            name = weight.name
            weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name + HALF))
            casts.append(onnx.helper.make_node("Cast", [name + HALF], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*casts, *nodes])
