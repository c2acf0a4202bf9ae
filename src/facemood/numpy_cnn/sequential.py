"""Sequential: a network of consecutive layers, with training, prediction, saving and loading."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError
from facemood.numpy_cnn.layer import Floats, Layer, Shape, backward_through, build_through, forward_through, walk
from facemood.numpy_cnn.network_file import read_archive, write_archive
from facemood.numpy_cnn.optimizers import Optimizer
from facemood.numpy_cnn.training import LOSS, Epoch, FitOptions, Pair, fit

SPARE = 1_000_000
"""Weights more than a file holds that its layers may ask for; then the message can say which ones are missing."""


class Sequential:
    """A network of layers, each of which gets the output of the one before.

    Args:
        layers: The layers. For training, the last one must return probabilities.
        input_shape: Shape of one input, without N.
        seed: Seed of the initial weights.

    Raises:
        ValueError: A layer does not accept its input shape. The message names layer and shapes.

    Example:
        >>> from facemood.numpy_cnn import Conv2D, Dense, Flatten, MaxPool, ReLU, Softmax
        >>> layers = [Conv2D(4), ReLU(), MaxPool(2), Flatten(), Dense(7), Softmax()]
        >>> model = Sequential(layers, input_shape=(12, 12, 1))
        >>> model.predict(np.zeros((3, 12, 12, 1), np.uint8)).shape
        (3, 7)
    """

    layers: tuple[Layer, ...]
    input_shape: tuple[int, ...]

    def __init__(self, layers: Sequence[Layer], *, input_shape: Shape, seed: int | np.random.Generator = 0) -> None:
        self.layers, self.input_shape = tuple(layers), tuple(input_shape)
        self.output_shape: Shape = build_through(self.layers, self.input_shape, np.random.default_rng(seed))

    @property
    def all_layers(self) -> list[Layer]:
        """All layers; those inside of a layer come before it."""
        return [layer for _, layer in walk(self.layers)]

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, *input_shape) to (N, *output_shape).

        Raises:
            ValueError: The inputs have another shape.
        """
        if inputs.shape[1:] != self.input_shape:
            raise ValueError(f"expected inputs of (N, {', '.join(map(str, self.input_shape))}), but got {inputs.shape}")
        return forward_through(self.layers, inputs, training=training)

    def backward_pass(self, gradient: Floats) -> Floats:
        """Turn the gradient of the loss for the outputs into that for the inputs, and set the layers' gradients."""
        return backward_through(self.layers, gradient)

    def predict(self, inputs: NDArray[np.generic], *, batch_size: int = 128) -> NDArray[np.float32]:
        """Return the outputs (N, *output_shape) float32 for inputs (N, *input_shape) of any type."""
        parts = [inputs[first : first + batch_size] for first in range(0, len(inputs), batch_size)]
        outputs = [self.forward_pass(part.astype(np.float32)) for part in parts]
        return np.concatenate([np.zeros((0, *self.output_shape)), *outputs]).astype(np.float32)

    def evaluate(self, inputs: NDArray[np.generic], targets: Floats) -> tuple[float, float]:
        """Return loss and accuracy for targets (N, K)."""
        probabilities = self.predict(inputs)
        right = probabilities.argmax(axis=1) == targets.argmax(axis=1)
        return LOSS.value(probabilities, targets), float(right.mean())

    def fit(
        self,
        inputs: NDArray[np.generic],
        targets: Floats,
        *,
        validation: Pair | None = None,
        optimizer: Optimizer | None = None,
        options: FitOptions | None = None,
        on_epoch: Callable[[int, Epoch], None] | None = None,
    ) -> list[Epoch]:
        """Train the network in place.

        Args:
            inputs: (N, *input_shape) of any type; each batch is converted to float32.
            targets: (N, K); each row sums to 1, as from `one_hot`.
            validation: Inputs and targets for validation. The weights with the lowest loss on them are kept.
            optimizer: The optimizer; None for Adam.
            options: Epochs, batch size and other options.
            on_epoch: Called after each epoch with its number from 0 and its figures.

        Returns:
            The history, one `Epoch` for each completed epoch.

        Raises:
            ValueError: There are no examples, or not one target for each.

        Example:
            >>> from facemood.numpy_cnn import Dense, Softmax, one_hot
            >>> points = np.array([[0.0], [1.0], [2.0], [3.0]])
            >>> model = Sequential([Dense(2), Softmax()], input_shape=(1,))
            >>> history = model.fit(points, one_hot(np.array([0, 0, 1, 1]), 2), options=FitOptions(epochs=3))
            >>> len(history), history[2].loss < history[0].loss
            (3, True)
        """
        return fit(
            self, (inputs, targets), validation=validation, optimizer=optimizer, options=options, on_epoch=on_epoch
        )

    def weights(self) -> dict[str, Floats]:
        """Return parameters and state of all layers, without copies, by names such as ``3.0.weights``."""
        found = {}
        for place, layer in walk(self.layers):
            found.update({f"{place}.{name}": value for name, value in (layer.parameters | layer.state).items()})
        return found

    def set_weights(self, weights: Mapping[str, Floats]) -> None:
        """Set all weights to copies of the given ones, by the names of `weights`.

        Raises:
            ValueError: A name is missing or unknown, or an array has another shape.
        """
        own = {name: value.shape for name, value in self.weights().items()}
        given = {name: value.shape for name, value in weights.items()}
        if own != given:
            wrong = sorted(name for name in own.keys() | given.keys() if own.get(name) != given.get(name))
            raise ValueError(f"the weights do not belong to these layers: {', '.join(wrong[:3])} differ")
        for place, layer in walk(self.layers):
            for values in (layer.parameters, layer.state):
                values.update({name: np.array(weights[f"{place}.{name}"]) for name in values})

    def count_parameters(self) -> int:
        """Return the number of trainable parameters."""
        return sum(value.size for layer in self.all_layers for value in layer.parameters.values())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write layers and weights to an .npz file, which is renamed into place when it is complete.

        Raises:
            OutputError: The file cannot be written.
        """
        write_archive(path, self.layers, self.input_shape, self.weights())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Sequential:
        """Read a network from a file by `save`.

        Raises:
            ModelError: The file is missing, is not such an archive, or names an unknown layer.
        """
        layers, input_shape, weights = read_archive(path)
        try:
            blank = _BlankWeights(SPARE + sum(values.size for values in weights.values()))
            model = cls(layers, input_shape=input_shape, seed=blank)
            model.set_weights(weights)
        except Exception as error:  # each kind of layer, also of your own, fails in its own way on a wrong option
            raise ModelError(f"{path}: layers and weights do not belong together ({error})") from error
        return model


class _BlankWeights(np.random.Generator):
    """First weights of zeros, for a network whose weights follow: a file cannot ask for more than it holds.

    Args:
        most: How many weights may be asked for.
    """

    def __init__(self, most: int) -> None:
        super().__init__(np.random.PCG64(0))
        self._left = most

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        """Return zeros of a shape.

        Raises:
            ValueError: The file has not so many weights.
        """
        self._left -= math.prod(size)
        if self._left < 0:
            raise ValueError("the layers need more weights than there are")
        return np.zeros(size, dtype)
