"""The expressional vector: 24 distances between the parts of a face, in units of the face's size.

It is what the second level of FERC reads (Mehendale 2020, "Facial emotion recognition using convolutional neural
networks"). The parts and their pairs are the published ones; how a part's place is found, and by what distances are
divided, is our own: from 68 points and the face's mask. The head's pose is left as it is.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats

PARTS = ("LE", "RE", "LY", "RY", "CN", "LP", "RP", "CP", "CF", "LH", "RH")
"""The face's left and right edge at the height of the eyes (E), the eyes (Y), the nose (CN), the lips' corners and
middle (LP, RP, CP), the forehead (CF), the cheeks (H). Left and right are the subject's."""

PAIRS = (
    ("LE", "RE"), ("LE", "LY"), ("RE", "RY"), ("RY", "LY"), ("RY", "CN"), ("LY", "CN"), ("LE", "CN"), ("RE", "CN"),
    ("LE", "LP"), ("RE", "RP"), ("CN", "CP"), ("CP", "LE"), ("CP", "RE"), ("CF", "RE"), ("CF", "LE"), ("CF", "CN"),
    ("CF", "LY"), ("CF", "RY"), ("LH", "LE"), ("LH", "RE"), ("RH", "LE"), ("RH", "RE"), ("LH", "RH"), ("CF", "CP"),
)  # fmt: skip
"""The parts whose distances are the vector's numbers, in their order."""

ENDS = np.array([[PARTS.index(part) for part in pair] for pair in PAIRS])
"""(24, 2) places in `PARTS`."""

RIGHT_EYE, LEFT_EYE, NOSE, LIPS = slice(36, 42), slice(42, 48), slice(30, 36), (51, 57, 62, 66)
"""Points whose means are the centres of parts: of the nose its tip and base, of the lips the middle of their edges."""

INNER_BROWS, NOSE_BASE, CORNERS, OUTER_EYES = (21, 22), 33, (54, 48), (45, 36)
"""Places on the way to parts; of two, the left one first, but for the brows."""

JAW_AT_EYES, JAW_AT_NOSE = (16, 0), (14, 2)
"""Where the jaw's points stand in for the mask's edge, left and right."""

FOREHEAD = 0.5
"""Without a mask, how far above the brows the forehead's middle is, in units from the brows to the nose's base."""

STEP = 0.25
"""How far apart the mask is looked at on the way to its edge, in its pixels."""


def expressional_vector(points: Floats, mask: Floats | None = None) -> Floats:
    """Return the expressional vector of a face.

    Args:
        points: (68, 2) in iBUG order, in pixels of the mask.
        mask: (h, w) 0..1, how much of each pixel is face; None takes the jaw for the face's edge.

    Returns:
        (24,) float32 distances in the order of `PAIRS`, divided by the face's size (`size_of`); NaN where an
        eye or the nose does not lie in the mask.

    Raises:
        ValueError: There are not 68 points, or the mask is no picture.

    Example:
        >>> from facemood.stages.pose import generic_face
        >>> vector = expressional_vector(generic_face()[:, :2])
        >>> vector.shape, PAIRS[int(vector.argmax())]
        ((24,), ('LE', 'RE'))
    """
    return distances(facial_parts(points, mask))


def facial_parts(points: Floats, mask: Floats | None = None) -> Floats:
    """Return the centre of each of a face's parts.

    Args:
        points: (68, 2) in iBUG order, in pixels of the mask.
        mask: (h, w) 0..1, how much of each pixel is face; None takes the jaw for the face's edge.

    Returns:
        (11, 2) float32 in the order of `PARTS`; NaN where the way to the mask's edge begins outside of it.

    Raises:
        ValueError: There are not 68 points, or the mask is no picture.
    """
    if points.shape != (68, 2):
        raise ValueError(f"the parts of a face want 68 points (68, 2), but these are {points.shape}")
    if mask is not None and mask.ndim != 2:
        raise ValueError(f"a mask must be (h, w), but is {mask.shape}")
    right, left, nose = (points[part].mean(axis=0) for part in (RIGHT_EYE, LEFT_EYE, NOSE))
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
    """Return the 24 distances between parts, divided by the face's size, so that none is 1 for every face.

    Args:
        parts: (..., 11, 2) in the order of `PARTS`.

    Returns:
        (..., 24) float32 in the order of `PAIRS`.

    Example:
        >>> corners = np.zeros((11, 2), np.float32)
        >>> corners[0] = 11, 0  # all but one in one place: the size is the root of 10
        >>> [round(float(value) ** 2, 1) for value in distances(corners)[:3]]
        [12.1, 12.1, 0.0]
    """
    ends = parts[..., ENDS, :]  # (..., 24, 2, 2)
    apart = np.linalg.norm(ends[..., 0, :] - ends[..., 1, :], axis=-1)
    return np.asarray(apart / np.maximum(size_of(parts)[..., None], 1e-6), np.float32)


def size_of(parts: Floats) -> Floats:
    """Return the face's size: the root of the mean squared distance of its parts from their middle.

    It is Bookstein's centroid size (1991) over the root of the parts' number.

    Args:
        parts: (..., 11, 2) pixels.

    Returns:
        (...) float32 pixels.
    """
    spread = parts - parts.mean(axis=-2, keepdims=True)
    return np.asarray(np.sqrt((spread * spread).sum(axis=-1).mean(axis=-1)), np.float32)


def _mirrored_pairs() -> NDArray[np.int64]:
    """Return which pair stands where each did, after a face is mirrored."""
    other = {part: part.translate(str.maketrans("LR", "RL")) if part[0] in "LR" else part for part in PARTS}
    places = {frozenset(pair): place for place, pair in enumerate(PAIRS)}
    return np.array([places[frozenset(other[part] for part in pair)] for pair in PAIRS])


MIRRORED_PAIRS = _mirrored_pairs()
"""(24,) which distance stands where each did, after a face is mirrored."""


def _edge(mask: Floats, start: Floats, direction: Floats) -> Floats:
    """Return where a way through a mask leaves it, (2,): between pixels, where it falls below a half.

    Args:
        mask: (h, w) 0..1; outside of it is nothing. The middle of its first pixel is at (0.5, 0.5).
        start: (2,) where the way begins; NaN comes back where that is not in the mask.
        direction: (2,) of length 1.
    """
    steps = np.arange(0, np.hypot(*mask.shape), STEP, dtype=np.float32)
    way = (start + steps[:, None] * direction).astype(np.float32)
    x, y = (way.T - np.float32(0.5))[:, None]  # (1, K) each, from the middle of the first pixel
    met = cv2.remap(np.asarray(mask, np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)[0]
    outside = np.flatnonzero(met < 0.5)
    if not len(outside) or outside[0] == 0:
        return np.full(2, np.nan, np.float32)
    last = outside[0]
    share = (met[last - 1] - 0.5) / (met[last - 1] - met[last])
    return np.asarray(way[last - 1] + share * STEP * direction, np.float32)
