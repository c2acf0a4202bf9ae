"""Explain the predictions for faces in photos, or for face crops."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import ExplanationError, did_you_mean
from facemood.explain.explanation import SIDE, Explanation
from facemood.explain.fill import hide_parts
from facemood.explain.lime import fit_lime
from facemood.explain.maps import contrast_maps, enlarge, occlusion_map
from facemood.explain.scoring import InputScorer
from facemood.explain.segmenters import check_parameters, masks_of, segment_face
from facemood.imaging import AnyImage, as_crops, as_image
from facemood.pipeline import Pipeline
from facemood.schema import Face, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """How a prediction is explained.

    Attributes:
        method: ``"lime"``, ``"cam"`` (class activation) or ``"occlusion"``; the other options are LIME's.
        segmenter: One of `segmenters.SEGMENTERS`.
        parameters: The segmenter's parameters that differ from the defaults.
        samples: Number of versions of the face with hidden superpixels; more samples give steadier weights.
        seed: Seed of the random numbers.
        hide: What replaces a hidden superpixel, one of `fill.HIDES`.

    Raises:
        ExplanationError: The method, the segmenter or a parameter is unknown, or a value is out of range.

    Example:
        >>> ExplainOptions(segmenter="slic", parameters={"n_segments": 30}).settings()["n_segments"]
        30
    """

    method: str = "lime"
    segmenter: str = "slic"
    parameters: Mapping[str, float] = field(default_factory=dict)
    samples: int = 1000
    seed: int = 0
    hide: str = "mean"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ExplanationError(
                f"unknown method {self.method!r}; expected one of {', '.join(METHODS)}."
                f"{did_you_mean(self.method, METHODS)}"
            )
        check_parameters(self.segmenter, self.parameters)

    def settings(self) -> dict[str, float | str]:
        """Return the settings that an explanation records; empty except for LIME."""
        if self.method != "lime":
            return {}
        values = check_parameters(self.segmenter, self.parameters)
        return {
            "segmenter": self.segmenter, **values, "samples": self.samples, "seed": self.seed, "hide": self.hide,
        }  # fmt: skip


def explain_faces(
    pipeline: Pipeline,
    image: AnyImage,
    faces: Sequence[Face],
    options: ExplainOptions | None = None,
    *,
    label: str | None = None,
) -> list[Explanation]:
    """Explain the predictions for the faces of an image.

    Args:
        pipeline: The pipeline that predicted them, `EmotionRecognizer.pipeline`.
        image: (H, W, 3) uint8 BGR or a Pillow image.
        faces: The faces in it.
        options: How they are explained; None for LIME with its defaults.
        label: The label to explain; None for the label that the model predicts for each face, without TTA.

    Returns:
        One explanation per face.

    Raises:
        ModelError: The model does not know the label, or has no feature map where the method needs it.
        ExplanationError: A face is a single segment, or the model does not take pixels.
        MissingExtraError: LIME's packages are not installed (extra ``explain``).
    """
    scorer = InputScorer(pipeline.session, pipeline.head, pipeline.prior)
    explanations = [explain_crop(scorer, crop, options, label=label) for crop in pipeline.crops(as_image(image), faces)]
    squares = pipeline.squares(faces)
    return [
        dataclasses.replace(one, box=square.box, tilt=square.tilt)
        for one, square in zip(explanations, squares, strict=True)
    ]


def explain_crop(
    scorer: InputScorer,
    crop: AnyImage,
    options: ExplainOptions | None = None,
    *,
    label: str | None = None,
) -> Explanation:
    """Explain a model's prediction for a face crop.

    Args:
        scorer: The model.
        crop: (h, w) or (h, w, 3) uint8 BGR, or a Pillow image, framed as the model's card says.
        options: How it is explained; None for LIME with its defaults.
        label: The label to explain; None for the label that the model predicts.

    Raises:
        ImageError: The crop has another shape or type.
        ModelError: The model does not know the label, or has no feature map where the method needs it.
        ExplanationError: The face is a single segment.
        MissingExtraError: LIME's packages are not installed (extra ``explain``).
    """
    (pixels,) = as_crops([crop])
    options, whole = options or ExplainOptions(), scorer.prepare(pixels)
    column = scorer.column(label) if label is not None else int(scorer.predict(whole[None]).argmax())
    made = METHODS[options.method](scorer, pixels, whole, column, options)
    return dataclasses.replace(made, label=scorer.labels[column], settings=options.settings())


def view_of(crop: NDArray[np.uint8]) -> Image:
    """Resize a crop for segmentation and drawing: (SIDE, SIDE, 3) uint8 BGR."""
    colours = crop if crop.ndim == 3 else np.asarray(cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR), np.uint8)
    interpolation = cv2.INTER_AREA if crop.shape[0] > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(colours, (SIDE, SIDE), interpolation=interpolation), np.uint8)


def _by_lime(
    scorer: InputScorer, crop: NDArray[np.uint8], whole: NDArray[np.float32], column: int, options: ExplainOptions
) -> Explanation:
    """Explain by LIME."""
    view = view_of(crop)
    segments = segment_face(view, options.segmenter, options.parameters, seed=options.seed)
    parts = hide_parts(whole, masks_of(segments, (whole.shape[2], whole.shape[1])), how=options.hide)
    fit = fit_lime(parts, scorer, column, samples=options.samples, seed=options.seed)
    values = fit.weights[segments]
    return Explanation("lime", "", fit.probability, view, values, segments=segments, weights=fit.weights, r2=fit.r2)


def _by_activation(
    scorer: InputScorer, crop: NDArray[np.uint8], whole: NDArray[np.float32], column: int, options: ExplainOptions
) -> Explanation:
    """Explain by class activation: the network's last feature map."""
    maps, probabilities = contrast_maps(scorer, [crop], [column])
    return Explanation("cam", "", float(probabilities[0, column]), view_of(crop), enlarge(maps[0], SIDE))


def _by_occlusion(
    scorer: InputScorer, crop: NDArray[np.uint8], whole: NDArray[np.float32], column: int, options: ExplainOptions
) -> Explanation:
    """Explain by occlusion."""
    values, probability = occlusion_map(whole, scorer, column)
    return Explanation("occlusion", "", probability, view_of(crop), enlarge(values, SIDE))


Method = Callable[
    [InputScorer, NDArray[np.uint8], NDArray[np.float32], int, ExplainOptions],
    Explanation,
]

METHODS: dict[str, Method] = {"lime": _by_lime, "cam": _by_activation, "occlusion": _by_occlusion}
"""Explanation methods by name."""
