import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from facemood.models.runtime import open_session
from facemood.train.onnx_file import SMALL, store_half, strip

RANDOM = np.random.default_rng(0)
LARGE = RANDOM.normal(size=(16, 32)).astype(np.float32)
BIAS = RANDOM.normal(size=32).astype(np.float32)


def made() -> onnx.ModelProto:
    """A dense layer as an exporter leaves it, with notes on its source."""
    node = helper.make_node("Gemm", ["x", "weight", "bias"], ["y"], name="/home/me/net.py:7", doc_string="line 7")
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 32])],
        [numpy_helper.from_array(LARGE, "weight"), numpy_helper.from_array(BIAS, "bias")],
        doc_string="/home/me",
        value_info=[helper.make_tensor_value_info("inner", TensorProto.FLOAT, [1])],
    )
    model = helper.make_model(graph, doc_string="of me", opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    entry = model.graph.node[0].metadata_props.add()
    entry.key, entry.value = "stack", "/home/me/net.py"
    return model


def run(model: onnx.ModelProto, inputs: np.ndarray) -> np.ndarray:
    session = open_session(model.SerializeToString(), threads=1)
    return np.asarray(session.run(None, {"x": inputs})[0])


def test_nothing_of_the_source_stays_in_a_stripped_file() -> None:
    model = made()
    assert b"/home/me" in model.SerializeToString()
    strip(model)
    assert b"/home/me" not in model.SerializeToString()
    assert b"line 7" not in model.SerializeToString()
    assert not model.graph.value_info
    onnx.checker.check_model(model, full_check=True)
    expected = np.ones((2, 16), np.float32) @ LARGE + BIAS
    np.testing.assert_allclose(run(model, np.ones((2, 16), np.float32)), expected, rtol=1e-5, atol=1e-5)


def test_large_weights_are_halved_and_small_ones_stay() -> None:
    assert BIAS.size < SMALL <= LARGE.size
    model = made()
    before = len(model.SerializeToString())
    store_half(model)
    onnx.checker.check_model(model, full_check=True)
    kinds = {weight.name: weight.data_type for weight in model.graph.initializer}
    assert kinds == {"weight.half": TensorProto.FLOAT16, "bias": TensorProto.FLOAT}
    assert before - len(model.SerializeToString()) > 2 * LARGE.size - 200


def test_half_precision_only_rounds_the_weights() -> None:
    inputs = np.eye(16, dtype=np.float32)
    model = made()
    store_half(model)
    rounded = LARGE.astype(np.float16).astype(np.float32)
    np.testing.assert_allclose(run(model, inputs), rounded + BIAS, rtol=1e-6)
    assert np.abs(run(made(), inputs) - run(model, inputs)).max() <= np.abs(LARGE).max() / 2048


def test_weights_of_other_types_stay() -> None:
    model = made()
    model.graph.initializer.append(numpy_helper.from_array(np.arange(2 * SMALL), "indices"))
    store_half(model)
    kinds = {weight.name: weight.data_type for weight in model.graph.initializer}
    assert kinds["indices"] == TensorProto.INT64
