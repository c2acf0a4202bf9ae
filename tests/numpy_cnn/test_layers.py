"""Layers agree with their formulas, computed by plain loops, and reject wrong inputs."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from facemood.numpy_cnn import (
    FILTERS,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Gate,
    GlobalAveragePool,
    Layer,
    MaxPool,
    Residual,
    Sequential,
    apply_filter,
)
from facemood.numpy_cnn.layer import Floats, Shape
from facemood.numpy_cnn.windows import add_windows, pad, take_windows, unpad

SEEDS = st.integers(0, 2**32 - 1)


def convolve_slowly(layer: Conv2D, image: Floats) -> Floats:
    """The formula in Conv2D's docstring, letter by letter, for one image (h, w, c)."""
    x, f, s = np.pad(image, ((layer.frame,) * 2, (layer.frame,) * 2, (0, 0))), layer.size, layer.stride
    rows, columns = ((n + 2 * layer.frame - f) // s + 1 for n in image.shape[:2])
    y = np.zeros((rows, columns, layer.filters))
    for i in range(rows):
        for j in range(columns):
            for k in range(layer.filters):
                window = x[s * i : s * i + f, s * j : s * j + f]
                y[i, j, k] = layer.parameters["bias"][k] + (window * layer.parameters["weights"][..., k]).sum()
    return y


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3)),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 3),
    st.sampled_from(["valid", "same"]),
    SEEDS,
)
def test_convolution_is_its_formula(
    shape: Shape, filters: int, size: int, stride: int, padding: str, seed: int
) -> None:
    assume(size % 2 or padding == "valid")
    assume(min(shape[:2]) >= size or padding == "same")
    random = np.random.default_rng(seed)
    layer = Conv2D(filters, size, stride, padding)
    built = layer.build(shape, random)
    images = random.standard_normal((2, *shape))
    outputs = layer.forward_pass(images)
    assert outputs.shape == (2, *built)
    np.testing.assert_allclose(outputs, [convolve_slowly(layer, image) for image in images], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 4), st.integers(1, 4), SEEDS)
def test_laying_windows_back_is_the_transpose_of_taking_them(h: int, w: int, size: int, stride: int, seed: int) -> None:
    assume(min(h, w) >= size)
    random = np.random.default_rng(seed)
    images = random.standard_normal((2, h, w, 3))
    windows = take_windows(images, size, stride=stride)
    others = random.standard_normal(windows.shape)
    back = add_windows(others, images.shape, stride=stride)
    assert float((windows * others).sum()) == pytest.approx(float((images * back).sum()), abs=1e-9)


@given(st.integers(0, 3))
def test_padding_is_undone(padding: int) -> None:
    images = np.arange(24.0).reshape(1, 4, 3, 2)
    padded = pad(images, padding)
    assert padded.sum() == images.sum()
    assert padded.shape == (1, 4 + 2 * padding, 3 + 2 * padding, 2)
    np.testing.assert_array_equal(unpad(padded, padding), images)


def test_dropout_drops_its_share_keeps_the_sum_and_sleeps_at_inference() -> None:
    layer, ones = Dropout(0.3), np.ones((100, 1000), np.float32)
    layer.build((1000,), np.random.default_rng(0))
    dropped = layer.forward_pass(ones, training=True)
    assert float((dropped == 0).mean()) == pytest.approx(0.3, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
    assert (layer.forward_pass(ones, training=True) != dropped).any()
    np.testing.assert_array_equal(layer.forward_pass(ones), ones)


def test_batch_norm_gives_mean_zero_and_its_running_state_converges_to_the_data() -> None:
    random, layer = np.random.default_rng(0), BatchNorm()
    layer.build((2,), random)
    for _ in range(100):
        outputs = layer.forward_pass(random.normal([3.0, -1.0], [2.0, 0.5], (512, 2)), training=True)
    np.testing.assert_allclose(outputs.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(outputs.std(axis=0), 1, atol=1e-3)
    np.testing.assert_allclose(layer.state["mean"], [3, -1], atol=0.1)
    np.testing.assert_allclose(layer.state["variance"], [4, 0.25], rtol=0.1)


def test_float32_stays_float32() -> None:
    layers: list[Layer] = [
        Conv2D(2, padding="same"),
        BatchNorm(),
        Residual([Conv2D(2, padding="same")]),
        Gate([GlobalAveragePool(), Dense(2)]),
        Dropout(0.2),
        MaxPool(2),
        Flatten(),
        Dense(3),
    ]
    model = Sequential(layers, input_shape=(6, 6, 1))
    outputs = model.forward_pass(np.ones((2, 6, 6, 1), np.float32), training=True)
    slopes = model.backward_pass(np.ones_like(outputs))
    gradients = {name: g.dtype for layer in model.all_layers for name, g in layer.gradients.items()}
    assert {outputs.dtype, slopes.dtype, *gradients.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        ([Dense(3)], (6, 6, 1), "put Flatten before it"),
        ([Flatten(), Conv2D(2)], (6, 6, 1), "put it before Flatten"),
        ([MaxPool(4), Conv2D(2)], (6, 6, 1), "a window of 3 x 3 does not fit into 1 x 1 pixels"),
        ([Conv2D(2, stride=0)], (6, 6, 1), "size and stride must be 1 or more"),
        ([Residual([Conv2D(2)])], (6, 6, 1), r"the body gives \(4, 4, 2\), but the shortcut \(6, 6, 1\)"),
        ([Gate([GlobalAveragePool(), Dense(3)])], (6, 6, 1), r"give \(3,\), but the image has 1 channels"),
    ],
)
def test_layers_with_wrong_shapes_are_rejected(layers: list[Layer], shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sequential(layers, input_shape=shape)


def test_invalid_options_are_rejected() -> None:
    with pytest.raises(ValueError, match="needs an odd size, but it is 4; use 5"):
        Conv2D(2, 4, padding="same")
    with pytest.raises(ValueError, match="unknown padding 'full'; expected valid or same"):
        Conv2D(2, padding="full")
    with pytest.raises(ValueError, match="less than 1, but is 1"):
        Dropout(1.0)


def test_the_classic_filters_do_what_they_are_called() -> None:
    step = np.repeat(np.array([[0] * 4 + [100] * 4], np.uint8), 6, axis=0)  # dark on the left, light on the right
    assert (apply_filter(step, FILTERS["identity"]) == step).all()
    edge = apply_filter(step, FILTERS["edge"])
    assert np.abs(edge[:, [0, 1, 2, 5, 6, 7]]).max() == 0
    assert (edge[:, 3].tolist(), edge[:, 4].tolist()) == ([-300] * 6, [300] * 6)
    np.testing.assert_allclose(apply_filter(step, FILTERS["blur"])[2], [0, 0, 0, 25, 75, 100, 100, 100])
    np.testing.assert_allclose(apply_filter(step, FILTERS["sharpen"])[2], [0, 0, 0, -100, 200, 100, 100, 100])
    assert apply_filter(step, FILTERS["emboss"])[2, 3:5].min() > 100
