"""Draw explanations, one row each: the face, its strongest superpixels, and all superpixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from facemood.render.fonts import drawable, font_for
from facemood.render.heat import tint
from facemood.schema import Image
from facemood.text import percent

if TYPE_CHECKING:
    from facemood.explain.explanation import Explanation

TILE = 220
"""Side of an image in pixels."""

GAP = 12
"""Pixels between two images."""

LINE = 22
"""Height of a line of text in pixels."""

TOPS = (1, 3, 5, 10)
"""Number of strongest superpixels in each image."""

WRITTEN = 6
"""Number of superpixels with their weights written on them, by absolute weight."""

GROUND = (255, 255, 255)
"""RGB of the background: white."""

INK = (34, 34, 34)
"""RGB of titles: nearly black."""

SOFT = (110, 110, 110)
"""RGB of the captions: grey."""

EDGE = (60, 220, 250)
"""BGR of the outlines of selected superpixels: yellow."""


def draw_explanations(explanations: Sequence[Explanation]) -> Image:
    """Draw explanations of one face below each other: (H, W, 3) uint8 BGR.

    A row with superpixels shows the face, the superpixels that support the label most (the strongest one, the top
    three, five and ten), and all of them: green supports the label, red contradicts it, and the strongest have their
    weights. Other rows show the face and its map.

    Raises:
        ValueError: `explanations` is empty.
    """
    if not explanations:
        raise ValueError("there is no explanation to draw")
    rows = [_draw_row(explanation) for explanation in explanations]
    width = max(row.shape[1] for row in rows)
    filled = [
        cv2.copyMakeBorder(row, 0, GAP, 0, width - row.shape[1], cv2.BORDER_CONSTANT, value=GROUND) for row in rows
    ]
    return np.concatenate(filled).astype(np.uint8)


def _draw_row(explanation: Explanation) -> Image:
    """Draw one explanation: a title, and images with a caption below each."""
    images = _captioned_images(explanation)
    width = GAP + len(images) * (TILE + GAP)
    canvas = Pillow.new("RGB", (width, 2 * GAP + TILE + 2 * LINE), GROUND)
    pen = ImageDraw.Draw(canvas)
    title = drawable(_title(explanation))
    pen.text((GAP, GAP), title, fill=INK, font=font_for(title, _fitting(title, width - 2 * GAP)))
    for number, (caption, image) in enumerate(images):
        left, top = GAP + number * (TILE + GAP), GAP + LINE
        canvas.paste(Pillow.fromarray(image[:, :, ::-1]), (left, top))
        pen.text((left, top + TILE + 4), caption, fill=SOFT, font=font_for(caption, 13))
    return np.ascontiguousarray(np.asarray(canvas)[:, :, ::-1])


def _fitting(text: str, width: int) -> int:
    """Return the largest font size up to 15 in which a text fits into a width in pixels; at least 9."""
    return next((size for size in range(15, 9, -1) if font_for(text, size).getlength(text) <= width), 9)


def _title(explanation: Explanation) -> str:
    """Return the title: label, probability, method and settings."""
    settings = explanation.settings
    words = [f"{explanation.label} {percent(explanation.probability)}", explanation.method]
    words += [
        f"{name} {value:g}"
        if isinstance(value, int | float)
        else str(value)
        if name == "segmenter"
        else f"{name} {value}"
        for name, value in settings.items()
    ]
    fit = "" if explanation.r2 is None else f"  -  fit R2 {explanation.r2:.2f}"
    return f"{words[0]}  -  {', '.join(words[1:])}{fit}"


def _captioned_images(explanation: Explanation) -> list[tuple[str, Image]]:
    """Return the captions and images of a row."""
    face = np.asarray(cv2.resize(explanation.image, (TILE, TILE), interpolation=cv2.INTER_CUBIC), np.uint8)
    if explanation.segments is None:
        return [("the face", face), ("green for, red against", tint(face, _scaled(explanation.attribution)))]
    numbers = explanation.segments.astype(np.int32)
    segments = np.asarray(cv2.resize(numbers, (TILE, TILE), interpolation=cv2.INTER_NEAREST_EXACT), np.int32)
    supporting, images = len(explanation.top(max(TOPS))), [("the face", face)]
    for k in TOPS:
        if k == 1 or k <= supporting:
            caption = "the strongest superpixel" if k == 1 else f"top {k}"
            images.append((caption, _show(face, np.isin(segments, explanation.top(k)))))
    return [*images, ("green for, red against; in points", _draw_all(explanation, face, segments))]


def _show(face: Image, mask: NDArray[np.bool_]) -> Image:
    """Show some superpixels of a face unchanged, and the rest pale and grey."""
    faint = (
        np.asarray(cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.float32) * 0.35 + 150
    )
    shown = np.where(mask[..., None], face, faint.clip(0, 255)).astype(np.uint8)
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, found, -1, EDGE, 1, cv2.LINE_AA)
    return shown


def _draw_all(explanation: Explanation, face: Image, segments: NDArray[np.int32]) -> Image:
    """Draw all superpixels in green and red, with the weights of the strongest."""
    assert explanation.weights is not None
    weights = explanation.weights
    drawn = tint(face, _scaled(weights[segments]))
    edges = (segments != np.roll(segments, 1, axis=0)) | (segments != np.roll(segments, 1, axis=1))
    edges[0] = edges[:, 0] = False
    drawn[edges] = (drawn[edges] * 0.6).astype(np.uint8)
    canvas = Pillow.fromarray(drawn[:, :, ::-1])
    pen = ImageDraw.Draw(canvas)
    for number in np.argsort(-np.abs(weights), kind="stable")[:WRITTEN]:
        text = write_points(float(weights[number]))
        pen.text(_middle(segments == number), text, fill=(255, 255, 255), font=font_for(text, 12), anchor="mm",
                 stroke_width=2, stroke_fill=(0, 0, 0))  # fmt: skip
    return np.ascontiguousarray(np.asarray(canvas)[:, :, ::-1])


def write_points(weight: float) -> str:
    """Format a weight in percentage points of probability, with two significant digits or more.

    Example:
        >>> write_points(0.123), write_points(-0.0123), write_points(0.00045)
        ('+12', '-1.2', '+0.045')
    """
    points = 100 * weight
    size = abs(points)
    return f"{points:+.0f}" if size >= 9.95 else f"{points:+.1f}" if size >= 0.095 else f"{points:+.2g}"


def _middle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the pixel that is furthest inside of a superpixel, so that bent superpixels can be labelled too."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(np.clip(x, 18, TILE - 18)), float(np.clip(y, 8, TILE - 8))


def _scaled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Resize a map to the image size, and scale it to -1..1."""
    if values.shape != (TILE, TILE):
        values = np.asarray(cv2.resize(values, (TILE, TILE), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(values / max(float(np.abs(values).max()), 1e-9), np.float32)
