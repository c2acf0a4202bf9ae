"""Explain faces: of photos, as the pipeline finds and frames them, or cut out already."""

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
from facemood.pipeline import Pipeline
from facemood.schema import Face, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """How a face is explained.

    Attributes:
        method: ``"lime"``, ``"cam"`` (class activation) or ``"occlusion"``; the other options are LIME's.
        segmenter: One of `segmenters.SEGMENTERS`.
        parameters: The segmenter's values that differ from the usual ones.
        samples: How many versions of the face are read.
        seed: What chance follows from.
        hide: What stands where a superpixel is hidden, one of `fill.HIDES`.

    Raises:
        ExplanationError: There is no such method, segmenter or parameter.

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
        """Return what an explanation tells of how it was made."""
        if self.method != "lime":
            return {}
        values = check_parameters(self.segmenter, self.parameters)
        return {
            "segmenter": self.segmenter, **values, "samples": self.samples, "seed": self.seed, "hide": self.hide,
        }  # fmt: skip


def explain_faces(
    pipeline: Pipeline,
    image: Image,
    faces: Sequence[Face],
    options: ExplainOptions | None = None,
    *,
    label: str | None = None,
) -> list[Explanation]:
    """Explain what was read of the faces of an image.

    Args:
        pipeline: What read them, as `EmotionRecognizer.pipeline`.
        image: (H, W, 3) uint8 BGR.
        faces: What was found in it.
        options: How; None takes LIME with its usual settings.
        label: Which label; None takes each face's own, as the model reads it once.

    Returns:
        One explanation a face.

    Raises:
        ModelError: The model does not know the label, or has no feature map where the method needs it.
        ExplanationError: A face is all one segment, or the model reads no pixels.
        MissingExtraError: LIME's packages are not installed (extra ``explain``).
    """
    scorer = InputScorer(pipeline.session, pipeline.head, pipeline.prior)
    made = [explain_crop(scorer, crop, options, label=label) for crop in pipeline.crops(image, faces)]
    return [dataclasses.replace(one, box=box) for one, box in zip(made, pipeline.frame_boxes(faces), strict=True)]


def explain_crop(
    scorer: InputScorer,
    crop: NDArray[np.uint8],
    options: ExplainOptions | None = None,
    *,
    label: str | None = None,
) -> Explanation:
    """Explain what a model reads in a face that is cut out already, as its card's framing says.

    Args:
        scorer: The model.
        crop: (h, w) or (h, w, 3) uint8 BGR.
        options: How; None takes LIME with its usual settings.
        label: Which label; None takes the one that the model reads.

    Raises:
        ImageError: The crop has another shape or type.
        ModelError: The model does not know the label, or has no feature map where the method needs it.
        ExplanationError: The face is all one segment.
        MissingExtraError: LIME's packages are not installed (extra ``explain``).
    """
    options, whole = options or ExplainOptions(), scorer.prepare(crop)
    column = scorer.column(label) if label is not None else int(scorer.predict(whole[None]).argmax())
    made = METHODS[options.method](scorer, crop, whole, column, options)
    return dataclasses.replace(made, label=scorer.labels[column], settings=options.settings())


def view_of(crop: NDArray[np.uint8]) -> Image:
    """Bring a crop to the size in which it is divided and drawn: (SIDE, SIDE, 3) uint8 BGR."""
    colours = crop if crop.ndim == 3 else np.asarray(cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR), np.uint8)
    way = cv2.INTER_AREA if crop.shape[0] > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(colours, (SIDE, SIDE), interpolation=way), np.uint8)


def _by_lime(
    scorer: InputScorer, crop: NDArray[np.uint8], whole: NDArray[np.float32], column: int, options: ExplainOptions
) -> Explanation:
    """Explain by superpixels."""
    view = view_of(crop)
    segments = segment_face(view, options.segmenter, options.parameters, seed=options.seed)
    parts = hide_parts(whole, masks_of(segments, (whole.shape[2], whole.shape[1])), how=options.hide)
    fit = fit_lime(parts, scorer, column, samples=options.samples, seed=options.seed)
    heat = fit.weights[segments]
    return Explanation("lime", "", fit.probability, view, heat, segments=segments, weights=fit.weights, r2=fit.r2)


def _by_activation(
    scorer: InputScorer, crop: NDArray[np.uint8], whole: NDArray[np.float32], column: int, options: ExplainOptions
) -> Explanation:
    """Explain by the network's own last features."""
    maps, read = contrast_maps(scorer, [crop], [column])
    return Explanation("cam", "", float(read[0, column]), view_of(crop), enlarge(maps[0], SIDE))


def _by_occlusion(
    scorer: InputScorer, crop: NDArray[np.uint8], whole: NDArray[np.float32], column: int, options: ExplainOptions
) -> Explanation:
    """Explain by covering."""
    heat, probability = occlusion_map(whole, scorer, column)
    return Explanation("occlusion", "", probability, view_of(crop), enlarge(heat, SIDE))


Method = Callable[
    [InputScorer, NDArray[np.uint8], NDArray[np.float32], int, ExplainOptions],
    Explanation,
]

METHODS: dict[str, Method] = {"lime": _by_lime, "cam": _by_activation, "occlusion": _by_occlusion}
"""The ways to explain, by name."""
