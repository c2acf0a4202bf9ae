"""The training loop: batches, epochs, validation and early stopping."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemood.numpy_cnn.layer import Floats
from facemood.numpy_cnn.losses import CategoricalCrossEntropy, Penalty
from facemood.numpy_cnn.optimizers import Adam, Optimizer
from facemood.numpy_cnn.trainable import Trainable

Pair = tuple[NDArray[np.generic], Floats]
"""Inputs (N, *shape) of any type, and targets (N, K)."""

LOSS = CategoricalCrossEntropy()
"""The loss of training."""

NO_PENALTY = Penalty()
"""No penalty on weights."""


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch.

    Attributes:
        loss: Mean training loss over the batches, with the penalty.
        accuracy: Training accuracy, 0..1.
        validation_loss: Validation loss after the epoch, without the penalty; None without validation.
        validation_accuracy: Validation accuracy, 0..1; None without validation.
        seconds: Duration, with validation.
    """

    loss: float
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """Training options.

    Attributes:
        epochs: Largest number of passes over all examples.
        batch_size: Examples per step.
        patience: Epochs without a lower validation loss after which training stops; None for never.
        penalty: Weight penalty.
        augment: Function of a batch (N, *shape) and a random generator that returns the augmented batch.
        schedule: Function of the completed share of training, 0..1, that returns a factor of the learning rate.
        seed: Seed of the order of the examples and the augmentation.
    """

    epochs: int = 10
    batch_size: int = 64
    patience: int | None = None
    penalty: Penalty = NO_PENALTY
    augment: Callable[[Floats, np.random.Generator], Floats] | None = None
    schedule: Callable[[float], float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or (self.patience is not None and self.patience < 1):
            raise ValueError(f"epochs, batch_size and patience must be 1 or more, but are {self}")


def fit(
    model: Trainable,
    examples: Pair,
    *,
    validation: Pair | None = None,
    optimizer: Optimizer | None = None,
    options: FitOptions | None = None,
    on_epoch: Callable[[int, Epoch], None] | None = None,
) -> list[Epoch]:
    """Train a model in place; see `Sequential.fit`."""
    chosen, optimizer = options or FitOptions(), optimizer or Adam()
    if len(examples[0]) != len(examples[1]) or not len(examples[0]):
        raise ValueError(f"there are {len(examples[0])} inputs and {len(examples[1])} targets; give one for each")
    random, first_rate = np.random.default_rng(chosen.seed), optimizer.rate
    rates = _rates(first_rate, len(examples[0]), chosen)
    history: list[Epoch] = []
    best = _Best(chosen.patience)
    for number in range(chosen.epochs):
        began = time.perf_counter()
        loss, accuracy = _learn_once(model, examples, optimizer, chosen, random, rates)
        held_loss, held_accuracy = model.evaluate(*validation) if validation else (None, None)
        history.append(Epoch(loss, accuracy, held_loss, held_accuracy, time.perf_counter() - began))
        if on_epoch:
            on_epoch(number, history[-1])
        if held_loss is not None and best.stops(held_loss, model):
            break
    best.restore(model)
    optimizer.rate = first_rate
    return history


def cosine(done: float) -> float:
    """Cosine schedule: return a factor from 1 at the start to 0 at the end of training.

    Example:
        >>> cosine(0.0), cosine(0.5), cosine(1.0)
        (1.0, 0.5, 0.0)
    """
    return round((1 + math.cos(math.pi * done)) / 2, 12)


def batches(count: int, size: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield batches of the numbers 0..count - 1 in random order; the last batch may be smaller."""
    order = random.permutation(count)
    for first in range(0, count, size):
        yield order[first : first + size]


def _rates(first: float, count: int, options: FitOptions) -> Iterator[float]:
    """Yield the learning rate for each step of training with `count` examples."""
    steps = options.epochs * -(-count // options.batch_size)  # an incomplete last batch counts too
    for step in range(steps):
        yield first * (options.schedule(step / steps) if options.schedule else 1)


def _learn_once(
    model: Trainable,
    examples: Pair,
    optimizer: Optimizer,
    options: FitOptions,
    random: np.random.Generator,
    rates: Iterator[float],
) -> tuple[float, float]:
    """Train one epoch, each batch with the next learning rate; return mean loss and accuracy."""
    inputs, targets = examples
    losses, right = 0.0, 0
    for rows in batches(len(inputs), options.batch_size, random):
        optimizer.rate = next(rates)
        batch = inputs[rows].astype(np.float32)
        if options.augment:
            batch = options.augment(batch, random)
        loss, probabilities = learn(model, batch, targets[rows], optimizer, options.penalty)
        losses += loss * len(rows)
        right += int((probabilities.argmax(axis=1) == targets[rows].argmax(axis=1)).sum())
    return losses / len(inputs), right / len(inputs)


def learn(
    model: Trainable, inputs: Floats, targets: Floats, optimizer: Optimizer, penalty: Penalty
) -> tuple[float, Floats]:
    """Train one step: forward pass, loss, backward pass, update. These lines are the whole of training.

    Args:
        model: A model that ends with a softmax.
        inputs: (N, *shape).
        targets: (N, K); each row sums to 1.
        optimizer: The optimizer.
        penalty: Weight penalty.

    Returns:
        The loss with the penalty, and the probabilities (N, K), both before the update.
    """
    layers = model.all_layers
    probabilities = model.forward_pass(inputs, training=True)
    loss = LOSS.value(probabilities, targets) + penalty.value(layers)
    model.backward_pass(LOSS.slope(probabilities, targets))
    penalty.add_slopes(layers)
    optimizer.step(layers)
    return loss, probabilities


class _Best:
    """The weights with the lowest validation loss so far."""

    def __init__(self, patience: int | None) -> None:
        self._patience, self._waited = patience, 0
        self._loss, self._weights = math.inf, dict[str, Floats]()

    def stops(self, loss: float, model: Trainable) -> bool:
        """Record the loss after an epoch, keep the weights if it is the lowest, and return whether to stop."""
        self._waited += 1
        if loss < self._loss:
            self._loss, self._waited = loss, 0
            self._weights = {name: value.copy() for name, value in model.weights().items()}
        return self._patience is not None and self._waited >= self._patience

    def restore(self, model: Trainable) -> None:
        """Restore the best weights, if there was validation."""
        if self._weights:
            model.set_weights(self._weights)
