"""docs/numpy-cnn.md is what scripts/measure_numpy_cnn.py writes, and its network in PyTorch is the same network."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from facemood.numpy_cnn import Adam, FitOptions, Penalty, Sequential, jitter, one_hot, small_network  # noqa: E402
from facemood.numpy_cnn.losses import CategoricalCrossEntropy  # noqa: E402
from tests.conftest import load_script  # noqa: E402


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_numpy_cnn")


def test_the_page_is_what_the_script_writes(script: ModuleType) -> None:
    assert Path(script.PAGE).read_text(encoding="utf-8") == script.page(script.read_figures())


def test_the_torch_network_is_the_same_forward_and_backward(script: ModuleType) -> None:
    random = np.random.default_rng(0)
    faces, targets = random.integers(0, 256, (4, 48, 48, 1)).astype(np.float32), one_hot(np.arange(4), 7)
    model = small_network()
    reference = script.TorchNetwork(model)
    np.testing.assert_allclose(reference.predict(faces), model.predict(faces), atol=1e-5)
    slope = CategoricalCrossEntropy().slope(model.forward_pass(faces), targets)
    slopes = model.backward_pass(slope)
    pixels = torch.from_numpy(faces).requires_grad_()
    torch.nn.functional.cross_entropy(reference.eval()(pixels), torch.from_numpy(targets)).backward()
    np.testing.assert_allclose(slopes, pixels.grad.numpy(), rtol=1e-3, atol=1e-6)


def test_both_learn_the_same(script: ModuleType) -> None:
    random = np.random.default_rng(0)
    labels = np.arange(64) % 7
    faces = (
        random.integers(0, 100, (64, 48, 48, 1)) + 20 * labels[:, None, None, None] * np.eye(48)[..., None]
    ).astype(np.uint8)
    part, options = (faces, one_hot(labels, 7)), FitOptions(epochs=2, penalty=Penalty(l2=1e-4), augment=jitter)
    small = small_network()
    layers = [layer for layer in small.layers if type(layer).__name__ != "Dropout"]  # whose random numbers differ
    model = Sequential(layers, input_shape=(48, 48, 1))
    reference = script.TorchNetwork(model)
    theirs = script.fit_torch(reference, part, part, options)
    ours = model.fit(*part, validation=part, optimizer=Adam(script.RATE), options=options)
    for one, other in zip(ours, theirs, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-3)
        assert one.validation_loss == pytest.approx(other.validation_loss, rel=1e-2)
    np.testing.assert_allclose(model.predict(faces), reference.predict(faces), atol=5e-3)


def test_measuring_leaves_all_that_the_page_needs(script: ModuleType) -> None:
    random = np.random.default_rng(0)
    part = random.integers(0, 256, (8, 48, 48, 1), np.uint8), one_hot(np.arange(8) % 7, 7)
    known = {engine: script.measure(engine, [part] * 3, FitOptions(epochs=1)) for engine in script.ENGINES}
    page = script.page(known)
    assert f"| NumPy {np.__version__} | {known['numpy']['right'] / 8:.1%} (standard error " in page
    assert f"| PyTorch {torch.__version__} | " in page
    assert "Not measured yet." in script.page({})
    assert "{{" not in page
