"""FERC as a recognizer: the methods of `EmotionRecognizer`, with predictions from mask, parts and a perceptron."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from facemood.errors import OptionError
from facemood.ferc.ferc_strategy import FercStrategy
from facemood.ferc.parts import PartsModel, with_parts
from facemood.models import ModelSession
from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.stages.landmarks import LandmarkModel
from facemood.strategy import Strategy

MODEL = "ferc"
"""The perceptron's name in the registry."""


class FERC(EmotionRecognizer):
    """Predicts expressions by two networks in series: one removes the background, one classifies facial distances.

    It has the methods and options of `EmotionRecognizer`. Faces also have their mask, parts and vector (`Face.parts`).
    A face whose parts cannot be measured, because it is turned away, covered or partly outside of the image, has no
    probabilities and no label. FERC is much less accurate than the default model: docs/ferc.md has the figures.

    Args:
        model: The perceptron: ``"ferc"``, the path of another, or an open session.
        options: Options of `EmotionRecognizer`. There is no test-time augmentation, so `views` must be 1.

    Raises:
        ModelError: The model, head or detector is unknown or damaged, or the model does not take vectors.
        DeviceError: The device is not available.
        OptionError: An option is out of range.

    Example:
        >>> import numpy as np
        >>> ferc = FERC()
        >>> ferc.labels
        ('angry', 'happy', 'sad', 'surprise', 'neutral')
        >>> len(ferc.analyze_image(np.full((240, 320, 3), 128, np.uint8)))
        0
    """

    task = "vector"

    def __init__(self, model: str | Path | ModelSession = MODEL, **options: Any) -> None:
        if options.get("views", 1) != 1:
            raise OptionError(f"FERC has no test-time augmentation, so views must be 1, but is {options['views']}")
        super().__init__(model, **options)

    def _make_strategy(
        self, session: ModelSession, head: str, views: int, prior: str, landmarks: LandmarkModel
    ) -> Strategy:
        """Return the strategy of masks and parts; it also runs the landmark network on the masked faces."""
        return FercStrategy(session, head, prior, PartsModel(landmarks))


def with_layers(recognizer: EmotionRecognizer, results: Iterator[Result], layers: Collection[str]) -> Iterator[Result]:
    """Yield results whose faces have what drawing layers need: activation maps, masks and parts.

    Args:
        recognizer: The recognizer that predicted them.
        results: Results with their images.
        layers: Some of `facemood.render.LAYERS`. If none of them needs more, the results stay as they are.

    Raises:
        ModelError: The model was exported without its feature map. Raised at once, before the first result.
    """
    pipeline = recognizer.pipeline
    if "map" in layers:
        from facemood.explain import with_maps

        results = with_maps(pipeline, results)
    has_parts = isinstance(pipeline.strategy, FercStrategy)
    if {"mask", "vector"} & set(layers) and not has_parts:
        results = with_parts(PartsModel(pipeline.landmark_model), results)
    return results
