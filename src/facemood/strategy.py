"""From faces to predictions: the protocol of a strategy, and the strategy for networks that take face crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from facemood.models import ModelSession
from facemood.schema import Face, Image
from facemood.stages.align import CropSquare, cut_faces
from facemood.stages.classify import Predictions, classify


class Strategy(Protocol):
    """How a pipeline predicts expressions: it makes the network's input from detected faces, and runs the network."""

    @property
    def session(self) -> ModelSession:
        """The expression network."""

    @property
    def head(self) -> str:
        """The head that predicts."""

    @property
    def views(self) -> int:
        """Number of views of each face (test-time augmentation, TTA)."""

    @property
    def prior(self) -> str:
        """The prior over expressions: ``"tuned"``, ``"dataset"`` or ``"balanced"``."""

    @property
    def face_pixels(self) -> int | None:
        """Side in pixels of a face's box from which on more pixels add nothing; None if all pixels count."""

    def align(
        self, image: Image, faces: Sequence[Face], squares: Sequence[CropSquare]
    ) -> tuple[list[Face], list[NDArray[Any]]]:
        """Return the faces of an image, with what was measured on them, and the input of `classify` for each.

        Args:
            image: (H, W, 3) uint8 BGR.
            faces: Faces of that image, with landmarks and pose.
            squares: The square of the image that the crop of each face shows.
        """

    def classify(self, inputs: Sequence[NDArray[Any]]) -> Predictions:
        """Return the predictions for N inputs from `align`, in one run."""

    def classify_crops(self, crops: Sequence[NDArray[Any]] | NDArray[Any]) -> Predictions:
        """Return the predictions for N face crops, (h, w) or (h, w, 3) uint8 BGR.

        Raises:
            ImageError: A crop has another shape or type.
        """


@dataclass(frozen=True, slots=True)
class CropStrategy:
    """Cuts each face out of the image and runs an expression network on the pixels.

    Attributes:
        session: The network.
        head: The head that predicts.
        views: Number of views of each face (test-time augmentation, TTA).
        prior: The prior over expressions: ``"tuned"``, ``"dataset"`` or ``"balanced"``.
    """

    session: ModelSession
    head: str
    views: int
    prior: str

    @property
    def face_pixels(self) -> int:
        """Side in pixels of a face's box from which on more pixels add nothing: the network's input."""
        return max(self.session.card.input_size)

    def align(
        self, image: Image, faces: Sequence[Face], squares: Sequence[CropSquare]
    ) -> tuple[list[Face], list[NDArray[Any]]]:
        """Return the unchanged faces and the crop of each, (s, s, 3) uint8 BGR."""
        return list(faces), list(cut_faces(image, squares))

    def classify(self, inputs: Sequence[NDArray[Any]] | NDArray[Any]) -> Predictions:
        """Return the predictions for N crops, (h, w) or (h, w, 3) uint8 BGR."""
        return classify(self.session, inputs, head=self.head, views=self.views, prior=self.prior)

    classify_crops = classify
