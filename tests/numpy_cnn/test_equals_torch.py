"""Layers, losses and optimizers equal PyTorch's, forward and backward, to 1e-5 in float32."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
from torch import Tensor  # noqa: E402
from torch.nn import functional  # noqa: E402

from facemood.numpy_cnn import (  # noqa: E402
    SGD,
    Adam,
    AveragePool,
    BatchNorm,
    CategoricalCrossEntropy,
    Conv2D,
    Dense,
    GlobalAveragePool,
    Layer,
    MaxPool,
    ReLU,
    Sigmoid,
    Softmax,
    Tanh,
)
from facemood.numpy_cnn.layer import Floats, Shape  # noqa: E402
from facemood.numpy_cnn.optimizers import Optimizer  # noqa: E402
from tests.numpy_cnn.torch_layers import our_pass, reference_convolution, reference_norm, torch_pass  # noqa: E402

SEEDS = st.integers(0, 2**32 - 1)
IMAGES = st.tuples(st.integers(1, 4), st.integers(3, 12), st.integers(3, 12), st.integers(1, 6))
ROWS = st.tuples(st.integers(2, 6), st.integers(1, 12))

some = settings(max_examples=25, deadline=None)


def draw(shape: Shape, random: np.random.Generator) -> Floats:
    return random.standard_normal(shape).astype(np.float32)


def assert_equal(ours: Floats, theirs: Floats) -> None:
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def compare(
    layer: Layer, reference: Callable[[Tensor], Tensor], shape: Shape, seed: int, *, training: bool = False
) -> None:
    """Compare outputs and the gradients of the inputs."""
    random = np.random.default_rng(seed)
    inputs = draw(shape, random)
    slope = draw(layer.forward_pass(inputs).shape, random)
    outputs, slopes, _ = our_pass(layer, inputs, slope, training=training)
    expected, expected_slopes = torch_pass(reference, inputs, slope)
    assert_equal(outputs, expected)
    assert_equal(slopes, expected_slopes)


@some
@given(IMAGES, st.integers(1, 8), st.integers(1, 5), st.integers(1, 3), st.sampled_from(["valid", "same"]), SEEDS)
def test_convolution(shape: Shape, filters: int, size: int, stride: int, padding: str, seed: int) -> None:
    assume(padding == "valid" or size % 2)
    assume(padding == "same" or min(shape[1:3]) >= size)
    layer = Conv2D(filters, size, stride, padding)
    layer.build(shape[1:], np.random.default_rng(seed))
    layer.parameters["bias"] += np.float32(0.3)
    reference = reference_convolution(layer)
    compare(layer, reference, shape, seed)
    assert reference.weight.grad is not None
    assert reference.bias is not None
    assert reference.bias.grad is not None
    places = shape[0] * int(np.prod(layer.forward_pass(np.zeros(shape, np.float32)).shape[1:3]))
    scale = max(places**0.5, 1)  # sums of so many numbers are rounded as much more
    assert_equal(
        layer.gradients["weights"] / np.float32(scale), reference.weight.grad.numpy().transpose(2, 3, 1, 0) / scale
    )
    assert_equal(layer.gradients["bias"] / np.float32(scale), reference.bias.grad.numpy() / scale)


@some
@given(IMAGES, st.integers(1, 3), st.integers(1, 3), SEEDS)
def test_pooling(shape: Shape, size: int, stride: int, seed: int) -> None:
    compare(MaxPool(size, stride), lambda x: functional.max_pool2d(x, size, stride), shape, seed)
    compare(AveragePool(size, stride), lambda x: functional.avg_pool2d(x, size, stride), shape, seed)
    compare(GlobalAveragePool(), lambda x: x.mean(dim=(2, 3)), shape, seed)


def test_of_equal_pixels_the_first_gets_the_gradient_as_in_torch() -> None:
    inputs, slope = np.zeros((1, 4, 4, 2), np.float32), np.ones((1, 2, 2, 2), np.float32)
    layer = MaxPool(2)
    layer.forward_pass(inputs)
    expected = torch_pass(lambda x: functional.max_pool2d(x, 2), inputs, slope)[1]
    np.testing.assert_array_equal(layer.backward_pass(slope), expected)


@some
@given(ROWS, st.integers(1, 8), SEEDS)
def test_dense(shape: Shape, units: int, seed: int) -> None:
    layer = Dense(units)
    layer.build(shape[1:], np.random.default_rng(seed))
    weights, bias = (torch.tensor(layer.parameters[name], requires_grad=True) for name in ("weights", "bias"))
    compare(layer, lambda x: x @ weights + bias, shape, seed)
    assert weights.grad is not None
    assert bias.grad is not None
    assert_equal(layer.gradients["weights"], weights.grad.numpy())
    assert_equal(layer.gradients["bias"], bias.grad.numpy())


@some
@given(ROWS, SEEDS)
def test_activations(shape: Shape, seed: int) -> None:
    for layer, reference in (
        (Sigmoid(), torch.sigmoid),
        (Tanh(), torch.tanh),
        (ReLU(), torch.relu),
        (Softmax(), lambda x: x.softmax(dim=1)),
    ):
        compare(layer, reference, shape, seed)


@some
@given(st.one_of(IMAGES, ROWS), SEEDS)
def test_batch_norm_and_what_it_remembers(shape: Shape, seed: int) -> None:
    assume(np.prod(shape[:-1]) >= 4)  # of two numbers the deviation may be so small that all its digits are rounding
    random = np.random.default_rng(seed)
    layer = BatchNorm()
    layer.build(shape[1:], random)
    layer.parameters = {name: value + draw(value.shape, random) for name, value in layer.parameters.items()}
    reference = reference_norm(layer, len(shape))
    inputs, slope = draw(shape, random), draw(shape, random)
    outputs, slopes, _ = our_pass(layer, inputs, slope, training=True)
    expected, expected_slopes = torch_pass(reference.train(), inputs, slope)
    assert_equal(outputs, expected)
    deviation = float(layer._deviation.min())
    np.testing.assert_allclose(slopes, expected_slopes, rtol=1e-5, atol=1e-5 / min(deviation, 1))
    running = {name: values.numpy() for name, values in reference.named_buffers()}
    assert_equal(layer.state["mean"], running["running_mean"])
    assert_equal(layer.state["variance"], running["running_var"])
    assert_equal(layer.forward_pass(inputs).astype(np.float32), torch_pass(reference.eval(), inputs, slope)[0])


@some
@given(ROWS, SEEDS)
def test_softmax_and_cross_entropy_together(shape: Shape, seed: int) -> None:
    random = np.random.default_rng(seed)
    logits = 8 * draw(shape, random)
    targets = random.dirichlet(np.ones(shape[1]), shape[0]).astype(np.float32)
    softmax, loss = Softmax(), CategoricalCrossEntropy()
    probabilities = softmax.forward_pass(logits)
    tensor = torch.tensor(logits, requires_grad=True)
    expected = functional.cross_entropy(tensor, torch.from_numpy(targets))
    expected.backward()  # type: ignore[no-untyped-call]
    assert loss.value(probabilities, targets) == pytest.approx(float(expected.detach()), rel=1e-5, abs=1e-5)
    assert tensor.grad is not None
    assert_equal(softmax.backward_pass(loss.slope(probabilities, targets)), tensor.grad.numpy())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD(0.1, 0.9), lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9)),
        (SGD(0.1, 0.0), lambda parameters: torch.optim.SGD(parameters, lr=0.1)),
        (Adam(0.01), lambda parameters: torch.optim.Adam(parameters, lr=0.01)),
        (Adam(0.01, 0.5, 0.9), lambda parameters: torch.optim.Adam(parameters, lr=0.01, betas=(0.5, 0.9))),
    ],
    ids=["momentum", "plain", "adam", "adam with other shares"],
)
def test_optimisers(ours: Optimizer, theirs: Callable[[list[Tensor]], Any]) -> None:
    random = np.random.default_rng(0)
    layer = Dense(3)
    layer.build((4,), random)
    weights = torch.tensor(layer.parameters["weights"].copy(), requires_grad=True)
    optimizer = theirs([weights])
    for _ in range(20):
        layer.gradients = {"weights": draw((4, 3), random), "bias": draw((3,), random)}
        weights.grad = torch.from_numpy(layer.gradients["weights"].copy())
        ours.step([layer])
        optimizer.step()
    assert_equal(layer.parameters["weights"], weights.detach().numpy())
