"""Turn Pillow images of any mode into (H, W, 3) uint8 BGR, strip by strip, so that no second whole copy is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from facemood.errors import ImageError
from facemood.imaging.pixel_values import to_eight_bits

Pixels: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8 BGR."""

ORIENTATION = 0x0112
"""EXIF tag with the turn that shows a photo upright."""

TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).transpose(1, 0, 2),
    8: lambda image: np.rot90(image),
}
"""What shows a photo upright, by the value of `ORIENTATION`; any other value leaves it as it is."""

SIDEWAYS = (5, 6, 7, 8)
"""Values of `ORIENTATION` that exchange width and height."""

STRIP = 4_000_000
"""Pixels that are converted together."""


def from_pillow(picture: Pillow.Image, *, factor: int = 1, name: str = "image") -> Pixels:
    """Convert a Pillow image of any mode: upright, with transparency laid on white.

    Args:
        picture: The image.
        factor: By how much it is reduced; each pixel is the mean of a square of so many.
        name: What messages call it.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageError: It has no pixels, or none of them is a finite number.

    Example:
        >>> from_pillow(Pillow.new("RGBA", (6, 4), (255, 0, 0, 255)), factor=2)[0].tolist()
        [[0, 0, 255], [0, 0, 255], [0, 0, 255]]
    """
    if 0 in picture.size:
        raise ImageError(f"{name}: the image has no pixels, {picture.size[0]} x {picture.size[1]}")
    across, down = min(factor, picture.width), min(factor, picture.height)
    if picture.mode.startswith(("I", "F")):
        grey = to_eight_bits(_mean_values(picture, across, down), floating=picture.mode == "F", name=name)
        image = np.repeat(grey[:, :, None], 3, axis=2)
    else:
        image = _mean_colours(picture, across, down)
    return upright(image, picture.getexif().get(ORIENTATION, 1))


def upright(image: Pixels, orientation: int) -> Pixels:
    """Turn an image as the EXIF tag `ORIENTATION` says."""
    turn = TURNS.get(orientation)
    return np.ascontiguousarray(turn(image) if turn else image)


def _mean_colours(picture: Pillow.Image, across: int, down: int) -> Pixels:
    """Return a reduced image, (H, W, 3) uint8 BGR."""
    width, height = picture.width // across, picture.height // down
    image = np.empty((height, width, 3), np.uint8)
    rows = max(1, STRIP // (picture.width * down))
    for first in range(0, height, rows):
        last = min(height, first + rows)
        strip = picture.crop((0, first * down, width * across, last * down)) if (rows < height) else picture
        strip = _to_rgb(strip)
        pixels = np.asarray(strip.reduce((across, down)) if across * down > 1 else strip)
        cv2.cvtColor(pixels[: last - first, :width], cv2.COLOR_RGB2BGR, image[first:last])  # quicker than by [::-1]
    return image


def _mean_values(picture: Pillow.Image, across: int, down: int) -> NDArray[np.generic]:
    """Return the values of a reduced image of one channel, (H, W), of any type where it is not reduced."""
    if across * down == 1:
        return np.asarray(picture)
    width, height = picture.width // across, picture.height // down
    values = np.empty((height, width), np.float32)
    rows = max(1, STRIP // (picture.width * down))
    for first in range(0, height, rows):
        last = min(height, first + rows)
        strip = np.asarray(picture.crop((0, first * down, width * across, last * down)), np.float32)
        values[first:last] = strip.reshape(last - first, down, width, across).mean(axis=(1, 3))
    return values


def _to_rgb(picture: Pillow.Image) -> Pillow.Image:
    """Bring any mode of 8 bits to RGB."""
    if picture.mode == "RGB":
        return picture
    if picture.mode == "La":
        picture = picture.convert("LA")
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        ground = Pillow.new("RGBA", layered.size, "white")
        return Pillow.alpha_composite(ground, layered).convert("RGB")
    return picture.convert("RGB")
