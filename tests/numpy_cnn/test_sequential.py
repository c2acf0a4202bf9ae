"""Sequential: training, early stopping, best weights, prediction, saving and loading."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facemood.errors import ModelError, OutputError
from facemood.numpy_cnn import (
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Epoch,
    FitOptions,
    Flatten,
    Gate,
    GlobalAveragePool,
    Layer,
    MaxPool,
    Penalty,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
    Softmax,
    Tanh,
    cosine,
    jitter,
    one_hot,
    small_network,
    small_options,
)
from facemood.numpy_cnn.layer import Floats
from facemood.numpy_cnn.training import Pair

Labelled = tuple[NDArray[np.uint8], NDArray[np.float32]]


def bars(count: int, seed: int) -> Labelled:
    """Noisy images (N, 12, 12, 1) with a horizontal or vertical bright bar, and their labels."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 100, (count, 12, 12, 1), np.uint8)
    labels = random.integers(0, 2, count)
    for image, label, place in zip(images, labels, random.integers(1, 10, count), strict=True):
        line = image[place : place + 2] if label else image[:, place : place + 2]
        line[...] = 160
    return images, one_hot(labels, 2)


def make_model(seed: int = 0) -> Sequential:
    layers: list[Layer] = [Conv2D(4), BatchNorm(), ReLU(), MaxPool(2), Flatten(), Dropout(0.2), Dense(2), Softmax()]
    return Sequential(layers, input_shape=(12, 12, 1), seed=seed)


def test_a_dense_network_learns_the_exclusive_or() -> None:
    points, labels = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    model = Sequential([Dense(8), Tanh(), Dense(2), Softmax()], input_shape=(2,))
    history = model.fit(points, one_hot(labels, 2), optimizer=Adam(0.05), options=FitOptions(epochs=200, batch_size=4))
    assert model.predict(points).argmax(axis=1).tolist() == labels.tolist()
    assert history[-1].loss < 0.05 < history[0].loss
    assert history[-1].validation_loss is None


@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.02)], ids=["adam", "sgd"])
def test_a_convolutional_network_generalizes(optimizer: Adam | SGD) -> None:
    model, held = make_model(), bars(200, 1)
    told: list[int] = []
    options = FitOptions(epochs=6, batch_size=32, schedule=cosine, penalty=Penalty(l2=1e-4))
    first_rate = optimizer.rate
    history = model.fit(
        *bars(400, 0),
        validation=held,
        optimizer=optimizer,
        options=options,
        on_epoch=lambda number, epoch: told.append(number),
    )
    assert told == list(range(6))
    assert optimizer.rate == first_rate
    assert model.evaluate(*held)[1] > 0.95
    best = min(history, key=lambda epoch: epoch.validation_loss or 0)
    assert model.evaluate(*held) == (best.validation_loss, best.validation_accuracy)


def test_equal_seeds_make_equal_networks() -> None:
    data, options = bars(64, 0), FitOptions(epochs=2, augment=jitter, seed=3)
    one, same, other = make_model(5), make_model(5), make_model(6)
    for model in (one, same, other):
        model.fit(*data, options=options)
    for name, values in one.weights().items():
        np.testing.assert_array_equal(values, same.weights()[name])
    assert not np.array_equal(one.predict(data[0]), other.predict(data[0]))


def test_training_stops_when_validation_no_longer_falls_and_the_best_weights_return() -> None:
    images, targets = bars(64, 0)
    wrong: Pair = (images, targets[:, ::-1])  # what is learnt makes these worse
    model = make_model()
    seen: list[dict[str, Floats]] = []

    def look(number: int, epoch: Epoch) -> None:
        seen.append({name: value.copy() for name, value in model.weights().items()})

    options = FitOptions(epochs=50, batch_size=16, patience=3)
    history = model.fit(images, targets, validation=wrong, optimizer=Adam(0.01), options=options, on_epoch=look)
    losses = [epoch.validation_loss or 0.0 for epoch in history]
    best = int(np.argmin(losses))
    assert len(history) == best + 4 < 50
    for name, value in model.weights().items():
        np.testing.assert_array_equal(value, seen[best][name])


def test_penalties_shrink_weights_but_not_biases() -> None:
    data = bars(64, 0)
    sizes = {}
    for name, penalty in {"free": Penalty(), "l1": Penalty(l1=0.1), "l2": Penalty(l2=0.1)}.items():
        model = make_model()
        model.fit(*data, optimizer=SGD(0.02), options=FitOptions(epochs=15, penalty=penalty))
        sizes[name] = float(np.abs(model.weights()["0.weights"]).sum())
    assert max(sizes["l1"], sizes["l2"]) < 0.8 * sizes["free"]
    layer = Dense(1)
    layer.parameters = {"weights": np.ones((2, 1)), "bias": np.full(1, 100.0)}
    assert Penalty(l1=1, l2=1).value([layer]) == 4


def test_jitter_mirrors_and_moves_but_invents_nothing() -> None:
    random = np.random.default_rng(0)
    image = random.random((1, 12, 12, 1)).astype(np.float32)
    image -= image.mean()
    made = jitter(np.repeat(image, 200, axis=0), random)
    assert made.shape == (200, 12, 12, 1)
    found = set()
    for one in made[..., 0]:
        for mirrored in (False, True):
            source = np.pad(image[0, :, ::-1, 0] if mirrored else image[0, :, :, 0], 3)
            views = np.lib.stride_tricks.sliding_window_view(source, (12, 12))
            places = np.argwhere(np.isclose(views, one, atol=1e-6).all(axis=(2, 3))).tolist()
            found |= {(mirrored, *place) for place in places}
    assert len(found) > 60  # of 98 ways
    assert {mirrored for mirrored, *_ in found} == {False, True}


def test_a_network_is_the_same_after_a_save_and_a_load(tmp_path: Path) -> None:
    layers: list[Layer] = [
        Conv2D(4, 3, padding="same"),
        BatchNorm(),
        Residual([Conv2D(4, 3, padding="same"), Gate([GlobalAveragePool(), Dense(4), Sigmoid()])], [Conv2D(4, 1)]),
        MaxPool(2, 3),
        Flatten(),
        Dropout(0.1),
        Dense(2),
        Softmax(),
    ]
    model = Sequential(layers, input_shape=(12, 12, 1), seed=4)
    images, targets = bars(64, 0)
    model.fit(images, targets, options=FitOptions(epochs=1))
    model.save(tmp_path / "mine.npz")
    loaded = Sequential.load(tmp_path / "mine.npz")
    np.testing.assert_array_equal(loaded.predict(images), model.predict(images))
    assert [repr(layer) for layer in loaded.all_layers] == [repr(layer) for layer in model.all_layers]
    assert loaded.count_parameters() == model.count_parameters() > 0
    loaded.fit(images, targets, options=FitOptions(epochs=1))
    assert not np.array_equal(loaded.predict(images), model.predict(images))  # the copies are its own


class Twice(Layer):
    """A user's layer."""

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        return 2 * inputs

    def backward_pass(self, gradient: Floats) -> Floats:
        return 2 * gradient


def test_a_layer_of_ones_own_is_saved_and_loaded(tmp_path: Path) -> None:
    Sequential([Twice(), Twice()], input_shape=(2,)).save(tmp_path / "mine.npz")
    loaded = Sequential.load(tmp_path / "mine.npz")
    assert loaded.predict(np.ones((1, 2))).tolist() == [[4, 4]]


DENSE = {"kind": "Dense", "units": 2}

DESCRIPTIONS: dict[str, Any] = {
    "no JSON": "{",
    "nested": "[" * 100_000,
    "nested layers": '{"input_shape": [2], "layers": ' + '[{"kind": "Residual", "body": ' * 5000,
    "null": "null",
    "no shape": {"layers": [DENSE]},
    "a shape of texts": {"input_shape": ["2"], "layers": [DENSE]},
    "a shape below 1": {"input_shape": [0], "layers": [DENSE]},
    "an empty shape": {"input_shape": [], "layers": [DENSE]},
    "a number for a shape": {"input_shape": 2, "layers": [DENSE]},
    "no layers": {"input_shape": [2]},
    "a table for layers": {"input_shape": [2], "layers": DENSE},
    "a text for a layer": {"input_shape": [2], "layers": ["Dense"]},
    "a layer without a kind": {"input_shape": [2], "layers": [{"units": 2}]},
    "a list for a kind": {"input_shape": [2], "layers": [{"kind": ["Dense"], "units": 2}]},
    "an unknown option": {"input_shape": [2], "layers": [{**DENSE, "unit": 2}]},
    "a text for units": {"input_shape": [2], "layers": [{"kind": "Dense", "units": "2"}]},
    "units below 0": {"input_shape": [2], "layers": [{"kind": "Dense", "units": -1}]},
    "units beyond memory": {"input_shape": [2], "layers": [{"kind": "Dense", "units": 10**12}]},
    "weights of gigabytes": {"input_shape": [2**20], "layers": [{"kind": "Dense", "units": 2**14}]},
    "an image beyond memory": {"input_shape": [2**30, 2**30, 9], "layers": [{"kind": "Flatten"}, DENSE]},
    "a stride of 0": {"input_shape": [8, 8, 1], "layers": [{"kind": "Conv2D", "filters": 1, "size": 3, "stride": 0}]},
    "a window of 0": {"input_shape": [8, 8, 1], "layers": [{"kind": "MaxPool", "size": 0}]},
    "layers that do not fit": {"input_shape": [8, 8, 1], "layers": [DENSE]},
    "a number for layers inside": {"input_shape": [2], "layers": [{"kind": "Residual", "body": 3}]},
}
"""What is wrong with the description of a network."""


@pytest.mark.parametrize("case", DESCRIPTIONS)
def test_a_damaged_description_is_an_error_that_names_the_file(case: str, tmp_path: Path) -> None:
    text = DESCRIPTIONS[case] if isinstance(DESCRIPTIONS[case], str) else json.dumps(DESCRIPTIONS[case])
    np.savez(
        tmp_path / "bad.npz",
        allow_pickle=True,
        **{"layers": np.array(text), "0.weights": np.zeros((2, 2)), "0.bias": np.zeros(2)},
    )
    with pytest.raises(ModelError, match=r"bad\.npz: ") as caught:
        Sequential.load(tmp_path / "bad.npz")
    assert len(str(caught.value)) < 900


@pytest.mark.parametrize("values", [np.array("text"), np.zeros((2, 2), np.int64), np.array([None], object)])
def test_weights_of_another_kind_are_refused(values: np.ndarray, tmp_path: Path) -> None:
    text = json.dumps({"input_shape": [2], "layers": [DENSE]})
    np.savez(
        tmp_path / "bad.npz",
        allow_pickle=True,
        **{"layers": np.array(text), "0.weights": values, "0.bias": np.zeros(2)},
    )
    with pytest.raises(ModelError, match=r"bad\.npz: .*the array '0\.weights'"):
        Sequential.load(tmp_path / "bad.npz")


def test_unreadable_and_unwritable_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such file"):
        Sequential.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(ModelError, match=r"is not a network of numpy_cnn"):
        Sequential.load(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    with pytest.raises(ModelError, match=r"is not a network of numpy_cnn"):
        Sequential.load(tmp_path / "other.npz")
    described = {"input_shape": [2], "layers": [{"kind": "Dens", "units": 2}]}
    np.savez(tmp_path / "kind.npz", layers=np.array(json.dumps(described)))
    with pytest.raises(ModelError, match="unknown kind of layer 'Dens'.* Did you mean 'Dense'"):
        Sequential.load(tmp_path / "kind.npz")
    described["layers"] = [{"kind": "Dense", "units": 2}]
    np.savez(tmp_path / "bare.npz", layers=np.array(json.dumps(described)))
    with pytest.raises(ModelError, match=r"do not belong together .*0\.bias, 0\.weights differ"):
        Sequential.load(tmp_path / "bare.npz")
    np.savez(tmp_path / "list.npz", layers=np.array("[]"))
    with pytest.raises(ModelError, match=r"is not a network of numpy_cnn"):
        Sequential.load(tmp_path / "list.npz")
    with pytest.raises(OutputError, match="it is a folder"):
        make_model().save(tmp_path)


def test_wrong_shapes_are_rejected() -> None:
    model = make_model()
    with pytest.raises(ValueError, match=r"expected inputs of \(N, 12, 12, 1\), but got \(2, 12, 12\)"):
        model.predict(np.zeros((2, 12, 12)))
    with pytest.raises(ValueError, match="there are 4 inputs and 3 targets"):
        model.fit(np.zeros((4, 12, 12, 1)), np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match=r"do not belong to these layers: 6\.bias, 6\.weights"):
        model.set_weights({name: value for name, value in model.weights().items() if not name.startswith("6")})
    with pytest.raises(ValueError, match="must be 1 or more"):
        FitOptions(epochs=0)


def test_predicting_nothing_gives_nothing() -> None:
    assert make_model().predict(np.zeros((0, 12, 12, 1))).shape == (0, 2)


def test_the_small_network_learns_a_few_faces_by_heart() -> None:
    random = np.random.default_rng(0)
    faces, targets = random.integers(0, 256, (16, 48, 48, 1), np.uint8), one_hot(np.arange(16) % 7, 7)
    model = small_network()
    options = replace(small_options(epochs=10), batch_size=16, augment=None)
    history = model.fit(faces, targets, options=options)
    assert history[-1].loss < 0.5 * history[0].loss
