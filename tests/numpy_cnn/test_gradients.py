"""Every layer's backward pass is the gradient of its forward pass, for random shapes and options, in float64."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from facemood.numpy_cnn import (
    AveragePool,
    BatchNorm,
    CategoricalCrossEntropy,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Gate,
    GlobalAveragePool,
    Layer,
    Linear,
    MaxPool,
    Penalty,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    Standardize,
    Tanh,
    check_layer,
)
from facemood.numpy_cnn import checks as checks_module
from facemood.numpy_cnn.checks import TOLERANCE, check_all, examples, numerical_slope, spread
from facemood.numpy_cnn.layer import Floats, Shape
from facemood.numpy_cnn.windows import count_windows

SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.integers(1, 7)
IMAGES = st.tuples(SIDES, SIDES, st.integers(1, 3))
ROWS = st.tuples(st.integers(1, 6))
SHAPES = st.one_of(IMAGES, ROWS)

few = settings(max_examples=15, deadline=None)


def assert_right(layer: Layer, shape: Shape, seed: int, *, training: bool = False) -> None:
    errors = check_layer(layer, shape, training=training, seed=seed)
    assert set(layer.gradients) <= set(errors)
    assert {name: error for name, error in errors.items() if error >= TOLERANCE} == {}


@few
@given(IMAGES, st.integers(1, 3), st.integers(1, 5), st.integers(1, 3), st.sampled_from(["valid", "same"]), SEEDS)
def test_convolution(shape: Shape, filters: int, size: int, stride: int, padding: str, seed: int) -> None:
    assume(padding == "valid" or size % 2)
    frame = (size - 1) // 2 if padding == "same" else 0
    assume(all(count_windows(side, size, padding=frame) >= 1 for side in shape[:2]))
    assert_right(Conv2D(filters, size, stride, padding), shape, seed)


@few
@given(st.sampled_from([MaxPool, AveragePool]), IMAGES, st.integers(1, 4), st.integers(1, 4) | st.none(), SEEDS)
def test_pooling(
    kind: type[MaxPool] | type[AveragePool], shape: Shape, size: int, stride: int | None, seed: int
) -> None:
    assume(min(shape[:2]) >= size)
    assert_right(kind(size, stride), shape, seed)


@few
@given(st.sampled_from([GlobalAveragePool, Flatten, Standardize]), IMAGES, SEEDS)
def test_layers_of_images(kind: type[Layer], shape: Shape, seed: int) -> None:
    assert_right(kind(), shape, seed)


@few
@given(ROWS, st.integers(1, 5), SEEDS)
def test_dense(shape: Shape, units: int, seed: int) -> None:
    assert_right(Dense(units), shape, seed)


@few
@given(st.sampled_from([Linear, Sigmoid, Tanh, ReLU, Softmax]), SHAPES, SEEDS)
def test_activations(kind: type[Layer], shape: Shape, seed: int) -> None:
    assert_right(kind(), shape, seed)


@few
@given(SHAPES, st.booleans(), SEEDS)
def test_batch_norm(shape: Shape, training: bool, seed: int) -> None:
    assert_right(BatchNorm(), shape, seed, training=training)


@few
@given(SHAPES, st.floats(0, 0.9), st.booleans(), SEEDS)
def test_dropout(shape: Shape, share: float, training: bool, seed: int) -> None:
    assert_right(Dropout(share), shape, seed, training=training)


@few
@given(st.tuples(st.integers(2, 5), st.integers(2, 5), st.integers(1, 3)), st.booleans(), SEEDS)
def test_layers_made_of_layers(shape: Shape, training: bool, seed: int) -> None:
    channels = shape[2]
    body: list[Layer] = [
        Conv2D(3, padding="same"),
        BatchNorm(),
        Tanh(),
        Gate([GlobalAveragePool(), Dense(2), Tanh(), Dense(3), Sigmoid()]),
        Conv2D(channels, padding="same"),
    ]
    assert_right(Residual(body), shape, seed, training=training)
    assert_right(Residual([AveragePool(2), Conv2D(2, 1)], [MaxPool(2), Conv2D(2, 1)]), shape, seed, training=training)


@few
@given(st.integers(1, 4), st.integers(2, 5), st.floats(0, 1), st.floats(0, 1), SEEDS)
def test_losses(count: int, classes: int, l1: float, l2: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities, targets = random.dirichlet(np.ones(classes), (2, count))
    probabilities = probabilities + 0.05
    loss, penalty = CategoricalCrossEntropy(), Penalty(l1, l2)
    expected = numerical_slope(lambda: loss.value(probabilities, targets), probabilities)
    np.testing.assert_allclose(loss.slope(probabilities, targets), expected, rtol=1e-5, atol=1e-7)
    weights = spread((count, classes), random)
    expected = numerical_slope(lambda: penalty.price(weights), weights)
    np.testing.assert_allclose(penalty.slope(weights), expected, rtol=1e-5, atol=1e-7)


@few
@given(SEEDS)
def test_a_whole_network_with_loss_and_penalty(seed: int) -> None:
    random = np.random.default_rng(seed)
    layers: list[Layer] = [Conv2D(2), BatchNorm(), Tanh(), MaxPool(2), Flatten(), Dense(3), Softmax()]
    model = Sequential(layers, input_shape=(6, 6, 1), seed=seed)
    model.set_weights({name: value.astype(np.float64) for name, value in model.weights().items()})
    loss, penalty = CategoricalCrossEntropy(), Penalty(0.02, 0.03)
    inputs, targets = spread((3, 6, 6, 1), random), np.eye(3)

    def value() -> float:
        return loss.value(model.forward_pass(inputs, training=True), targets) + penalty.value(model.all_layers)

    model.backward_pass(loss.slope(model.forward_pass(inputs, training=True), targets))
    penalty.add_slopes(model.all_layers)
    found = {id(layer): dict(layer.gradients) for layer in model.all_layers}
    for layer in model.all_layers:
        for name, parameter in layer.parameters.items():
            expected = numerical_slope(value, parameter)
            np.testing.assert_allclose(found[id(layer)][name], expected, rtol=1e-4, atol=1e-7)


def test_all_examples_are_right_and_hold_every_kind_of_layer() -> None:
    assert max(check_all().values()) < TOLERANCE
    kinds = {type(layer) for layer, _, _ in examples().values()}
    assert kinds >= {kind for kind in vars(checks_module).values() if isinstance(kind, type) and is_layer(kind)}


def is_layer(kind: type) -> bool:
    return issubclass(kind, Layer) and kind is not Layer


class WrongBias(Dense):
    """A typical error: the gradient of the bias is the mean, not the sum."""

    def backward_pass(self, gradient: Floats) -> Floats:
        slopes = super().backward_pass(gradient)
        self.gradients["bias"] = gradient.mean(axis=0)
        return slopes


class WrongCut(ReLU):
    """A typical error: the gradient is not 0 where the input was negative."""

    def backward_pass(self, gradient: Floats) -> Floats:
        return gradient


class WrongNorm(BatchNorm):
    """A typical error: mean and variance are treated as constant in training."""

    def backward_pass(self, gradient: Floats) -> Floats:
        self._training = False
        return super().backward_pass(gradient)


@pytest.mark.parametrize(
    ("layer", "wrong"), [(WrongBias(3), {"bias"}), (WrongCut(), {"inputs"}), (WrongNorm(), {"inputs"})]
)
def test_a_wrong_gradient_is_found_and_named(layer: Layer, wrong: set[str]) -> None:
    errors = check_layer(layer, (4,), training=True)
    assert {name for name, error in errors.items() if error >= 1000 * TOLERANCE} == wrong
    assert {name for name, error in errors.items() if error < TOLERANCE} == set(errors) - wrong
