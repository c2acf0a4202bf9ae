"""FERC as a recognizer: the same methods as `EmotionRecognizer`, read by mask, parts and a perceptron."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from facemood.crop_strategy import Strategy
from facemood.explain import with_maps
from facemood.ferc.parts import PartsModel, with_parts
from facemood.ferc.strategy import FercStrategy
from facemood.models import ModelSession
from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.stages.landmarks import LandmarkModel

MODEL = "ferc"
"""The perceptron's name in the registry."""


class FERC(EmotionRecognizer):
    """Reads expressions by two networks in series: one removes the background, then distances between parts are read.

    It has the methods and options of `EmotionRecognizer`. Faces have their mask, parts and vector beside the rest
    (`Face.parts`). A face whose parts cannot be told, because it is turned away, covered or half out of the picture,
    has no probabilities and no label. It is right far less often than the default model: docs/ferc.md tells how often.

    Args:
        model: The perceptron: ``"ferc"``, the path of another, or a session that is open already.
        options: Those of `EmotionRecognizer`; each face is read once, so `views` must be 1.

    Raises:
        ModelError: The model, head or detector is unknown or damaged, or the model reads no vectors.
        DeviceError: The device is not there.
        ValueError: An option is out of its range.

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
            raise ValueError(f"FERC reads each face once, so views must be 1, but is {options['views']}")
        super().__init__(model, **options)

    def _make_strategy(
        self, session: ModelSession, head: str, views: int, prior: str, landmarks: LandmarkModel
    ) -> Strategy:
        """Return the strategy that reads masks and parts; the landmark network reads the masked faces as well."""
        return FercStrategy(session, head, prior, PartsModel(landmarks))


def with_layers(recognizer: EmotionRecognizer, results: Iterator[Result], layers: Collection[str]) -> Iterator[Result]:
    """Yield results with what layers need that are drawn on their faces: maps, masks and parts.

    Args:
        recognizer: What read them.
        results: With their images.
        layers: Some of `facemood.render.LAYERS`; without any that needs more, the results come back.

    Raises:
        ModelError: The model was exported without its feature map; raised at once, before anything is read.
    """
    pipeline = recognizer.pipeline
    if "map" in layers:
        results = with_maps(pipeline, results)
    if {"mask", "vector"} & set(layers) and not isinstance(
        pipeline.strategy, FercStrategy
    ):  # which marked them already
        results = with_parts(PartsModel(pipeline.landmark_model), results)
    return results
