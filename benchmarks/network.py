"""How much the network has to compute, read from its graph, and how fast this machine computes at all."""

from __future__ import annotations

import functools
import statistics
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from measure import Effort, Row, repeat, time_call
from onnx import TensorProto, helper, numpy_helper

from facemood.models import DEFAULT_MODEL, find_model
from facemood.models.runtime import open_session

SIDE = 1024
"""Of the square matrices whose product shows what ONNX Runtime can reach."""


def count_macs(file: Path) -> Counter[str]:
    """Count the multiply-accumulates of one face in an ONNX file by kind of layer.

    A convolution needs each of its weights once a pixel of its output, a linear layer once. What else there is
    (activations, means, scaling) is not counted: it is under a hundredth of the work.
    """
    graph = onnx.shape_inference.infer_shapes(onnx.load(file)).graph
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in weights:  # stored in half precision
            weights[node.output[0]] = weights[node.input[0]]
    outputs = {value.name: value.type.tensor_type.shape.dim for value in (*graph.value_info, *graph.output)}
    macs: Counter[str] = Counter()
    for node in graph.node:
        if node.op_type == "Conv":
            shape = weights[node.input[1]]  # outputs, inputs, height, width
            pixels = [dim.dim_value for dim in outputs[node.output[0]]][2:]
            macs[f"{shape[2]}x{shape[3]} convolutions"] += int(np.prod(shape) * np.prod(pixels))
        elif node.op_type in ("Gemm", "MatMul") and node.input[1] in weights:
            macs["linear layers"] += int(np.prod(weights[node.input[1]]))
    return macs


def total_macs() -> int:
    """Return the multiply-accumulates that the default model needs for one face."""
    return count_macs(find_model(DEFAULT_MODEL)).total()


def measure_network(effort: Effort) -> list[Row]:
    """Say what one face costs, and the least time that it could take at the speed of a large matrix product."""
    macs = count_macs(find_model(DEFAULT_MODEL))
    rates = {threads: matmul_gflops(threads, effort) for threads in (1, 2)}
    everything = [*macs.most_common(), ("all", macs.total())]
    return [
        {
            "layers": kind,
            "million MACs a face": count / 1e6,
            "share %": 100 * count / macs.total(),
            **{f"floor ms, threads={threads}": 2e-6 * count / rate for threads, rate in rates.items()},
        }
        for kind, count in everything
    ]


@functools.cache
def matmul_gflops(threads: int, effort: Effort) -> float:
    """Measure the 10^9 float32 operations a second of a large matrix product in ONNX Runtime, once a run."""
    session = open_session(_product(), threads=threads)
    left = np.ones((SIDE, SIDE), np.float32)
    times = repeat(lambda: time_call(lambda: session.run(None, {"left": left})), effort.seconds)
    return 2 * SIDE**3 / statistics.median(times) / 1e6


def _product() -> bytes:
    """Return an ONNX model of one matrix product. One side is fixed, as weights are, and so laid out for speed."""
    shape = (SIDE, SIDE)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["left", "right"], ["product"])],
        "product",
        [helper.make_tensor_value_info("left", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.ones(shape, np.float32), "right")],
    )
    # Old numbers, so that an ONNX Runtime older than the package onnx can read the model.
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    return bytes(model.SerializeToString())
