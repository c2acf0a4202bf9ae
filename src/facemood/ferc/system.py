"""FERC as a recognizer: the same methods as `EmotionRecognizer`, read by mask, parts and a perceptron."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ImageError
from facemood.explain import with_maps
from facemood.ferc.parts import PartsModel, with_parts
from facemood.ferc.strategy import FercPipeline
from facemood.models import DEFAULT_MODEL, find_model
from facemood.pipeline import Pipeline
from facemood.recognizer import EmotionRecognizer
from facemood.results import Result

MODEL = "ferc"
"""The perceptron's name in the registry."""


class FERC(EmotionRecognizer):
    """Reads expressions by two networks in series: one removes the background, then distances between parts are read.

    It has the methods and options of `EmotionRecognizer`. Faces have their mask, parts and vector beside the rest
    (`Face.parts`). A face whose parts cannot be told, because it is turned away, covered or half out of the picture,
    has no probabilities and no label. It is right far less often than the default model: docs/ferc.md tells how often.

    Args:
        model: The perceptron: ``"ferc"``, or the path of another.
        options: Those of `EmotionRecognizer`; each face is read once, so `views` must be 1.

    Raises:
        ModelError: The model, head or detector is unknown or damaged, or the model reads no vectors.
        DeviceError: The device is not there.
        ValueError: An option is out of its range.

    Example:
        >>> ferc = FERC()
        >>> ferc.labels
        ('angry', 'happy', 'sad', 'surprise', 'neutral')
        >>> len(ferc.analyze_image(np.full((240, 320, 3), 128, np.uint8)))
        0
    """

    task = "vector"

    def __init__(self, model: str | Path = MODEL, **options: Any) -> None:
        if options.get("views", 1) != 1:
            raise ValueError(f"FERC reads each face once, so views must be 1, but is {options['views']}")
        super().__init__(model, **options)

    def _extend(self, pipeline: Pipeline) -> Pipeline:
        """Let the pipeline read masks and parts; its landmark network reads the masked faces as well."""
        own = {field.name: getattr(pipeline, field.name) for field in dataclasses.fields(pipeline)}
        return FercPipeline(**own, parts=PartsModel(pipeline.reader))

    def classify(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Read expressions of faces that are cut out already, framed as the model's card says; no detector runs.

        Args:
            crops: N images (h, w) or (h, w, 3) uint8 BGR of any size.

        Returns:
            (N, K) float32 probabilities, in the order of `labels`; NaN in the rows of faces that cannot be read.

        Raises:
            ImageError: A crop has another shape or type.
        """
        if isinstance(crops, np.ndarray) and crops.ndim not in (3, 4):
            raise ImageError(
                f"crops must be (N, h, w) or (N, h, w, 3), but are {crops.shape}; for one crop pass crop[None]"
            )
        pipeline = self.pipeline
        assert isinstance(pipeline, FercPipeline)
        framing = self.card.framing["finder"]
        marked = [pipeline.parts.mark_crop(crop, framing) for crop in crops]
        return pipeline.classify(pipeline.vectors_of(marked)).probabilities


def open_recognizer(model: str | Path = DEFAULT_MODEL, **options: Any) -> EmotionRecognizer:
    """Open what a model's name stands for: FERC for ``"ferc"``, `EmotionRecognizer` for all others.

    Args:
        model: A model inside the package by name, or the path of an .onnx file with a card.
        options: Those of `EmotionRecognizer`.

    Raises:
        ModelError: The model, head or detector is unknown or damaged.
        DeviceError: The device is not there.
        ValueError: An option is out of its range.

    Example:
        >>> type(open_recognizer("ferc")).__name__, type(open_recognizer()).__name__
        ('FERC', 'EmotionRecognizer')
    """
    named = str(model) == MODEL or Path(model) == find_model(MODEL)
    return FERC(model, **options) if named else EmotionRecognizer(model, **options)


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
    if {"mask", "vector"} & set(layers) and not isinstance(pipeline, FercPipeline):  # which marked them already
        results = with_parts(PartsModel(pipeline.reader), results)
    return results
