"""Normalization and regularization layers: batch norm, dropout, standardization of images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facemood.numpy_cnn.layer import Floats, Layer, Shape

KEEP = 0.9
"""Decay of the running mean and variance per batch."""

TINY = 1e-5
"""Added to variances, to avoid a division by zero."""


@dataclass(eq=False)
class BatchNorm(Layer):
    """Normalize each channel to mean 0 and variance 1 over the batch, then scale and shift it (Ioffe & Szegedy 2015).

        z = (x - mean) / sqrt(variance + 1e-5),  y = scale z + shift

    In training, mean and variance are those of the batch; at inference they are the running ones of earlier batches.
    In training they depend on x as well, so the gradient of x is scale / deviation (g - mean(g) - z mean(g z)).

    Keeps: z, the standard deviation, and the training mode.

    Parameters are ``scale`` and ``shift``, state is ``mean`` and ``variance``, all (c,).

    Example:
        >>> layer = BatchNorm()
        >>> layer.build((1,), np.random.default_rng(0))
        (1,)
        >>> layer.forward_pass(np.array([[1.0], [3.0]]), training=True).round(3).tolist()
        [[-1.0], [1.0]]
    """

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Create the parameters, and return the same shape."""
        ones, zeros = np.ones(shape[-1], np.float32), np.zeros(shape[-1], np.float32)
        self.parameters: dict[str, Floats] = {"scale": ones, "shift": zeros}
        self.state: dict[str, Floats] = {"mean": zeros.copy(), "variance": ones.copy()}
        return shape

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, ..., c) to the same shape."""
        mean, variance = self._measure(inputs) if training else (self.state["mean"], self.state["variance"])
        self._training, self._deviation = training, np.sqrt(variance + TINY)
        self._normal = (inputs - mean) / self._deviation
        outputs: Floats = self.parameters["scale"] * self._normal + self.parameters["shift"]
        return outputs

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, ..., c) to the same shape."""
        axes = tuple(range(gradient.ndim - 1))
        self.gradients: dict[str, Floats] = {
            "scale": (gradient * self._normal).sum(axis=axes),
            "shift": gradient.sum(axis=axes),
        }
        if self._training:
            count = gradient.size // gradient.shape[-1]
            through_mean, through_variance = self.gradients["shift"] / count, self.gradients["scale"] / count
            gradient = gradient - through_mean - self._normal * through_variance
        slopes: Floats = gradient * (self.parameters["scale"] / self._deviation)
        return slopes

    def _measure(self, inputs: Floats) -> tuple[Floats, Floats]:
        """Return mean and variance of a batch, and update the running ones."""
        axes = tuple(range(inputs.ndim - 1))
        mean, variance = inputs.mean(axis=axes), inputs.var(axis=axes)
        count = inputs.size // inputs.shape[-1]
        unbiased = variance * (count / max(count - 1, 1))
        for name, value in (("mean", mean), ("variance", unbiased)):
            self.state[name] = KEEP * self.state[name] + (1 - KEEP) * value
        return mean, variance


@dataclass(eq=False)
class Dropout(Layer):
    """Set a random share of the numbers to 0 in training, as regularization (Srivastava et al. 2014).

        y = x m / (1 - share),  m = 0 with probability share, and 1 elsewhere

    The other numbers are scaled up, so that the mean stays the same; at inference y = x.

    Keeps: the factors m / (1 - share).

    Attributes:
        share: Share of the numbers that is dropped, 0 or more and less than 1.

    Raises:
        ValueError: The share is out of range.

    Example:
        >>> Dropout(0.5).forward_pass(np.ones((1, 3))).tolist()
        [[1.0, 1.0, 1.0]]
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise ValueError(f"the share that is dropped must be 0 or more and less than 1, but is {self.share}")
        self._random = np.random.default_rng(0)

    def build(self, shape: Shape, random: np.random.Generator) -> Shape:
        """Create a separate random generator, and return the same shape."""
        self._random = np.random.default_rng(int(random.integers(2**32)))
        return shape

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, ...) to the same shape."""
        kept = self._random.random(inputs.shape) >= self.share if training else np.ones(inputs.shape, bool)
        self._factors = kept.astype(inputs.dtype) / (1 - self.share if training else 1)
        return inputs * self._factors

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, ...) to the same shape."""
        return gradient * self._factors


@dataclass(eq=False)
class Standardize(Layer):
    """Standardize each channel of each image to mean 0 and standard deviation 1, to remove brightness and contrast.

        z = x - mean(x),  y = z / sqrt(mean(z^2) + 1)

    The 1 is small compared with pixels of 0..255, and makes a flat image 0. The gradient of z is
    (g - y mean(g y)) / deviation, and the gradient of x is the same minus its mean.

    Keeps: outputs and standard deviations.

    Example:
        >>> Standardize().forward_pass(np.array([[[[10.0]], [[250.0]]]])).round(2).ravel().tolist()
        [-1.0, 1.0]
    """

    def forward_pass(self, inputs: Floats, *, training: bool = False) -> Floats:
        """Map (N, h, w, c) to the same shape."""
        centred: Floats = inputs - inputs.mean(axis=(1, 2), keepdims=True)
        variance: Floats = (centred * centred).mean(axis=(1, 2), keepdims=True)
        self._deviation = np.sqrt(variance + 1)
        self._outputs = centred / self._deviation
        return self._outputs

    def backward_pass(self, gradient: Floats) -> Floats:
        """Map (N, h, w, c) to the same shape."""
        along: Floats = (gradient * self._outputs).mean(axis=(1, 2), keepdims=True)
        centred = (gradient - self._outputs * along) / self._deviation
        slopes: Floats = centred - centred.mean(axis=(1, 2), keepdims=True)
        return slopes
