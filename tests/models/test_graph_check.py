"""A card is checked against its network when it is opened; errors name the file and the field."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facemood import EmotionRecognizer, open_recognizer
from facemood.errors import ModelError
from facemood.models import ModelSession, find_model, run_views
from facemood.models.activation import activation_maps
from facemood.models.card import write_card
from tests.models.made import SIDE, WEIGHTS, Shape, make_model

NAN = float("nan")

CARDS: dict[str, Any] = {
    "no JSON": ("{", "not a facemood model card"),
    "a list": ("[]", "not a facemood model card"),
    "null": ("null", "not a facemood model card"),
    "nested": ("[" * 200_000, "nested too deeply"),
    "nested tables": ('{"metrics":' * 400 + "1" + "}" * 400, "nested too deeply"),
    "huge": ({"description": "x" * 1_000_000}, "characters"),
    "a doubled head": (
        '{"name": "m", "heads": {"out": ["a"], "out": ["b"]}, "default_head": "out"}', "'out' is repeated",
    ),
    "no name": ({"name": None}, "name"),
    "a name that changes the terminal": ({"name": "\x1b]0;title\x07"}, "name"),
    "labels as text": ({"heads": {"out": "ab"}}, "heads.out"),
    "labels as numbers": ({"heads": {"out": [1, 2]}}, "heads.out"),
    "doubled labels": ({"heads": {"out": ["a", "a"]}}, "heads.out"),
    "an empty label": ({"heads": {"out": ["a", ""]}}, "heads.out"),
    "no labels": ({"heads": {"out": []}}, "heads.out"),
    "three labels of two": (
        {"heads": {"out": ["a", "b", "c"]}}, r"heads.out has 3 labels, .*\(batch, 3\), but is \(n, 2\)",
    ),
    "one label of two": ({"heads": {"out": ["a"]}}, "heads.out has 1 labels"),
    "no such output": (
        {"heads": {"outt": ["a", "b"]}, "default_head": "outt"},
        "heads names 'outt', .* outputs are out. Did you mean 'out'",
    ),
    "a head too many": ({"heads": {"out": ["a", "b"], "two": ["a", "b"]}}, "heads names 'two'"),
    "another default": ({"default_head": "two"}, "default_head"),
    "another size": (
        {"input_size": [64, 64]}, r"input_size is 64 x 64, .*\(batch, 1, 64, 64\), but it is \(n, 1, 4, 4\)",
    ),
    "another height": ({"input_size": [4, 5]}, "input_size is 4 x 5"),
    "a huge size": ({"input_size": [100_000, 100_000]}, "input_size"),
    "a size of texts": ({"input_size": "ab"}, "input_size"),
    "a size of 0": ({"input_size": [0, 0]}, "input_size"),
    "colour of a grey network": (
        {"colour": "rgb", "mean": [0] * 3, "std": [1] * 3}, r"colour is rgb, .* \(n, 1, 4, 4\)",
    ),
    "an unknown colour": ({"colour": "gray"}, "colour"),
    "std of 0": ({"std": [0]}, "std"),
    "mean of NaN": ({"mean": [NAN]}, "mean"),
    "temperature of 0": ({"temperature": {"out": 0}}, "temperature.out"),
    "temperature as a list": ({"temperature": [1]}, "temperature"),
    "a short prior": ({"prior": {"out": [1.0]}}, "prior.out"),
    "a prior of 0": ({"prior": {"out": [0, 1]}}, "prior.out"),
    "a prior of 2": ({"prior": {"out": [1, 1]}}, "prior.out"),
    "balance as text": ({"balance": {"out": "1"}}, "balance.out"),
    "certain above 1": ({"certain": {"out": 1.5}}, "certain.out"),
    "framing of NaN": ({"framing": {"finder": [NAN] * 4}}, "framing"),
    "huge framing": ({"framing": {"finder": [-1000, -1000, 1000, 1000]}}, "framing.finder"),
    "framing inside out": ({"framing": {"finder": [1, 0, 0, 1]}}, "framing.finder"),
    "limits as text": ({"limits": "abc"}, "limits"),
    "a vector network that has pixels": (
        {"task": "vector"}, r"the input 'x' must be \(batch, 4\), but is \(n, 1, 4, 4\)",
    ),
}  # fmt: skip
"""Damaged cards by name: the changed fields or the whole text, and the error message."""


@pytest.mark.parametrize("case", CARDS)
def test_errors_of_damaged_cards_name_file_and_field(case: str, tmp_path: Path) -> None:
    change, message = CARDS[case]
    file = make_model(tmp_path / "own.onnx", change)
    for opener in (ModelSession, EmotionRecognizer, open_recognizer):
        with pytest.raises(ModelError, match=rf"(?s)own\.onnx: .*{message}"):
            opener(file)


def node(kind: str, *names: str, **settings: Any) -> onnx.NodeProto:
    """A node with inputs, then one output."""
    return helper.make_node(kind, names[:-1], names[-1:], **settings)


GRAPHS: dict[str, Any] = {
    "two inputs": ({"inputs": {"x": ["n", 1, SIDE, SIDE], "y": ["n"]}}, "the network must have one input, but has 2"),
    "half precision": (
        {"kind": TensorProto.FLOAT16}, r"the input 'x' must be tensor\(float\), but is tensor\(float16\)",
    ),
    "double precision": (
        {"kind": TensorProto.DOUBLE}, r"the input 'x' must be tensor\(float\), but is tensor\(double\)",
    ),
    "channels last": (
        {"inputs": {"x": ["n", SIDE, SIDE, 1]}}, r"colour is grey, .*\(batch, 1, 4, 4\), but it is \(n, 4, 4, 1\)",
    ),
    "three dimensions": (
        {"inputs": {"x": ["n", SIDE, SIDE]}}, r"the input 'x' must be \(batch, 1, 4, 4\), but is \(n, 4, 4\)",
    ),
    "five dimensions": ({"inputs": {"x": ["n", 1, 1, SIDE, SIDE]}}, r"but is \(n, 1, 1, 4, 4\)"),
    "a fixed batch of 8": ({"inputs": {"x": [8, 1, SIDE, SIDE]}}, "the input 'x' has a fixed batch of 8"),
    "an output of maps": (
        {"nodes": [node("Identity", "x", "out")], "outputs": {"out": ["n", 1, SIDE, SIDE]}},
        r"heads.out has 2 labels, so the output 'out' must be \(batch, 2\), but is \(n, 1, 4, 4\)",
    ),
    "a wide output of a width that is not told": (
        {"nodes": [node("Flatten", "x", "out")], "inputs": {"x": list("nchw")}, "outputs": {"out": ["n", "k"]}},
        r"heads.out has 2 labels, .*\(2, 2\) for 2 faces, but is float32 \(2, 16\)",
    ),
    "a wide output of a shape that is not told": (
        {"nodes": [node("Flatten", "x", "out")], "inputs": {"x": list("nchw")}, "outputs": {"out": None}},
        r"heads.out has 2 labels, .* but is float32 \(2, 16\)",
    ),
    "a network that cannot run": (
        {"card": {"input_size": [5, 5]}, "inputs": {"x": list("nchw")}},
        "the network cannot be run",
    ),
    "an unknown operator": (
        {"nodes": [node("Evil", "x", "out", domain="evil.com")]}, "cannot be loaded as an ONNX model",
    ),
}  # fmt: skip
"""Networks that do not match the card by name: how they are made, and the error message."""


@pytest.mark.parametrize("case", GRAPHS)
def test_errors_of_networks_that_do_not_match_the_card_name_the_mismatch(case: str, tmp_path: Path) -> None:
    change, message = GRAPHS[case]
    with pytest.raises(ModelError, match=rf"(?s)own\.onnx: .*{message}"):
        ModelSession(make_model(tmp_path / "own.onnx", **change))


def test_integer_outputs_are_rejected(tmp_path: Path) -> None:
    file = make_model(tmp_path / "own.onnx", nodes=[*dense(), node("Cast", "o", "out", to=TensorProto.INT64)])
    model = onnx.load(file)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    onnx.save(model, file)
    with pytest.raises(
        ModelError, match=r"heads.out: the output 'out' must be tensor\(float\), but is tensor\(int64\)"
    ):
        ModelSession(file)


def dense(output: str = "o") -> list[onnx.NodeProto]:
    """The usual network, with another name of its output."""
    return [node("Flatten", "x", "f"), node("MatMul", "f", "W", output)]


def reshaped() -> list[onnx.NodeProto]:
    """A network whose graph has a fixed batch of 1."""
    one = numpy_helper.from_array(np.array([1, SIDE * SIDE]))
    return [node("Constant", "S", value=one), node("Reshape", "x", "S", "f"), node("MatMul", "f", "W", "out")]


def secretly_reshaped() -> list[onnx.NodeProto]:
    """The same, but the batch of 1 is computed from the pixels, so that no declared shape shows it."""
    one = numpy_helper.from_array(np.array([1, SIDE * SIDE], np.float32))
    return [
        node("Constant", "one", value=one),
        node("ReduceMax", "x", "most", keepdims=0),
        node("Sub", "most", "most", "none"),
        node("Add", "one", "none", "sum"),
        node("Cast", "sum", "S", to=TensorProto.INT64),
        node("Reshape", "x", "S", "f"),
        node("MatMul", "f", "W", "out"),
    ]


FIXED: dict[str, dict[str, Any]] = {
    "in and out": {"inputs": {"x": [1, 1, SIDE, SIDE]}, "outputs": {"out": [1, 2]}},
    "in": {"inputs": {"x": [1, 1, SIDE, SIDE]}, "outputs": {"out": [None, 2]}},
    "out": {"outputs": {"out": [1, 2]}, "nodes": reshaped()},
    "in the graph": {"outputs": {"out": None}, "nodes": reshaped()},
    "in the graph alone": {"nodes": secretly_reshaped()},
}


@pytest.mark.parametrize("case", FIXED)
def test_a_fixed_batch_of_one_is_run_one_by_one_with_the_same_results(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    free, fixed = (ModelSession(make_model(tmp_path / "own.onnx", **change)) for change in ({}, FIXED[case]))
    crops = np.random.default_rng(0).integers(0, 256, (5, 9, 9, 3), np.uint8)
    np.testing.assert_array_equal(fixed.run(crops)["out"], free.run(crops)["out"])
    for views in (2, 10):
        np.testing.assert_array_equal(
            run_views(fixed, crops, views=views)["out"], run_views(free, crops, views=views)["out"]
        )
    assert fixed.run([])["out"].shape == (0, 2)
    assert capfd.readouterr().err == ""


@pytest.fixture(scope="module")
def fixed_nano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model nano, for one face per run."""
    model = onnx.load(find_model("nano"))
    for part in (*model.graph.input, *model.graph.output):
        if part.type.tensor_type.shape.dim[0].dim_param:
            part.type.tensor_type.shape.dim[0].dim_value = 1
    file = tmp_path_factory.mktemp("models") / "fixed.onnx"
    onnx.save(model, file)
    return file


def test_photos_and_maps_are_the_same_one_by_one(fixed_nano: Path, astronaut: Path) -> None:
    fixed, free = open_recognizer(fixed_nano, threads=1), open_recognizer("nano", threads=1)
    (one,), (other,) = fixed.analyze_image(astronaut), free.analyze_image(astronaut)
    np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1e-5)
    crops = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    made, expected = (activation_maps(part.session, crops, head="ferplus") for part in (fixed, free))
    np.testing.assert_allclose(made, expected, atol=1e-3)
    (why,), (known,) = (part.explain(astronaut, method="occlusion") for part in (fixed, free))
    np.testing.assert_allclose(why.attribution, known.attribution, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"inputs": {"x": [None, 1, SIDE, SIDE]}, "outputs": {"out": None}},
        {"inputs": {"x": ["n", "c", "h", "w"]}, "outputs": {"out": ["n", "k"]}},
        {"inputs": {"x": [-1, 1, SIDE, SIDE]}, "outputs": {"out": [-1, 2]}},
    ],
)
def test_the_card_decides_dimensions_that_the_network_leaves_open(change: dict[str, Any], tmp_path: Path) -> None:
    session = ModelSession(make_model(tmp_path / "own.onnx", **change))
    crops = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE), np.uint8)
    np.testing.assert_allclose(session.run(crops)["out"], crops.reshape(3, -1) @ WEIGHTS, rtol=1e-5)


def test_a_feature_map_of_another_shape_is_rejected(tmp_path: Path) -> None:
    nodes = [*dense("out"), node("Identity", "f", "features"), node("Identity", "W", "out.weights")]
    outputs: dict[str, Shape | None] = {"out": ["n", 2], "features": ["n", 16], "out.weights": [16, 2]}
    session = ModelSession(make_model(tmp_path / "own.onnx", nodes=nodes, outputs=outputs))
    with pytest.raises(ModelError, match=r"features must be \(N, C, h, w\) and out.weights \(2, C\)"):
        activation_maps(session, np.zeros((3, SIDE, SIDE), np.uint8), head="out")


def test_a_card_that_no_longer_matches_is_rejected_when_the_file_is_opened_again(tmp_path: Path) -> None:
    file = make_model(tmp_path / "own.onnx")
    card = ModelSession(file).card
    write_card(file, dataclasses.replace(card, heads={"out": ("a", "b", "c")}))
    with pytest.raises(ModelError, match="heads.out has 3 labels"):
        ModelSession(file)
