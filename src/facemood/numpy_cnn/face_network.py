"""A small network for faces and its training options; training takes a quarter of an hour on two cores."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facemood.numpy_cnn.activations import ReLU, Softmax
from facemood.numpy_cnn.convolution import Conv2D
from facemood.numpy_cnn.dense import Dense
from facemood.numpy_cnn.layer import Floats, Layer
from facemood.numpy_cnn.losses import Penalty
from facemood.numpy_cnn.normalization import BatchNorm, Dropout, Standardize
from facemood.numpy_cnn.pooling import GlobalAveragePool, MaxPool
from facemood.numpy_cnn.sequential import Sequential
from facemood.numpy_cnn.training import FitOptions, cosine
from facemood.numpy_cnn.windows import pad

SIDE = 48
"""Side of a face in pixels, as in FER2013."""

RATE = 0.002
"""Initial learning rate of Adam for `small_options`."""

SHIFT = 3
"""Largest shift of faces by `jitter`, in pixels."""


def small_network(classes: int = 7, *, side: int = SIDE, seed: int = 0) -> Sequential:
    """Return an untrained network for grey faces: five convolutions on smaller and smaller maps, and a dense layer.

    Example:
        >>> model = small_network()
        >>> model.input_shape, model.output_shape, model.count_parameters()
        ((48, 48, 1), (7,), 135847)
    """
    layers = [
        Standardize(),
        *_stage(Conv2D(16, 5, stride=2, padding="same")),  # 24 x 24 for an input of 48 x 48
        *_stage(Conv2D(32, 3, padding="same")),
        MaxPool(2),  # 12 x 12
        *_stage(Conv2D(64, 3, padding="same")),
        *_stage(Conv2D(64, 3, padding="same")),
        MaxPool(2),  # 6 x 6
        *_stage(Conv2D(128, 3, padding="same")),
        GlobalAveragePool(),
        Dropout(0.2),
        Dense(classes),
        Softmax(),
    ]
    return Sequential(layers, input_shape=(side, side, 1), seed=seed)


def _stage(convolution: Conv2D) -> list[Layer]:
    """Return a convolution with batch norm and ReLU."""
    return [convolution, BatchNorm(), ReLU()]


def small_options(*, epochs: int, seed: int = 0) -> FitOptions:
    """Return the training options of the small network."""
    return FitOptions(
        epochs=epochs, batch_size=64, penalty=Penalty(l2=1e-4), augment=jitter, schedule=cosine, seed=seed
    )


def jitter(images: Floats, random: np.random.Generator) -> Floats:
    """Augment images: mirror half of them, and shift each by a few pixels; (N, h, w, c) to the same shape.

    Pixels from outside have the image's mean.
    """
    count, height, width, _ = images.shape
    mean = images.mean(axis=(1, 2), keepdims=True)
    mirrored = random.random((count, 1, 1, 1)) < 0.5
    turned = np.where(mirrored, images[:, :, ::-1], images)
    framed = pad(turned - mean, SHIFT)
    down, right = random.integers(0, 2 * SHIFT + 1, (2, count))
    views = sliding_window_view(framed, (height, width), axis=(1, 2))  # (N, 7, 7, c, h, w)
    moved: Floats = views[np.arange(count), down, right].transpose(0, 2, 3, 1) + mean
    return moved
