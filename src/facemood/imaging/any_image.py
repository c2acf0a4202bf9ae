"""Images of any kind that Python holds: arrays are checked, Pillow images are converted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from facemood.errors import ImageError
from facemood.imaging.array_hint import array_hint
from facemood.imaging.pillow_image import from_pillow

AnyImage: TypeAlias = "NDArray[np.uint8] | Pillow.Image"
"""(H, W, 3) BGR or (H, W) grey, uint8; or a Pillow image of any mode."""


def as_image(image: AnyImage, *, name: str = "image") -> NDArray[np.uint8]:
    """Return an image as (H, W, 3) uint8 BGR. An array that is one already is returned itself, not a copy.

    Args:
        image: (H, W, 3) BGR or (H, W) grey, uint8; or a Pillow image, which is turned upright as its EXIF tag says.
        name: What messages call it.

    Raises:
        ImageError: It is something else, such as a path or an array of another shape or type.

    Example:
        >>> as_image(Pillow.new("RGB", (6, 4), (255, 0, 0)))[0, 0].tolist()
        [0, 0, 255]
    """
    if isinstance(image, Pillow.Image):
        return from_pillow(image, name=name)
    if isinstance(image, np.ndarray):
        checked = check_array(image, name=name)
        return np.repeat(checked[:, :, None], 3, axis=2) if checked.ndim == 2 else checked
    if hasattr(image, "shape") and hasattr(image, "dtype"):
        raise wrong_array(image, name)
    raise ImageError(
        f"{name}: expected an array or a Pillow image, but got a {type(image).__name__}; read a file with "
        "facemood.sources.load_image"
    )


def as_crops(crops: Sequence[AnyImage] | NDArray[np.uint8]) -> Sequence[NDArray[np.uint8]] | NDArray[np.uint8]:
    """Return face crops as arrays for a network, which checks them: Pillow images are converted, arrays stay.

    Args:
        crops: N images of any size, or one array of them, (N, h, w) or (N, h, w, 3).

    Raises:
        ImageError: It is a single image, or a crop is neither an array nor a Pillow image.
    """
    if isinstance(crops, Pillow.Image):
        raise ImageError("crops must be a list of images, but are a Pillow image; for one crop pass [crop]")
    if not isinstance(crops, np.ndarray):
        return [crop if isinstance(crop, np.ndarray) else as_image(crop, name="crop") for crop in crops]
    if crops.ndim not in (3, 4) or (crops.ndim == 3 and crops.shape[2] == 3):  # (h, w, 3): grey crops are wider
        raise ImageError(
            f"crops must be (N, h, w) or (N, h, w, 3), but are {crops.shape}; for one crop pass crop[None]"
        )
    return crops


def check_array(array: NDArray[np.generic], *, name: str = "array") -> NDArray[np.uint8]:
    """Return an array itself, if it is an image: (H, W, 3) BGR or (H, W) grey, uint8; of a subclass its plain array.

    Raises:
        ImageError: The array has another shape or type, or is empty.
    """
    array = np.asarray(array)  # np.matrix and other subclasses have rules of their own for shapes
    if not array.size:
        raise ImageError(f"{name}: the array is empty, {array.shape}")
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise wrong_array(array, name)
    return array  # type: ignore[return-value]


def wrong_array(array: Any, name: str = "array") -> ImageError:
    """Return the error for an array or a tensor that is no image, with what to write instead."""
    hint = array_hint(array)
    return ImageError(
        f"{name}: expected (H, W, 3) uint8 BGR or (H, W) uint8 grey, "
        f"but got {tuple(array.shape)} {array.dtype}{'; ' * bool(hint)}{hint}"
    )
