"""FERC as a strategy of the pipeline: measure the distances between facial parts, then classify them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ModelError
from facemood.ferc.parts import PartsModel
from facemood.ferc.vector import PAIRS
from facemood.geometry import Floats
from facemood.models import FINDER, ModelSession
from facemood.schema import Face, Image
from facemood.stages.align import WHOLE_BOX, CropSquare
from facemood.stages.classify import Predictions, predictions_of

UNKNOWN = np.full(len(PAIRS), np.nan, np.float32)
"""The vector of a face whose parts cannot be measured: (24,) NaN."""


@dataclass(frozen=True, slots=True)
class FercStrategy:
    """Predicts expressions from masks, facial parts and their expressional vector, by a perceptron.

    Attributes:
        session: The perceptron.
        head: The head that predicts.
        prior: The prior over expressions: ``"tuned"``, ``"dataset"`` or ``"balanced"``.
        parts_model: Measures mask and parts.

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
        """Number of views of each face (test-time augmentation): always 1."""
        return 1

    @property
    def face_pixels(self) -> None:
        """All pixels of a face count: parts are measured in the image."""

    def align(
        self, image: Image, faces: Sequence[Face], squares: Sequence[CropSquare]
    ) -> tuple[list[Face], list[NDArray[Any]]]:
        """Return the faces with their parts, and the vector (24,) of each, NaN if it is not known."""
        measured = self.parts_model.add_parts(image, faces)
        return measured, _vectors_of(measured)

    def classify(self, inputs: Sequence[NDArray[Any]]) -> Predictions:
        """Classify N expressional vectors, (24,) float32 each. An unknown vector gives probabilities of NaN."""
        vectors: Floats = np.asarray(inputs, np.float32).reshape(-1, len(PAIRS))
        known = np.isfinite(vectors).all(axis=1)
        logits = np.zeros((len(vectors), len(self.session.card.heads[self.head])), np.float32)
        if known.any():
            logits[known] = self.session.run_batch(vectors[known])[self.head]
        probabilities, certain = predictions_of(self.session.card, self.head, {self.head: logits}, prior=self.prior)
        probabilities[~known] = np.nan
        return Predictions(probabilities, certain)

    def classify_crops(self, crops: Sequence[NDArray[Any]] | NDArray[Any]) -> Predictions:
        """Classify crops with the card's framing for the finder; NaN if their parts cannot be measured."""
        framing = self.session.card.framing.get(FINDER, WHOLE_BOX)
        return self.classify(_vectors_of([self.parts_model.face_in_crop(crop, framing) for crop in crops]))


def _vectors_of(faces: Sequence[Face]) -> list[NDArray[Any]]:
    """Return the vector (24,) of each face, NaN if it is not known."""
    return [UNKNOWN if face.parts is None else face.parts.vector for face in faces]
