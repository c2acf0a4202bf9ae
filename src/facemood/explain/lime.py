"""LIME (Ribeiro et al. 2016): which superpixels speak for a label, by a line through what hiding some of them does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ExplanationError, require
from facemood.explain.fill import HidableFace
from facemood.explain.scoring import BATCH, InputScorer
from facemood.explain.segmenters import EXTRA

KERNEL_WIDTH = 0.25
"""How fast a sample counts for less as more is hidden; lime's own width for pictures."""

FEWEST = 10
"""Samples below which there is nothing to fit."""

Floats = NDArray[np.float32]


class LocalFit(NamedTuple):
    """A linear model of a network near one face.

    Attributes:
        weights: (S,) float32, what showing each superpixel adds to the label's probability.
        r2: How much of the variance among the samples the model explains, weighed as they are; 1 is all.
        probability: The label's probability where nothing is hidden, 0..1.
    """

    weights: Floats
    r2: float
    probability: float


def fit_lime(face: HidableFace, scorer: InputScorer, column: int, *, samples: int = 1000, seed: int = 0) -> LocalFit:
    """Hide superpixels by chance, read the face each time, and fit what came out.

    Samples, distance, kernel and the ridge regression are those of the package lime, whose own fit is called; the
    pictures are made and read in batches.

    Args:
        face: The face, taken apart.
        scorer: The model.
        column: Which label is explained.
        samples: How many versions of the face are read.
        seed: What chance follows from.

    Raises:
        ExplanationError: There are too few samples.
        MissingExtraError: lime is not installed (extra ``explain``).
    """
    if samples < FEWEST:
        raise ExplanationError(f"LIME needs {FEWEST} samples or more, but is to take {samples}")
    base: Any = require("lime.lime_base", extra=EXTRA)
    shown = draw_samples(len(face.parts), samples, seed)
    read = read_samples(face, scorer, shown)
    model = base.LimeBase(weigh, random_state=seed)
    count = shown.shape[1]
    _, pairs, r2, _ = model.explain_instance_with_data(
        shown.astype(np.float64), read.astype(np.float64), distances(shown), column, count, feature_selection="none"
    )
    weights = np.zeros(count, np.float32)
    for number, weight in pairs:
        weights[number] = weight
    return LocalFit(weights, float(r2), float(read[0, column]))


def draw_samples(segments: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """Choose which superpixels each sample shows, (samples, segments) bool; the first shows all, as lime draws them.

    Example:
        >>> draw_samples(3, 2, 0)[0].tolist()
        [True, True, True]
    """
    drawn = np.random.RandomState(seed).randint(0, 2, samples * segments).reshape(samples, segments)
    drawn[0] = 1
    return drawn.astype(bool)


def read_samples(face: HidableFace, scorer: InputScorer, shown: NDArray[np.bool_]) -> Floats:
    """Read a face with some superpixels shown, for each of (N, S) choices: (N, K) float32; memory stays bounded."""
    parts = [shown[first : first + BATCH] for first in range(0, len(shown), BATCH)]
    return np.concatenate([scorer.predict(face.show(part)) for part in parts])


def distances(shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the cosine distance of each of (N, S) samples to the whole face, 0..1.

    Example:
        >>> distances(np.array([[True, True, True, True], [True, False, False, False]])).tolist()
        [0.0, 0.5]
    """
    return np.asarray(1 - np.sqrt(shown.mean(axis=1)))


def weigh(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much samples count that are so far from the whole face."""
    return np.asarray(np.sqrt(np.exp(-(distance**2) / KERNEL_WIDTH**2)))
