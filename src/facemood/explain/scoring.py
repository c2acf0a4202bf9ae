"""What explanations ask: a model's probabilities for inputs that were changed on purpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ExplanationError, ModelError, did_you_mean
from facemood.models import ModelSession
from facemood.models.session import prepare
from facemood.stages.classify import calibrate

BATCH = 128
"""Inputs that go through the network in one run; more are no faster, and need more memory."""


@dataclass(frozen=True, slots=True)
class InputScorer:
    """A model's head, asked again and again.

    Attributes:
        session: The network.
        head: Which of its heads is read.
        prior: How common expressions are taken to be, as for `EmotionRecognizer`.

    Raises:
        ExplanationError: The model reads no pixels.

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
                f"{card.name} reads {card.input_size[0]} distances and no pixels, so there is no map of it; "
                "draw them: facemood analyze PHOTO --model ferc --draw mask,vector, or layers=('mask', 'vector')"
            )

    @property
    def labels(self) -> tuple[str, ...]:
        """The label words of `read`'s columns."""
        return self.session.card.heads[self.head]

    def column(self, label: str) -> int:
        """Return where a label stands.

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
        """Make the model's input of one face crop, (h, w[, 3]) uint8 BGR: (C, height, width) float32."""
        made: NDArray[np.float32] = prepare([crop], self.session.card)[0]
        return made

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Read inputs that are made already.

        Args:
            inputs: (N, C, height, width) float32, as `prepare` makes them.

        Returns:
            (N, K) float32 calibrated probabilities.
        """
        parts = [inputs[first : first + BATCH] for first in range(0, len(inputs), BATCH)]
        logits = [self.session.run_batch(part)[self.head] for part in parts]
        return self.calibrate(np.concatenate(logits))

    def calibrate(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn (N, K) logits into probabilities as the recognizer does."""
        card = self.session.card
        strength = card.balance[self.head] if self.prior == "balanced" else 0.0
        return calibrate(card, self.head, logits, strength=strength)
