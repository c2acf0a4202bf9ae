"""The trained networks of facemood have the same outputs in NumPy and in ONNX Runtime."""

from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import open_dataset
from facemood.errors import ModelError
from facemood.models import DEFAULT_MODEL, FINDER, ModelSession, find_model
from facemood.numpy_cnn import Softmax, load_network
from facemood.numpy_cnn.onnx_weights import read_weights


@pytest.mark.parametrize("name", ["nano", DEFAULT_MODEL])
@pytest.mark.parametrize("head", ["fer2013", "ferplus"])
def test_it_gives_what_onnx_runtime_gives(name: str, head: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    images[2] = 77  # a flat image
    expected = Softmax().forward_pass(ModelSession(find_model(name), device="cpu", threads=1).run(images)[head])
    probabilities = load_network(find_model(name), head=head).predict(images[..., None])
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    assert float(expected.max(axis=1).min()) < 0.99  # and there is something to tell apart


@pytest.mark.dataset
def test_predictions_equal_those_of_onnx_runtime(shared_data: Path) -> None:
    tiles = open_dataset(shared_data / "fer2013").split("PrivateTest").pixels[::50]
    expected = Softmax().forward_pass(ModelSession(find_model("nano"), device="cpu", threads=1).run(tiles)["ferplus"])
    probabilities = load_network(find_model("nano")).predict(tiles[..., None])
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_the_weights_are_those_that_the_onnx_package_reads() -> None:
    onnx = pytest.importorskip("onnx")
    file = find_model("nano")
    found = read_weights(file)
    known = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(file).graph.initializer}
    fractions = {name: values for name, values in known.items() if values.dtype.kind == "f"}
    assert found.keys() == fractions.keys()
    for name, values in fractions.items():
        np.testing.assert_array_equal(found[name], values.astype(np.float32))


def test_other_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such file"):
        load_network(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="not a facemood network of the kind se-resnet"):
        load_network(find_model(FINDER))
    with pytest.raises(ModelError, match="has no head 'fer'; it has fer2013, ferplus"):
        load_network(find_model("nano"), head="fer")
    for name, data in {
        "text": b"this is no model",
        "empty": b"",
        "cut": find_model("nano").read_bytes()[:100_000],
        "zeros": bytes(64),
    }.items():
        (tmp_path / f"{name}.onnx").write_bytes(data)
        with pytest.raises(ModelError, match=f"{name}.onnx"):
            load_network(tmp_path / f"{name}.onnx")
