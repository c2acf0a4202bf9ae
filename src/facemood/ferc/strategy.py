"""FERC's two networks in series, as a strategy: the distances between the parts of a face are measured and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.crop_strategy import Framing
from facemood.errors import ModelError
from facemood.ferc.parts import PartsModel
from facemood.ferc.vector import PAIRS
from facemood.geometry import Floats
from facemood.models import FINDER, ModelSession
from facemood.schema import Face, Image
from facemood.stages.align import WHOLE_BOX
from facemood.stages.classify import Predictions, predictions_of

UNKNOWN = np.full(len(PAIRS), np.nan, np.float32)
"""The vector of a face whose parts cannot be told."""


@dataclass(frozen=True, slots=True)
class FercStrategy:
    """Mask, parts, expressional vector, perceptron.

    Attributes:
        session: The perceptron.
        head: Which of its heads is read.
        prior: How common expressions are taken to be.
        parts_model: What finds mask and parts.

    Raises:
        ModelError: The perceptron takes vectors of another length.
    """

    session: ModelSession
    head: str
    prior: str
    parts_model: PartsModel

    def __post_init__(self) -> None:
        card = self.session.card
        if card.input_size != (len(PAIRS), 1):
            raise ModelError(
                f"{self.session.file}: input_size must be {len(PAIRS)} x 1, the distances that FERC measures, but is "
                f"{card.input_size[0]} x {card.input_size[1]}"
            )

    @property
    def views(self) -> int:
        """How often each face is read: once."""
        return 1

    def align(self, image: Image, faces: Sequence[Face], framing: Framing) -> tuple[list[Face], list[NDArray[Any]]]:
        """Return the faces with their parts, and the vector (24,) of each, NaN where it is not known."""
        marked = self.parts_model.add_parts(image, faces)
        return marked, _vectors_of(marked)

    def classify(self, inputs: Sequence[NDArray[Any]]) -> Predictions:
        """Read expressional vectors: N of (24,) float32. One that is not known gives probabilities that are NaN."""
        vectors: Floats = np.asarray(inputs, np.float32).reshape(-1, len(PAIRS))
        known = np.isfinite(vectors).all(axis=1)
        logits = np.zeros((len(vectors), len(self.session.card.heads[self.head])), np.float32)
        if known.any():
            logits[known] = self.session.run_batch(vectors[known])[self.head]
        probabilities, certain = predictions_of(self.session.card, self.head, logits, prior=self.prior)
        probabilities[~known] = np.nan
        return Predictions(probabilities, certain)

    def classify_crops(self, crops: Sequence[NDArray[Any]] | NDArray[Any]) -> Predictions:
        """Read faces that are cut out as the card frames them for the finder; NaN where parts cannot be told."""
        framing = self.session.card.framing.get(FINDER, WHOLE_BOX)
        return self.classify(_vectors_of([self.parts_model.face_in_crop(crop, framing) for crop in crops]))


def _vectors_of(faces: Sequence[Face]) -> list[NDArray[Any]]:
    """Return the vector (24,) of each face, NaN where it is not known."""
    return [UNKNOWN if face.parts is None else face.parts.vector for face in faces]
