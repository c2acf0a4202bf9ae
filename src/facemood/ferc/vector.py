"""The expressional vector: 24 distances between facial parts, in units of the face's size.

It is the input of FERC's second level (Mehendale 2020, "Facial emotion recognition using convolutional neural
networks"). Parts and pairs are the published ones. Where a part lies, from 68 landmarks and the face's mask, and the
unit of the distances are our own. The head's pose is not corrected.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import LEFT_EYE, RIGHT_EYE, Floats

PARTS = ("LE", "RE", "LY", "RY", "CN", "LP", "RP", "CP", "CF", "LH", "RH")
"""Facial parts: left and right edge of the face at the height of the eyes (LE, RE), eyes (LY, RY), nose (CN), corners
and middle of the lips (LP, RP, CP), forehead (CF), cheeks (LH, RH). Left and right are the subject's."""

PAIRS = (
    ("LE", "RE"), ("LE", "LY"), ("RE", "RY"), ("RY", "LY"), ("RY", "CN"), ("LY", "CN"), ("LE", "CN"), ("RE", "CN"),
    ("LE", "LP"), ("RE", "RP"), ("CN", "CP"), ("CP", "LE"), ("CP", "RE"), ("CF", "RE"), ("CF", "LE"), ("CF", "CN"),
    ("CF", "LY"), ("CF", "RY"), ("LH", "LE"), ("LH", "RE"), ("RH", "LE"), ("RH", "RE"), ("LH", "RH"), ("CF", "CP"),
)  # fmt: skip
"""The pairs of parts whose distances make up the vector, in its order."""

ENDS = np.array([[PARTS.index(part) for part in pair] for pair in PAIRS])
"""(24, 2) indices in `PARTS` of the two ends of each distance."""

LOWER_NOSE = slice(30, 36)
"""Landmarks whose mean is the centre of the nose: its tip and base."""

LIPS = (51, 57, 62, 66)
"""Landmarks whose mean is the centre of the lips: the middles of their edges."""

INNER_BROWS = (21, 22)
"""Landmarks of the inner ends of the brows, right and left."""

NOSE_BASE = 33
"""Landmark of the base of the nose."""

CORNERS = (54, 48)
"""Landmarks of the corners of the mouth, left and right."""

OUTER_EYES = (45, 36)
"""Landmarks of the outer corners of the eyes, left and right."""

JAW_AT_EYES = (16, 0)
"""Landmarks of the jaw at the height of the eyes, left and right, which replace the mask's edge if there is no mask."""

JAW_AT_NOSE = (14, 2)
"""Landmarks of the jaw at the height of the nose, left and right, which replace the mask's edge as well."""

FOREHEAD = 0.5
"""Height of the forehead's middle above the brows without a mask, in units of the distance from brows to nose base."""

STEP = 0.25
"""Sampling distance, in pixels of the mask, of the search for its edge."""


def expressional_vector(points: Floats, mask: Floats | None = None) -> Floats:
    """Return the expressional vector of a face.

    Args:
        points: (68, 2) in iBUG order, in pixels of the mask.
        mask: (h, w) 0..1, the share of each pixel that is face; None uses the jaw as the edge of the face.

    Returns:
        (24,) float32 distances in the order of `PAIRS`, divided by the face's size (`size_of`); NaN if an eye or the
        nose lies outside of the mask.

    Raises:
        ValueError: There are not 68 points, or the mask is not two-dimensional.

    Example:
        >>> from facemood.stages.pose import generic_face
        >>> vector = expressional_vector(generic_face()[:, :2])
        >>> vector.shape, PAIRS[int(vector.argmax())]
        ((24,), ('LE', 'RE'))
    """
    return distances(facial_parts(points, mask))


def facial_parts(points: Floats, mask: Floats | None = None) -> Floats:
    """Return the centres of the facial parts.

    Args:
        points: (68, 2) in iBUG order, in pixels of the mask.
        mask: (h, w) 0..1, the share of each pixel that is face; None uses the jaw as the edge of the face.

    Returns:
        (11, 2) float32 in the order of `PARTS`; NaN if the search for the mask's edge starts outside of the mask.

    Raises:
        ValueError: There are not 68 points, or the mask is not two-dimensional.
    """
    if points.shape != (68, 2):
        raise ValueError(f"facial parts need 68 points (68, 2), but got {points.shape}")
    if mask is not None and mask.ndim != 2:
        raise ValueError(f"a mask must be (h, w), but is {mask.shape}")
    right, left, nose = (points[part].mean(axis=0) for part in (RIGHT_EYE, LEFT_EYE, LOWER_NOSE))
    lips, brows = points[list(LIPS)].mean(axis=0), points[list(INNER_BROWS)].mean(axis=0)
    across = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
    up = np.array([across[1], -across[0]], np.float32)
    if mask is None:
        ears, sides = points[list(JAW_AT_EYES)], points[list(JAW_AT_NOSE)]
        forehead = brows + up * FOREHEAD * np.linalg.norm(points[NOSE_BASE] - brows)
    else:
        ears = np.stack([_edge(mask, left, across), _edge(mask, right, -across)])
        sides = np.stack([_edge(mask, nose, across), _edge(mask, nose, -across)])
        forehead = (brows + _edge(mask, brows, up)) / 2
    corners = points[list(CORNERS)]
    cheeks = (points[list(OUTER_EYES)] + corners + sides) / 3
    return np.stack([*ears, left, right, nose, *corners, lips, forehead, *cheeks]).astype(np.float32)


def distances(parts: Floats) -> Floats:
    """Return the 24 distances between parts, divided by the face's size. No distance is 1 for all faces.

    Args:
        parts: (..., 11, 2) in the order of `PARTS`.

    Returns:
        (..., 24) float32 in the order of `PAIRS`.

    Example:
        >>> corners = np.zeros((11, 2), np.float32)
        >>> corners[0] = 11, 0  # all parts but one coincide: the size is the root of 10
        >>> [round(float(value) ** 2, 1) for value in distances(corners)[:3]]
        [12.1, 12.1, 0.0]
    """
    ends = parts[..., ENDS, :]  # (..., 24, 2, 2)
    apart = np.linalg.norm(ends[..., 0, :] - ends[..., 1, :], axis=-1)
    return np.asarray(apart / np.maximum(size_of(parts)[..., None], 1e-6), np.float32)


def size_of(parts: Floats) -> Floats:
    """Return the face's size: the root mean square distance of its parts from their centroid.

    It is Bookstein's centroid size (1991) divided by the root of the number of parts.

    Args:
        parts: (..., 11, 2) pixels.

    Returns:
        (...) float32 pixels.
    """
    spread = parts - parts.mean(axis=-2, keepdims=True)
    return np.asarray(np.sqrt((spread * spread).sum(axis=-1).mean(axis=-1)), np.float32)


def _mirrored_pairs() -> NDArray[np.int64]:
    """Return the index of each pair's counterpart in the mirrored face."""
    other = {part: part.translate(str.maketrans("LR", "RL")) if part[0] in "LR" else part for part in PARTS}
    places = {frozenset(pair): place for place, pair in enumerate(PAIRS)}
    return np.array([places[frozenset(other[part] for part in pair)] for pair in PAIRS])


MIRRORED_PAIRS = _mirrored_pairs()
"""(24,) index of each distance's counterpart in the mirrored face."""


def _edge(mask: Floats, start: Floats, direction: Floats) -> Floats:
    """Return where a ray leaves a mask, (2,): with subpixel accuracy, where the mask falls below 0.5.

    Args:
        mask: (h, w) 0..1, continued by 0. The centre of its first pixel is at (0.5, 0.5).
        start: (2,) start of the ray; the result is NaN if it lies outside of the mask.
        direction: (2,) of length 1.
    """
    steps = np.arange(0, np.hypot(*mask.shape), STEP, dtype=np.float32)
    ray = (start + steps[:, None] * direction).astype(np.float32)
    x, y = (ray.T - np.float32(0.5))[:, None]  # (1, K) each, from the centre of the first pixel
    values = cv2.remap(np.asarray(mask, np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)[0]
    outside = np.flatnonzero(values < 0.5)
    if not len(outside) or outside[0] == 0:
        return np.full(2, np.nan, np.float32)
    last = outside[0]
    share = (values[last - 1] - 0.5) / (values[last - 1] - values[last])
    return np.asarray(ray[last - 1] + share * STEP * direction, np.float32)
