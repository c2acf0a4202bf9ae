"""The two networks in series, as a pipeline: where others cut a face out, this one measures its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.ferc.parts import PartsModel
from facemood.ferc.vector import PAIRS
from facemood.geometry import Floats
from facemood.pipeline import Pipeline
from facemood.schema import Face, Image
from facemood.stages.classify import Predictions, predictions_of

UNKNOWN = np.full(len(PAIRS), np.nan, np.float32)
"""The vector of a face whose parts cannot be told."""


@dataclass(frozen=True, slots=True)
class FercPipeline(Pipeline):
    """A pipeline whose session is a perceptron on the expressional vector.

    Attributes:
        parts: What finds mask and parts.
    """

    parts: PartsModel

    def align(self, image: Image, faces: Sequence[Face]) -> tuple[list[Face], list[NDArray[Any]]]:
        """Return the faces with their parts, and the vector (24,) of each, NaN where it is not known."""
        marked = self.parts.mark(image, faces)
        return marked, self.vectors_of(marked)

    @staticmethod
    def vectors_of(faces: Sequence[Face]) -> list[NDArray[Any]]:
        """Return the vector (24,) of each face, NaN where it is not known."""
        return [UNKNOWN if face.parts is None else face.parts.vector for face in faces]

    def classify(self, crops: Sequence[NDArray[Any]] | NDArray[Any]) -> Predictions:
        """Read expressional vectors: N of (24,) float32. One that is not known gives probabilities that are NaN."""
        vectors: Floats = np.asarray(crops, np.float32).reshape(-1, len(PAIRS))
        known = np.isfinite(vectors).all(axis=1)
        logits = np.zeros((len(vectors), len(self.session.card.heads[self.head])), np.float32)
        if known.any():
            logits[known] = self.session.run_batch(vectors[known])[self.head]
        probabilities, certain = predictions_of(self.session.card, self.head, logits, prior=self.prior)
        probabilities[~known] = np.nan
        return Predictions(probabilities, certain)
