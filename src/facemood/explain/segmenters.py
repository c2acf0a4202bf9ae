"""Superpixel segmentation of faces, by three methods of scikit-image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import ExplanationError, did_you_mean, require
from facemood.imaging import AnyImage, as_image

SEGMENTERS: dict[str, dict[str, float]] = {
    "felzenszwalb": {"scale": 60.0, "sigma": 0.8, "min_size": 150},
    "quickshift": {"kernel_size": 4.0, "max_dist": 12.0, "ratio": 0.3},
    "slic": {"n_segments": 50, "compactness": 10.0, "sigma": 1.0},
}
"""Segmenters and their default parameters, for faces of `explanation.SIDE` pixels: Felzenszwalb & Huttenlocher 2004 (a
larger ``scale`` gives larger segments), Vedaldi & Soatto 2008, and Achanta et al. 2012 (in Lab colour)."""

EXTRA = "explain"
"""The extra that installs scikit-image and lime."""


def segment_face(
    image: AnyImage, segmenter: str = "slic", parameters: Mapping[str, float] | None = None, *, seed: int = 0
) -> NDArray[np.int64]:
    """Divide a face into superpixels.

    Args:
        image: (h, w, 3) uint8 BGR or a Pillow image.
        segmenter: One of `SEGMENTERS`.
        parameters: Values that differ from those in `SEGMENTERS`.
        seed: Seed of the random numbers; only quickshift uses it, to break ties.

    Returns:
        (h, w) int64, the number of each pixel's superpixel, 0..S-1.

    Raises:
        ExplanationError: The segmenter or a parameter is unknown, a value is out of range, or there is one segment.
        MissingExtraError: scikit-image is not installed (extra ``explain``).

    Example:
        >>> halves = np.zeros((64, 64, 3), np.uint8)
        >>> halves[:, 32:] = 255
        >>> len(np.unique(segment_face(halves, "felzenszwalb")))
        2
    """
    values = check_parameters(segmenter, parameters)
    segmentation: Any = require("skimage.segmentation", extra=EXTRA)
    colours = cv2.cvtColor(as_image(image), cv2.COLOR_BGR2RGB)
    try:
        if segmenter == "slic":
            found = segmentation.slic(colours, start_label=0, convert2lab=True, channel_axis=-1, **values)
        elif segmenter == "quickshift":
            found = segmentation.quickshift(colours, convert2lab=True, rng=seed, **values)
        else:
            found = segmentation.felzenszwalb(colours, channel_axis=-1, **values)
    except ValueError as error:
        raise ExplanationError(f"{segmenter} does not accept {_write(values)} ({error})") from error
    return number_segments(found, name=f"{segmenter} with {_write(values)}")


def check_parameters(segmenter: str, parameters: Mapping[str, float] | None) -> dict[str, float]:
    """Return all parameters of a segmenter: the given ones, and the defaults of the others. Integers stay integers.

    Raises:
        ExplanationError: The segmenter or a parameter is unknown, or a value is not above 0.
    """
    if segmenter not in SEGMENTERS:
        raise ExplanationError(
            f"unknown segmenter {segmenter!r}; expected one of {', '.join(SEGMENTERS)}."
            f"{did_you_mean(segmenter, SEGMENTERS)}"
        )
    usual = SEGMENTERS[segmenter]
    for name, value in (parameters or {}).items():
        if name not in usual:
            raise ExplanationError(
                f"{segmenter} has no parameter {name!r}; it has {', '.join(usual)}.{did_you_mean(name, usual)}"
            )
        if not np.isfinite(value) or value < 0 or (value == 0 and name != "sigma"):
            raise ExplanationError(f"{name} of {segmenter} must be above 0, but is {value}")
    return {name: type(known)((parameters or {}).get(name, known)) for name, known in usual.items()}


def number_segments(found: NDArray[np.integer], *, name: str) -> NDArray[np.int64]:
    """Number segments from 0 without gaps; `name` describes the segmentation in messages.

    Raises:
        ExplanationError: There is only one segment, so nothing can be compared.

    Example:
        >>> number_segments(np.array([[3, 7], [7, 9]]), name="slic").tolist()
        [[0, 1], [1, 2]]
    """
    numbers, dense = np.unique(found, return_inverse=True)
    if len(numbers) < 2:
        raise ExplanationError(
            f"{name} made one segment of the whole face, but an explanation needs at least two. "
            "Use parameters for smaller segments, or another segmenter"
        )
    return np.asarray(dense.reshape(found.shape), np.int64)


def masks_of(segments: NDArray[np.int64], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the share of each input pixel that belongs to each segment.

    Args:
        segments: (h, w) int64, 0..S-1.
        size: Width and height of the input.

    Returns:
        (S, height, width) float32 0..1; the sum over the segments is 1.
    """
    whole = segments[None] == np.arange(segments.max() + 1)[:, None, None]
    if segments.shape == size[::-1]:
        return np.asarray(whole, np.float32)
    shrink = segments.shape[0] > size[1] or segments.shape[1] > size[0]
    interpolation = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    resized = [cv2.resize(one.astype(np.float32), size, interpolation=interpolation) for one in whole]
    return np.stack(resized).astype(np.float32)


def _write(values: Mapping[str, float]) -> str:
    """Format parameters for a message."""
    return ", ".join(f"{name} {value:g}" for name, value in values.items())
