"""How faces become predictions: the protocol of a strategy, and the one that cuts faces out for a network of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from facemood.models import ModelSession
from facemood.schema import Face, Image
from facemood.stages.align import crop_faces
from facemood.stages.classify import Predictions, classify

Framing = tuple[float, float, float, float]
"""A crop in units of a detector's box: left, top, right, bottom."""


class Strategy(Protocol):
    """What a pipeline does with faces that are found: it makes the network's input of them, and runs the network."""

    @property
    def session(self) -> ModelSession:
        """The network that gives the logits."""

    @property
    def head(self) -> str:
        """Which of its heads is read."""

    @property
    def views(self) -> int:
        """How often each face is read (test-time augmentation)."""

    @property
    def prior(self) -> str:
        """How common expressions are taken to be."""

    def align(self, image: Image, faces: Sequence[Face], framing: Framing) -> tuple[list[Face], list[NDArray[Any]]]:
        """Return the faces of an image, with what was learnt of them, and of each the input that `classify` takes.

        Args:
            image: (H, W, 3) uint8 BGR.
            faces: Faces of that image, with landmarks and pose.
            framing: The crop that the network wants, in units of the detector's box.
        """

    def classify(self, inputs: Sequence[NDArray[Any]]) -> Predictions:
        """Return the predictions for N inputs that `align` made, in one run."""

    def classify_crops(self, crops: Sequence[NDArray[Any]] | NDArray[Any]) -> Predictions:
        """Return the predictions for N faces that are cut out already, (h, w) or (h, w, 3) uint8 BGR.

        Raises:
            ImageError: A crop has another shape or type.
        """


@dataclass(frozen=True, slots=True)
class CropStrategy:
    """Cuts each face out of the image and lets an expression network read the pixels.

    Attributes:
        session: The network.
        head: Which of its heads is read.
        views: How often each face is read (test-time augmentation).
        prior: How common expressions are taken to be.
    """

    session: ModelSession
    head: str
    views: int
    prior: str

    def align(self, image: Image, faces: Sequence[Face], framing: Framing) -> tuple[list[Face], list[NDArray[Any]]]:
        """Return the faces as they are, and the crop of each, (s, s, 3) uint8 BGR."""
        return list(faces), list(crop_faces(image, faces, framing))

    def classify(self, inputs: Sequence[NDArray[Any]] | NDArray[Any]) -> Predictions:
        """Return the predictions for N crops, (h, w) or (h, w, 3) uint8 BGR."""
        return classify(self.session, inputs, head=self.head, views=self.views, prior=self.prior)

    classify_crops = classify
