"""Corruptions: face tiles made worse in ten known ways, three levels each, to see how much a network bears.

Fixed corruptions at fixed levels are an idea of Hendrycks and Dietterich (2019). The ten here are what befalls a face
in a picture: a poor camera, too little light or too much, compression, something before the face, a tilted head, a box
that is not quite right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import did_you_mean

Tiles = NDArray[np.uint8]
"""(N, h, h) uint8 grey face tiles."""

TILE = 48
"""The side of FER2013's tiles, for which levels in pixels are told; they grow with larger tiles."""

EYES = 0.40
"""Height of the eyes below the upper edge, in sides of the image: a median over FER2013's training tiles."""

MOUTH = 0.79
"""Height of the mouth below the upper edge, in sides of the image: a median over FER2013's training tiles."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One way to make faces worse.

    Attributes:
        name: What it is called in reports.
        unit: What its levels mean, in a few words.
        levels: Three levels, mild to strong.
        apply: Takes (N, h, h) uint8 grey, a level and a random generator, and returns new (N, h, h) uint8 grey.
    """

    name: str
    unit: str
    levels: tuple[float, ...]
    apply: Callable[[Tiles, float, np.random.Generator], Tiles]


def corrupt(images: Tiles, name: str, level: float, *, seed: int = 0) -> Tiles:
    """Make faces worse in one of the ways of `CORRUPTIONS`; the images given stay as they are.

    Chance follows from the seed alone: with the same seed an image is turned to the same side, shifted in the same
    direction and given the same noise at every level.

    Args:
        images: (N, h, h) uint8 grey.
        name: Which corruption.
        level: How much, in the corruption's unit; its three `levels` or any other.
        seed: What chance follows from.

    Returns:
        (N, h, h) uint8 grey.

    Raises:
        ValueError: There is no corruption of that name.

    Example:
        >>> corrupt(np.full((1, 2, 2), 100, np.uint8), "dark", 0.3).tolist()
        [[[30, 30], [30, 30]]]
    """
    if name not in CORRUPTIONS:
        raise ValueError(
            f"unknown corruption {name!r}; expected {', '.join(CORRUPTIONS)}.{did_you_mean(name, CORRUPTIONS)}"
        )
    return CORRUPTIONS[name].apply(images, level, np.random.default_rng(seed))


def _blur(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Blur with a Gaussian of a standard deviation in pixels of a 48-pixel tile."""
    sigma = level * images.shape[-1] / TILE
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), sigma))


def _noise(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Add Gaussian noise of a standard deviation in grey levels, each pixel's on its own."""
    return _to_grey(images + level * rng.standard_normal(images.shape))


def _jpeg(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Compress to JPEG and back, with a quality of 0..100; its blocks are 8 pixels wide whatever the tile's side."""
    return _each(images, lambda image: _through_jpeg(image, round(level)))


def _scale_light(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Multiply the grey levels and round: small factors leave few levels, large ones clip the highlights."""
    return _to_grey(images * float(level))


def _low_resolution(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Reduce to a side in pixels of a 48-pixel tile, by area, and enlarge back to the old side, cubically."""
    side = images.shape[-1]
    small = max(1, round(level * side / TILE))
    return _each(images, lambda image: _resize(_resize(image, small, cv2.INTER_AREA), side, cv2.INTER_CUBIC))


def _cover_eyes(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Lay a band over the eyes, across the whole face as dark glasses lie; the level is its height in sides."""
    return _cover(images, centre=EYES, height=level, left=0.1, right=0.9)


def _cover_mouth(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Lay a band over the mouth, wide enough for a smile; the level is its height in sides."""
    return _cover(images, centre=MOUTH, height=level, left=0.2, right=0.8)


def _rotate(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Turn about the centre by an angle in degrees, each image to the side that chance says; edges are reflected."""
    side = images.shape[-1]
    middle = (side - 1) / 2
    turned = np.empty_like(images)
    for index, sign in enumerate(rng.choice([-1.0, 1.0], len(images))):
        matrix = cv2.getRotationMatrix2D((middle, middle), sign * level, 1.0)
        turned[index] = cv2.warpAffine(
            images[index], matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
        )
    return turned


def _shift(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Shift by a share of the side, in whole pixels, each image in a direction that chance says; edges are repeated."""
    side = images.shape[-1]
    pixels, shifted = np.arange(side), np.empty_like(images)
    for index, angle in enumerate(rng.uniform(0, 2 * np.pi, len(images))):
        down, right = (round(level * side * part) for part in (np.sin(angle), np.cos(angle)))
        taken = np.ix_((pixels - down).clip(0, side - 1), (pixels - right).clip(0, side - 1))
        shifted[index] = images[index][taken]
    return shifted


def _each(images: Tiles, change: Callable[[Tiles], Any]) -> Tiles:
    """Change the images one by one: `change` takes and returns (h, h) uint8."""
    changed = np.empty_like(images)
    for index, image in enumerate(images):
        changed[index] = change(image)
    return changed


def _to_grey(values: NDArray[np.floating[Any]]) -> Tiles:
    """Round to whole grey levels, 0..255."""
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


def _resize(image: Tiles, side: int, method: int) -> Tiles:
    """Bring an (h, h) image to another side."""
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), np.uint8)


def _through_jpeg(image: Tiles, quality: int) -> Tiles:
    """Write an (h, h) image as JPEG and read it again."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _cover(images: Tiles, *, centre: float, height: float, left: float, right: float) -> Tiles:
    """Fill a band with each image's own mean grey; all four numbers are shares of the side."""
    side = images.shape[-1]
    rows = max(1, round(height * side))
    top, first, last = max(0, round(centre * side - rows / 2)), round(left * side), round(right * side)
    covered = images.copy()
    covered[:, top : top + rows, first:last] = _to_grey(images.mean(axis=(1, 2)))[:, None, None]
    return covered


CORRUPTIONS: dict[str, Corruption] = {
    found.name: found
    for found in (
        Corruption("blur", "standard deviation, pixels", (0.7, 1.2, 2.0), _blur),
        Corruption("noise", "standard deviation of 255", (8.0, 16.0, 32.0), _noise),
        Corruption("jpeg", "quality of 100", (40.0, 20.0, 10.0), _jpeg),
        Corruption("dark", "brightness, factor", (0.5, 0.3, 0.15), _scale_light),
        Corruption("bright", "brightness, factor", (1.4, 1.8, 2.5), _scale_light),
        Corruption("low resolution", "side, pixels", (32.0, 24.0, 16.0), _low_resolution),
        Corruption("eyes covered", "band's height, share of side", (0.15, 0.22, 0.3), _cover_eyes),
        Corruption("mouth covered", "band's height, share of side", (0.15, 0.22, 0.3), _cover_mouth),
        Corruption("rotation", "degrees", (10.0, 20.0, 30.0), _rotate),
        Corruption("off centre", "shift, share of side", (0.06, 0.12, 0.2), _shift),
    )
}
"""Every corruption by its name, in the order of reports. Levels in pixels are those of a 48-pixel tile."""
