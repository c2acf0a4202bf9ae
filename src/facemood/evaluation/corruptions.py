"""Image corruptions: ten kinds with three levels each, to measure the robustness of a network.

Fixed corruptions at fixed levels follow Hendrycks and Dietterich (2019). The ten kinds are typical of faces: a poor
camera, too little or too much light, compression, an occluded face, a tilted head, an inexact box.
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
"""Side of FER2013's tiles in pixels. Levels in pixels are for this size, and scale with larger tiles."""

EYES = 0.40
"""Distance of the eyes from the upper edge, as a share of the side: the median over FER2013's training tiles."""

MOUTH = 0.79
"""Distance of the mouth from the upper edge, as a share of the side: the median over FER2013's training tiles."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """One kind of corruption.

    Attributes:
        name: Name in reports.
        unit: Unit of the levels, in a few words.
        levels: Three levels, mild to strong.
        apply: Function of (N, h, h) uint8 grey, a level and a random generator; returns new (N, h, h) uint8 grey.
    """

    name: str
    unit: str
    levels: tuple[float, ...]
    apply: Callable[[Tiles, float, np.random.Generator], Tiles]


def corrupt(images: Tiles, name: str, level: float, *, seed: int = 0) -> Tiles:
    """Corrupt images in one of the ways of `CORRUPTIONS`; the given images stay unchanged.

    With the same seed, an image is rotated to the same side, shifted in the same direction and gets the same noise at
    every level.

    Args:
        images: (N, h, h) uint8 grey.
        name: Name of the corruption.
        level: Strength in the corruption's unit: one of its three `levels` or any other.
        seed: Seed of the random numbers.

    Returns:
        (N, h, h) uint8 grey.

    Raises:
        ValueError: There is no corruption with that name.

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
    """Gaussian blur; the level is the standard deviation in pixels of a 48-pixel tile."""
    sigma = level * images.shape[-1] / TILE
    return _each(images, lambda image: cv2.GaussianBlur(image, (0, 0), sigma))


def _noise(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Independent Gaussian noise; the level is the standard deviation in grey levels."""
    return _to_grey(images + level * rng.standard_normal(images.shape))


def _jpeg(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """JPEG compression; the level is the quality 0..100. Blocks have 8 pixels at any size of the tile."""
    return _each(images, lambda image: _through_jpeg(image, round(level)))


def _scale_light(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Multiply and round the grey levels: small factors leave few levels, large factors clip highlights."""
    return _to_grey(images * float(level))


def _low_resolution(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Shrink by area and enlarge again cubically; the level is the small side in pixels of a 48-pixel tile."""
    side = images.shape[-1]
    small = max(1, round(level * side / TILE))
    return _each(images, lambda image: _resize(_resize(image, small, cv2.INTER_AREA), side, cv2.INTER_CUBIC))


def _cover_eyes(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Cover the eyes with a band across the face, like dark glasses; the level is its height as a share of the side."""
    return _cover(images, centre=EYES, height=level, left=0.1, right=0.9)


def _cover_mouth(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Cover the mouth with a band wide enough for a smile; the level is its height as a share of the side."""
    return _cover(images, centre=MOUTH, height=level, left=0.2, right=0.8)


def _rotate(images: Tiles, level: float, rng: np.random.Generator) -> Tiles:
    """Rotate around the centre by an angle in degrees, each image to a random side; edges are reflected."""
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
    """Shift by a share of the side, in whole pixels, each image in a random direction; edges are repeated."""
    side = images.shape[-1]
    pixels, shifted = np.arange(side), np.empty_like(images)
    for index, angle in enumerate(rng.uniform(0, 2 * np.pi, len(images))):
        down, right = (round(level * side * part) for part in (np.sin(angle), np.cos(angle)))
        taken = np.ix_((pixels - down).clip(0, side - 1), (pixels - right).clip(0, side - 1))
        shifted[index] = images[index][taken]
    return shifted


def _each(images: Tiles, change: Callable[[Tiles], Any]) -> Tiles:
    """Apply a function to each image: it takes and returns (h, h) uint8."""
    changed = np.empty_like(images)
    for index, image in enumerate(images):
        changed[index] = change(image)
    return changed


def _to_grey(values: NDArray[np.floating[Any]]) -> Tiles:
    """Round to integer grey levels, 0..255."""
    return np.asarray(np.rint(values).clip(0, 255), np.uint8)


def _resize(image: Tiles, side: int, method: int) -> Tiles:
    """Resize an (h, h) image."""
    return np.asarray(cv2.resize(image, (side, side), interpolation=method), np.uint8)


def _through_jpeg(image: Tiles, quality: int) -> Tiles:
    """Encode an (h, h) image as JPEG and decode it."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _cover(images: Tiles, *, centre: float, height: float, left: float, right: float) -> Tiles:
    """Fill a band with each image's mean grey level; all four numbers are shares of the side."""
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
"""Corruptions by name, in the order of reports. Levels in pixels are for a 48-pixel tile."""
