"""What a recognizer does with face crops: cut them out of results, classify them, and return their features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.errors import OptionError
from facemood.imaging import AnyImage, as_crops
from facemood.models.activation import pooled_features
from facemood.pipeline import Pipeline
from facemood.results import Result
from facemood.schema import Image


class CropReader:
    """Reads face crops with the network of a pipeline; `facemood.EmotionRecognizer` is one.

    Attributes:
        pipeline: The stages and the network.
    """

    pipeline: Pipeline

    def classify(self, crops: Sequence[AnyImage] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Classify face crops that are framed as the model card says. No detector runs.

        Args:
            crops: N images of any size, (h, w) or (h, w, 3) uint8 BGR, or Pillow images.

        Returns:
            (N, K) float32 probabilities, in the order of `EmotionRecognizer.labels`. The rows of faces without a
            prediction are NaN.

        Raises:
            ImageError: A crop has the wrong shape or type.
        """
        return self.pipeline.strategy.classify_crops(as_crops(crops)).probabilities

    def crops(self, result: Result) -> list[Image]:
        """Cut the faces of a result out of its image, framed as the model card says, for `classify` and `features`.

        Args:
            result: A result with its image, as `EmotionRecognizer.analyze_image` returns it.

        Returns:
            One (s, s, 3) uint8 BGR image per face, in the result's order.

        Raises:
            OptionError: It is no result, or has no image.
        """
        if not isinstance(result, Result):
            raise OptionError(f"expected a result, as analyze_image returns it, but got {type(result).__name__}")
        if result.image is None:
            raise OptionError(
                "this result has no image to cut faces out of; read with analyze_image or "
                "stream(..., keep_images=True), which keep it"
            )
        return self.pipeline.crops(result.image, result.faces)

    def features(self, crops: Sequence[AnyImage] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the features from which the network predicts, for a classifier of your own.

        Args:
            crops: As for `classify`.

        Returns:
            (N, C) float32, the mean of the last feature map over the face; C is 240 for the default model.

        Raises:
            ImageError: A crop has the wrong shape or type.
            ModelError: The model was exported without its feature map, or takes no image.

        Example:
            >>> from facemood import EmotionRecognizer
            >>> EmotionRecognizer().features(np.full((2, 48, 48), 128, np.uint8)).shape
            (2, 240)
        """
        return pooled_features(self.pipeline.session, as_crops(crops))
