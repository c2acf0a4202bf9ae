"""Level 2 of FERC: the facial parts of faces without background, and their expressional vectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facemood.errors import ImageError
from facemood.ferc.face_mask import MaskModel, outline_of
from facemood.ferc.vector import ENDS, distances, facial_parts, size_of
from facemood.flow import change_each
from facemood.geometry import Floats
from facemood.results import Result
from facemood.schema import Face, FaceParts, Image
from facemood.stages.action_units import is_covered
from facemood.stages.landmarks import PRESENT, LandmarkModel, landmarks_of
from facemood.stages.pose import estimate_pose

MAX_YAW = 45.0
"""Degrees of yaw above which the parts of a face are not measured: landmarks of the hidden side are guesses."""

MIN_INSIDE = 0.8
"""Smallest share of a face's mask, 0..1, that must lie inside of the image. Chosen by hand: less is half a face."""

MAX_BEYOND = 0.2
"""How far a part may lie outside of the image, in units of the face's size. Chosen by hand: just beyond the edge."""


@dataclass(frozen=True, slots=True)
class PartsModel:
    """Measures the mask and the facial parts of faces.

    Attributes:
        landmark_model: The landmark network; it also runs on the faces without background.
        mask_model: The network that segments the face from its background.

    Example:
        >>> PartsModel(LandmarkModel()).add_parts(np.zeros((40, 40, 3), np.uint8), [])
        []
    """

    landmark_model: LandmarkModel
    mask_model: MaskModel = field(default_factory=lambda: MaskModel(threads=1))

    def add_parts(self, image: Image, faces: Sequence[Face]) -> list[Face]:
        """Add `Face.parts` to faces, if they can be measured.

        A face gets no parts if it has no 68 landmarks, if it is turned by more than `MAX_YAW` degrees, if its eyes or
        mouth are covered, if it lies further outside of the image than `MIN_INSIDE` and `MAX_BEYOND` allow, or if the
        landmark network finds no face after the background is removed.

        Args:
            image: (H, W, 3) uint8 BGR, or (H, W) grey.
            faces: Faces of that image, with landmarks and pose.
        """
        added = list(faces)
        measurable = [index for index, face in enumerate(faces) if _is_measurable(image, face)]
        known = [points for points in (landmarks_of(faces[index]) for index in measurable) if points is not None]
        if not known:
            return added
        for index, parts in zip(measurable, self.predict(image, np.stack(known)), strict=True):
            added[index] = dataclasses.replace(faces[index], parts=parts)
        return added

    def face_in_crop(self, crop: NDArray[np.uint8], framing: tuple[float, float, float, float]) -> Face:
        """Return the face of a face crop, with landmarks, pose and parts, as far as they can be measured.

        Args:
            crop: (h, w) or (h, w, 3) uint8 BGR.
            framing: The crop in units of a detector's box, as on a model's card.

        Raises:
            ImageError: The crop has another shape or type.
        """
        if crop.dtype != np.uint8 or crop.ndim not in (2, 3) or crop.shape[2:] not in ((), (3,)) or not crop.size:
            raise ImageError(f"a face crop must be (h, w) or (h, w, 3) uint8, but is {crop.shape} {crop.dtype}")
        size = crop.shape[1], crop.shape[0]
        (face,) = self.landmark_model.add_landmarks(crop, [Face(_box_in(framing, size), score=1.0)])
        points = landmarks_of(face)
        if points is None:
            return face
        return self.add_parts(crop, [dataclasses.replace(face, pose=estimate_pose(points, size))])[0]

    def predict(self, image: Image, points: Floats) -> list[FaceParts | None]:
        """Return the parts of faces with known landmarks, (N, 68, 2) in pixels; None if they cannot be measured."""
        found = self.mask_model.predict(image, points)
        size = image.shape[1], image.shape[0]
        shares = found.shares_inside(size)
        inside, presence = self.landmark_model.predict_crops(found.without_background())
        all_parts: list[FaceParts | None] = []
        for mask, frame, own, share, score in zip(found.masks, found.frames, inside, shares, presence, strict=True):
            centres = facial_parts(own, mask)
            there = (centres @ frame[:, :2].T + frame[:, 2]).astype(np.float32)
            measured = share >= MIN_INSIDE and score >= PRESENT and beyond(there, size) <= MAX_BEYOND  # False for NaN
            all_parts.append(FaceParts(outline_of(mask, frame), there[ENDS], distances(centres)) if measured else None)
        return all_parts


def with_parts(model: PartsModel, results: Iterable[Result]) -> Iterator[Result]:
    """Yield results whose faces have `Face.parts`, for the layers ``"mask"`` and ``"vector"``.

    Args:
        model: The model that measures them.
        results: Results with their images. Results without an image stay as they are.
    """

    def add_parts(result: Result) -> Result:
        if result.image is None:
            return result
        return dataclasses.replace(result, faces=tuple(model.add_parts(result.image, result.faces)))

    return change_each(results, add_parts)


def beyond(centres: Floats, size: tuple[int, int]) -> float:
    """Return the distance of the outermost part from the image, in units of the face's size.

    Args:
        centres: (11, 2) pixels, the parts.
        size: Width and height of the image.

    Returns:
        0 or less if all parts are inside; NaN if a part is not known.

    Example:
        >>> centres = np.zeros((11, 2), np.float32)
        >>> centres[0] = 11, 0  # the size is the root of 10
        >>> round(beyond(centres, (1, 1)) ** 2, 1)
        10.0
    """
    over = np.maximum(-centres, centres - np.array(size)).max()
    return float(over / max(float(size_of(centres)), 1e-6))


def _is_measurable(image: Image, face: Face) -> bool:
    """Return whether a face has landmarks, is not turned away, and nothing covers its eyes or its mouth."""
    if landmarks_of(face) is None or face.pose is None or abs(float(face.pose[0])) > MAX_YAW:
        return False
    return not is_covered(image, face)


def _box_in(framing: tuple[float, float, float, float], size: tuple[int, int]) -> Floats:
    """Return the detector's box in a framed crop, (4,) in pixels: the inverse of the framing."""
    left, top, right, bottom = framing
    box = np.array([-left, -top, 1 - left, 1 - top]) / np.tile([right - left, bottom - top], 2)
    return np.asarray(box * np.tile(size, 2), np.float32)
