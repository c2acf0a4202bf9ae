"""LIME (Ribeiro et al. 2016): a linear model of a label's probability, fitted to samples with hidden superpixels."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ExplanationError, require
from facemood.explain.fill import HidableFace
from facemood.explain.scoring import BATCH, InputScorer
from facemood.explain.segmenters import EXTRA

KERNEL_WIDTH = 0.25
"""Width of the exponential kernel over cosine distances: the default of the package lime for images."""

FEWEST = 10
"""Fewest samples for a fit."""

Floats = NDArray[np.float32]


class LocalFit(NamedTuple):
    """A linear model of a network around one face.

    Attributes:
        weights: (S,) float32, what each visible superpixel adds to the label's probability.
        r2: Weighted coefficient of determination of the linear model; 1 is best.
        probability: The label's probability with nothing hidden, 0..1.
    """

    weights: Floats
    r2: float
    probability: float


def fit_lime(face: HidableFace, scorer: InputScorer, column: int, *, samples: int = 1000, seed: int = 0) -> LocalFit:
    """Hide random superpixels, predict each version of the face, and fit a linear model to the predictions.

    Samples, distance, kernel and ridge regression are those of the package lime, whose fit is called. Only the versions
    of the face are made and predicted here, in batches.

    Args:
        face: The face, split into superpixels.
        scorer: The model.
        column: Column of the label to explain.
        samples: Number of versions of the face.
        seed: Seed of the random numbers.

    Raises:
        ExplanationError: There are too few samples.
        MissingExtraError: lime is not installed (extra ``explain``).
    """
    if samples < FEWEST:
        raise ExplanationError(f"LIME needs at least {FEWEST} samples, but got {samples}")
    base: Any = require("lime.lime_base", extra=EXTRA)
    shown = draw_samples(len(face.parts), samples, seed)
    probabilities = predict_samples(face, scorer, shown)
    model = base.LimeBase(kernel, random_state=seed)
    count = shown.shape[1]
    _, pairs, r2, _ = model.explain_instance_with_data(
        shown.astype(np.float64),
        probabilities.astype(np.float64),
        distances(shown),
        column,
        count,
        feature_selection="none",
    )
    weights = np.zeros(count, np.float32)
    for number, weight in pairs:
        weights[number] = weight
    return LocalFit(weights, float(r2), float(probabilities[0, column]))


def draw_samples(segments: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """Draw the visible superpixels of each sample as lime does: (samples, segments) bool; the first shows all.

    Example:
        >>> draw_samples(3, 2, 0)[0].tolist()
        [True, True, True]
    """
    drawn = np.random.RandomState(seed).randint(0, 2, samples * segments).reshape(samples, segments)
    drawn[0] = 1
    return drawn.astype(bool)


def predict_samples(face: HidableFace, scorer: InputScorer, shown: NDArray[np.bool_]) -> Floats:
    """Predict a face with some superpixels visible, (N, S) bool: (N, K) float32 probabilities, in batches."""
    parts = [shown[first : first + BATCH] for first in range(0, len(shown), BATCH)]
    return np.concatenate([scorer.predict(face.show(part)) for part in parts])


def distances(shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the cosine distance of each of (N, S) samples from the whole face, 0..1.

    Example:
        >>> distances(np.array([[True, True, True, True], [True, False, False, False]])).tolist()
        [0.0, 0.5]
    """
    return np.asarray(1 - np.sqrt(shown.mean(axis=1)))


def kernel(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of samples by their distance from the whole face (exponential kernel)."""
    return np.asarray(np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)))
