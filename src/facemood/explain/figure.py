"""Draw explanations: a row each, with the face, the superpixels that speak most for its label, and all of them."""

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
"""Side of a picture in pixels."""

GAP = 12
"""Pixels between two pictures."""

LINE = 22
"""Height of a line of text in pixels."""

TOPS = (1, 3, 5, 10)
"""How many of the strongest superpixels are shown, picture by picture."""

WRITTEN = 6
"""Superpixels whose weights are written on them, the strongest for and against."""

GROUND = (255, 255, 255)
"""RGB of the page: white."""

INK = (34, 34, 34)
"""RGB of titles: nearly black."""

SOFT = (110, 110, 110)
"""RGB of the words below pictures: grey."""

EDGE = (60, 220, 250)
"""BGR of the lines about chosen superpixels."""


def draw_explanations(explanations: Sequence[Explanation]) -> Image:
    """Draw explanations of one face, one below the other: (H, W, 3) uint8 BGR.

    A row with superpixels shows the face, the strongest one, the top three, five and ten that speak for the label, and
    all: green for it, red against it, the strongest with their weights. Other rows show the face and its map.

    Raises:
        ValueError: There is nothing to draw.
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
    """Draw one explanation: a line of words, and pictures with a word below each."""
    pictures = _pictures(explanation)
    width = GAP + len(pictures) * (TILE + GAP)
    canvas = Pillow.new("RGB", (width, 2 * GAP + TILE + 2 * LINE), GROUND)
    pen = ImageDraw.Draw(canvas)
    title = drawable(_title(explanation))
    pen.text((GAP, GAP), title, fill=INK, font=font_for(title, _fitting(title, width - 2 * GAP)))
    for number, (words, picture) in enumerate(pictures):
        left, top = GAP + number * (TILE + GAP), GAP + LINE
        canvas.paste(Pillow.fromarray(picture[:, :, ::-1]), (left, top))
        pen.text((left, top + TILE + 4), words, fill=SOFT, font=font_for(words, 13))
    return np.ascontiguousarray(np.asarray(canvas)[:, :, ::-1])


def _fitting(text: str, width: int) -> int:
    """Return the largest size up to 15 in which a text fits into a width in pixels."""
    return next((size for size in range(15, 9, -1) if font_for(text, size).getlength(text) <= width), 9)


def _title(explanation: Explanation) -> str:
    """Say what is explained, and how."""
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


def _pictures(explanation: Explanation) -> list[tuple[str, Image]]:
    """Return the pictures of a row with what stands below them."""
    face = np.asarray(cv2.resize(explanation.image, (TILE, TILE), interpolation=cv2.INTER_CUBIC), np.uint8)
    if explanation.segments is None:
        return [("the face", face), ("green for, red against", tint(face, _scaled(explanation.heat)))]
    numbers = explanation.segments.astype(np.int32)
    segments = np.asarray(cv2.resize(numbers, (TILE, TILE), interpolation=cv2.INTER_NEAREST_EXACT), np.int32)
    known, pictures = len(explanation.top(max(TOPS))), [("the face", face)]
    for k in TOPS:
        if k == 1 or k <= known:
            words = "the strongest superpixel" if k == 1 else f"top {k}"
            pictures.append((words, _show(face, np.isin(segments, explanation.top(k)))))
    return [*pictures, ("green for, red against; in points", _draw_all(explanation, face, segments))]


def _show(face: Image, mask: NDArray[np.bool_]) -> Image:
    """Show some superpixels of a face as they are, and the rest faintly."""
    faint = (
        np.asarray(cv2.cvtColor(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.float32) * 0.35 + 150
    )
    shown = np.where(mask[..., None], face, faint.clip(0, 255)).astype(np.uint8)
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, found, -1, EDGE, 1, cv2.LINE_AA)
    return shown


def _draw_all(explanation: Explanation, face: Image, segments: NDArray[np.int32]) -> Image:
    """Draw all superpixels, green and red, with the weights of the strongest."""
    assert explanation.weights is not None
    weights = explanation.weights
    drawn = tint(face, _scaled(weights[segments]))
    edges = (segments != np.roll(segments, 1, axis=0)) | (segments != np.roll(segments, 1, axis=1))
    edges[0] = edges[:, 0] = False
    drawn[edges] = (drawn[edges] * 0.6).astype(np.uint8)
    picture = Pillow.fromarray(drawn[:, :, ::-1])
    pen = ImageDraw.Draw(picture)
    for number in np.argsort(-np.abs(weights), kind="stable")[:WRITTEN]:
        text = write_points(float(weights[number]))
        pen.text(_middle(segments == number), text, fill=(255, 255, 255), font=font_for(text, 12), anchor="mm",
                 stroke_width=2, stroke_fill=(0, 0, 0))  # fmt: skip
    return np.ascontiguousarray(np.asarray(picture)[:, :, ::-1])


def write_points(weight: float) -> str:
    """Write a weight in points of probability, of which there are 100, with two digits or more.

    Example:
        >>> write_points(0.123), write_points(-0.0123), write_points(0.00045)
        ('+12', '-1.2', '+0.045')
    """
    points = 100 * weight
    size = abs(points)
    return f"{points:+.0f}" if size >= 9.95 else f"{points:+.1f}" if size >= 0.095 else f"{points:+.2g}"


def _middle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the place of a superpixel that lies furthest inside of it, so that bent ones are written on too."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return float(np.clip(x, 18, TILE - 18)), float(np.clip(y, 8, TILE - 8))


def _scaled(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring a map to the size of a picture where it is not, and to -1..1."""
    if heat.shape != (TILE, TILE):
        heat = np.asarray(cv2.resize(heat, (TILE, TILE), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(heat / max(float(np.abs(heat).max()), 1e-9), np.float32)
