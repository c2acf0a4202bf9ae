"""Level 2 of FERC: the parts of faces whose background is removed, and their expressional vectors."""

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

TURNED = 45.0
"""Degrees of yaw from which a face is not read: one of its sides is guessed there."""

INSIDE, BEYOND = 0.8, 0.2
"""The share of a face's mask that must lie in the picture, and how far outside a part may be, in units of its size."""


@dataclass(frozen=True, slots=True)
class PartsModel:
    """Finds the mask and the parts of faces.

    Attributes:
        landmark_model: The network that reads points, on the face without its background as well.
        mask_model: The network that tells face from background.

    Example:
        >>> PartsModel(LandmarkModel()).add_parts(np.zeros((40, 40, 3), np.uint8), [])
        []
    """

    landmark_model: LandmarkModel
    mask_model: MaskModel = field(default_factory=lambda: MaskModel(threads=1))

    def add_parts(self, image: Image, faces: Sequence[Face]) -> list[Face]:
        """Return faces with `Face.parts`, where these can be told.

        A face stays without where it has no 68 points, where it is turned by more than `TURNED`, where its eyes or its
        mouth are covered, where more of it is out of the picture than `INSIDE` and `BEYOND` allow, and where the
        landmark network finds no face once the background is gone.

        Args:
            image: (H, W, 3) uint8 BGR, or (H, W) grey.
            faces: Faces of that image, with landmarks and pose.
        """
        marked = list(faces)
        asked = [place for place, face in enumerate(faces) if _may_be_read(image, face)]
        known = [points for points in (landmarks_of(faces[place]) for place in asked) if points is not None]
        if not known:
            return marked
        for place, parts in zip(asked, self.predict(image, np.stack(known)), strict=True):
            marked[place] = dataclasses.replace(faces[place], parts=parts)
        return marked

    def face_in_crop(self, crop: NDArray[np.uint8], framing: tuple[float, float, float, float]) -> Face:
        """Return the face that is cut out, with landmarks, pose and parts, as far as these can be told.

        Args:
            crop: (h, w) or (h, w, 3) uint8 BGR.
            framing: The crop in units of a detector's box, as a model's card has it.

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
        """Return the parts of faces whose points are known, (N, 68, 2) in pixels; None where they cannot be told."""
        found = self.mask_model.predict(image, points)
        size = image.shape[1], image.shape[0]
        shares = found.shares_inside(size)
        inside, presence = self.landmark_model.predict_crops(found.without_background())
        made: list[FaceParts | None] = []
        for mask, frame, own, share, sure in zip(found.masks, found.frames, inside, shares, presence, strict=True):
            centres = facial_parts(own, mask)
            there = (centres @ frame[:, :2].T + frame[:, 2]).astype(np.float32)
            readable = share >= INSIDE and sure >= PRESENT and beyond(there, size) <= BEYOND  # NaN is not
            made.append(FaceParts(outline_of(mask, frame), there[ENDS], distances(centres)) if readable else None)
        return made


def with_parts(model: PartsModel, results: Iterable[Result]) -> Iterator[Result]:
    """Yield results whose faces have their parts, for the layers ``"mask"`` and ``"vector"``.

    Args:
        model: What finds them.
        results: With their images; those without stay as they are.
    """

    def add_parts(result: Result) -> Result:
        if result.image is None:
            return result
        return dataclasses.replace(result, faces=tuple(model.add_parts(result.image, result.faces)))

    return change_each(results, add_parts)


def beyond(centres: Floats, size: tuple[int, int]) -> float:
    """Return how far the part that is furthest outside of a picture is, in units of the face's size.

    Args:
        centres: (11, 2) pixels, the parts.
        size: Width and height of the picture.

    Returns:
        0 or less where all parts are in the picture; NaN where one is not known.

    Example:
        >>> centres = np.zeros((11, 2), np.float32)
        >>> centres[0] = 11, 0  # the size is the root of 10
        >>> round(beyond(centres, (1, 1)) ** 2, 1)
        10.0
    """
    over = np.maximum(-centres, centres - np.array(size)).max()
    return float(over / max(float(size_of(centres)), 1e-6))


def _may_be_read(image: Image, face: Face) -> bool:
    """Tell whether a face has points, is not turned away, and nothing hides its eyes or its mouth."""
    if landmarks_of(face) is None or face.pose is None or abs(float(face.pose[0])) > TURNED:
        return False
    return not is_covered(image, face)


def _box_in(framing: tuple[float, float, float, float], size: tuple[int, int]) -> Floats:
    """Return the detector's box in a crop that was framed about it, (4,) in pixels."""
    left, top, right, bottom = framing
    box = np.array([-left, -top, 1 - left, 1 - top]) / np.tile([right - left, bottom - top], 2)
    return np.asarray(box * np.tile(size, 2), np.float32)
