"""A convolutional network in plain NumPy, to read and to learn from.

Read `layer`, `dense`, `activations`, `losses` and `optimizers` first: they are enough for a dense network. Then read
`windows`, `convolution`, `pooling` and `normalization`. `sequential` and `training` train the layers; `checks` checks
their gradients. The course, ``docs/course.md``, has examples in
the same order. `drawn_faces` draws the faces of its exercises.
"""

from facemood.numpy_cnn.activations import Linear, ReLU, Sigmoid, Softmax, Tanh
from facemood.numpy_cnn.branches import Gate, Residual
from facemood.numpy_cnn.checks import check_all, check_layer
from facemood.numpy_cnn.convolution import Conv2D
from facemood.numpy_cnn.dense import Dense, Flatten
from facemood.numpy_cnn.face_network import jitter, small_network, small_options
from facemood.numpy_cnn.filters import FILTERS, apply_filter
from facemood.numpy_cnn.layer import Layer
from facemood.numpy_cnn.losses import CategoricalCrossEntropy, Penalty, one_hot
from facemood.numpy_cnn.normalization import BatchNorm, Dropout, Standardize
from facemood.numpy_cnn.optimizers import SGD, Adam
from facemood.numpy_cnn.pooling import AveragePool, GlobalAveragePool, MaxPool
from facemood.numpy_cnn.pretrained import load_network
from facemood.numpy_cnn.sequential import Sequential
from facemood.numpy_cnn.training import Epoch, FitOptions, cosine

__all__ = [
    "FILTERS",
    "SGD",
    "Adam",
    "AveragePool",
    "BatchNorm",
    "CategoricalCrossEntropy",
    "Conv2D",
    "Dense",
    "Dropout",
    "Epoch",
    "FitOptions",
    "Flatten",
    "Gate",
    "GlobalAveragePool",
    "Layer",
    "Linear",
    "MaxPool",
    "Penalty",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Standardize",
    "Tanh",
    "apply_filter",
    "check_all",
    "check_layer",
    "cosine",
    "jitter",
    "load_network",
    "one_hot",
    "small_network",
    "small_options",
]
