"""Class activation maps as a layer of what is drawn: on photos, on videos, and on live pictures as they come."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from facemood.explain.maps import contrast_maps
from facemood.explain.scoring import InputScorer
from facemood.flow import change_each
from facemood.models.activation import check_features, missing_features
from facemood.pipeline import Pipeline
from facemood.results import Result
from facemood.schema import ActivationMap


def can_map(pipeline: Pipeline) -> bool:
    """Tell whether a pipeline's model gives the feature map that the layer needs."""
    return not missing_features(pipeline.session, pipeline.head)


def with_maps(pipeline: Pipeline, results: Iterable[Result]) -> Iterator[Result]:
    """Yield results whose faces tell where the network found their label, for the layer ``"map"``.

    Args:
        pipeline: What read them, as `EmotionRecognizer.pipeline`.
        results: With their images; those without stay as they are.

    Raises:
        ModelError: The model was exported without its feature map; raised at once, before anything is read.
        ExplanationError: The model reads no pixels; raised at once as well.
    """
    InputScorer(pipeline.session, pipeline.head)  # which refuses a model that reads no pixels
    check_features(pipeline.session, pipeline.head)
    return change_each(results, lambda result: add_maps(pipeline, result))


def add_maps(pipeline: Pipeline, result: Result) -> Result:
    """Return a result whose faces have maps of the label that is told of them; without its image, it stays as it is.

    Args:
        pipeline: What read it.
        result: With its image.

    Raises:
        ModelError: The model was exported without its feature map (`can_map` tells that before).
    """
    if result.image is None or not result.faces:
        return result
    reader = InputScorer(pipeline.session, pipeline.head, pipeline.prior)
    columns = [reader.column(face.reported[0]) for face in result.faces]
    maps, _ = contrast_maps(reader, pipeline.crops(result.image, result.faces), columns)
    largest = np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), 1e-6)
    rows = zip(result.faces, pipeline.frame_boxes(result.faces), maps / largest, strict=True)
    mapped = [dataclasses.replace(face, heat=ActivationMap(box, values)) for face, box, values in rows]
    return dataclasses.replace(result, faces=tuple(mapped))
