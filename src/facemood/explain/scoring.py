"""Probabilities of a model for changed inputs, which explanations compare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ExplanationError, ModelError, did_you_mean
from facemood.models import ModelSession
from facemood.models.session import prepare
from facemood.stages.classify import Logits, probabilities_of

BATCH = 128
"""Inputs per run of the network; more are no faster, and need more memory."""


@dataclass(frozen=True, slots=True)
class InputScorer:
    """Predicts probabilities with one head of a model, for prepared inputs.

    Attributes:
        session: The network.
        head: The head that predicts.
        prior: The prior over expressions, as for `EmotionRecognizer`.

    Raises:
        ExplanationError: The model does not take pixels.

    Example:
        >>> from facemood.models import find_model
        >>> scorer = InputScorer(ModelSession(find_model("nano"), device="cpu"), "fer2013")
        >>> scorer.predict(np.zeros((2, 1, 48, 48), np.float32)).shape
        (2, 7)
    """

    session: ModelSession
    head: str
    prior: str = "dataset"

    def __post_init__(self) -> None:
        card = self.session.card
        if card.task == "vector":
            raise ExplanationError(
                f"model {card.name!r} takes {card.input_size[0]} distances, not pixels, so there is no map of it; "
                "draw its distances instead: facemood analyze PHOTO --model ferc --draw mask,vector, "
                "or layers=('mask', 'vector')"
            )

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads whose logits make the probabilities: the head, and the one that its operating point pools."""
        second = self.session.card.operating_point[self.head]["second"] if self.prior == "tuned" else self.head
        return (self.head,) if second == self.head else (self.head, second)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the columns of `predict`."""
        return self.session.card.heads[self.head]

    def column(self, label: str) -> int:
        """Return the column of a label.

        Raises:
            ModelError: The model does not know the label.
        """
        if label not in self.labels:
            raise ModelError(
                f"model {self.session.card.name!r} does not know the label {label!r}; its head {self.head!r} knows "
                f"{', '.join(self.labels)}.{did_you_mean(label, self.labels)}"
            )
        return self.labels.index(label)

    def prepare(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn one face crop, (h, w[, 3]) uint8 BGR, into the model's input: (C, height, width) float32."""
        inputs: NDArray[np.float32] = prepare([crop], self.session.card)[0]
        return inputs

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Predict prepared inputs, in batches.

        Args:
            inputs: (N, C, height, width) float32, as `prepare` returns them.

        Returns:
            (N, K) float32 calibrated probabilities.
        """
        parts = [inputs[first : first + BATCH] for first in range(0, len(inputs), BATCH)]
        logits = [self.session.run_batch(part) for part in parts]
        return self.calibrate({head: np.concatenate([part[head] for part in logits]) for head in self.heads})

    def calibrate(self, logits: Logits) -> NDArray[np.float32]:
        """Turn the (N, K) logits of `heads` into probabilities as the recognizer does."""
        return probabilities_of(self.session.card, self.head, logits, prior=self.prior)
