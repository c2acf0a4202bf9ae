"""Class activation maps as a drawing layer for photos, videos and live sources."""

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
    """Return whether a pipeline's model outputs the feature map that the layer needs."""
    return not missing_features(pipeline.session, pipeline.head)


def with_maps(pipeline: Pipeline, results: Iterable[Result]) -> Iterator[Result]:
    """Add an activation map to each face of each result, for the layer ``"map"``.

    Args:
        pipeline: The pipeline that made the results (`EmotionRecognizer.pipeline`).
        results: Results with their images. A result without an image is yielded unchanged.

    Raises:
        ModelError: The model was exported without its feature map. Raised at once, before the first result.
        ExplanationError: The model's input is not an image. Raised at once, too.
    """
    InputScorer(pipeline.session, pipeline.head)  # raises if the model's input is not an image
    check_features(pipeline.session, pipeline.head)
    return change_each(results, lambda result: add_maps(pipeline, result))


def add_maps(pipeline: Pipeline, result: Result) -> Result:
    """Return a result whose faces have the activation map of their reported label.

    Args:
        pipeline: The pipeline that made the result.
        result: A result with its image. Without an image it is returned unchanged.

    Raises:
        ModelError: The model was exported without its feature map. `can_map` checks that.
    """
    if result.image is None or not result.faces:
        return result
    scorer = InputScorer(pipeline.session, pipeline.head, pipeline.prior)
    columns = [scorer.column(face.reported[0]) for face in result.faces]
    maps, _ = contrast_maps(scorer, pipeline.crops(result.image, result.faces), columns)
    largest = np.maximum(np.abs(maps).max(axis=(1, 2), keepdims=True), 1e-6)
    rows = zip(result.faces, pipeline.squares(result.faces), maps / largest, strict=True)
    mapped = [
        dataclasses.replace(face, activation_map=ActivationMap(square.box, values, square.tilt))
        for face, square, values in rows
    ]
    return dataclasses.replace(result, faces=tuple(mapped))
