"""The content of the live window: the frame with its faces, scaled to fit, and a status line."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from facemood.languages import ENGLISH
from facemood.render.fonts import drawable, font_for
from facemood.render.palette import GROUND, INK
from facemood.results import Result
from facemood.schema import ActivationMap, Face, Image
from facemood.text import clock

SMALLEST = (320, 240)
"""Width and height of the smallest view in pixels; a smaller window shows a part of it."""

BAR = 34
"""Height of the status line in pixels."""

TEXT = 16
"""Height of the text in the status line, in pixels."""

PAD = 12
"""Space around texts in the status line, in pixels."""

RED = (236, 72, 72)
"""RGB of the recording sign and its text."""

SOFT = (176, 182, 192)
"""RGB of less important text: a light grey."""

FLIP = np.array([-1, 1, -1], np.float32)
"""Signs by which mirroring multiplies x and y of a point, and yaw, pitch and roll of a head."""


@dataclass(frozen=True, slots=True)
class Status:
    """Content of the status line.

    Attributes:
        source: Name of the source.
        rate: Results per second.
        recording: Length of the current recording in whole seconds; None without one.
        paused: Whether reading is paused.
        notice: A temporary message, such as the name of a snapshot; it replaces the list of keys.
    """

    source: str
    rate: int = 0
    recording: int | None = None
    paused: bool = False
    notice: str = ""


def compose(
    result: Result | None,
    status: Status,
    size: tuple[int, int],
    *,
    layers: Collection[str] = (),
    language: str = ENGLISH,
) -> Image:
    """Draw the whole view: a result and the status line.

    Args:
        result: A result with its image; None before the first one.
        status: Content of the status line.
        size: Width and height of the window in pixels.
        layers: What to draw in addition to boxes, labels and bars.
        language: Language of the labels, as for `Result.draw`.

    Returns:
        (H, W, 3) uint8 BGR, at least as large as `SMALLEST`.
    """
    width, height = max(size[0], SMALLEST[0]), max(size[1], SMALLEST[1])
    if result is None or result.image is None:
        view = np.full((height, width, 3), GROUND[::-1], np.uint8)
        _write_over(view, f"waiting for {status.source}", 0.5)
    else:
        view = _framed(fit(result, (width, height - BAR)).draw(layers=layers, language=language), width, height)
    if status.paused:
        _write_over(view, "paused", 0.95)
    view[height - BAR :] = draw_status(status, width)
    return view


def fit(result: Result, room: tuple[int, int]) -> Result:
    """Scale a result's image and faces to a width and height in pixels. Text drawn afterwards stays sharp.

    Raises:
        ValueError: The result has no image.
    """
    if result.image is None:
        raise ValueError("this result has no image; read with keep_images=True")
    height, width = result.image.shape[:2]
    scale = min(room[0] / width, room[1] / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = result.image if scale == 1 else np.asarray(cv2.resize(result.image, size, interpolation=method), np.uint8)
    faces = tuple(_scaled(face, size[0] / width, size[1] / height) for face in result.faces)
    return dataclasses.replace(result, image=image, size=size, faces=faces)


def mirror(result: Result) -> Result:
    """Mirror a result's image and faces. Landmarks keep their indices, and left stays the subject's left.

    Raises:
        ValueError: The result has no image.
    """
    if result.image is None:
        raise ValueError("this result has no image; read with keep_images=True")
    width = result.image.shape[1]
    faces = tuple(_mirrored(face, width) for face in result.faces)
    return dataclasses.replace(result, image=np.ascontiguousarray(result.image[:, ::-1]), faces=faces)


def draw_status(status: Status, width: int) -> Image:
    """Draw the status line: the state on the left, the keys on the right as far as they fit.

    Returns:
        (BAR, width, 3) uint8 BGR.
    """
    line = Pillow.new("RGB", (width, BAR), GROUND)
    pen = ImageDraw.Draw(line)
    x = float(PAD)
    if status.recording is not None:
        pen.ellipse((x, BAR / 2 - 6, x + 12, BAR / 2 + 6), fill=RED)
        x = _write(pen, x + 20, f"recording {clock(status.recording)}", RED) + PAD
    x = _write(pen, x, status.source, INK) + PAD
    x = _write(pen, x, "paused" if status.paused else f"{status.rate} fps", SOFT) + PAD
    if status.notice:
        _write(pen, x, status.notice, INK)
    else:
        _write_keys(pen, _keys(status), x + PAD, width - PAD)
    return np.ascontiguousarray(np.asarray(line)[:, :, ::-1])


def _framed(image: Image, width: int, height: int) -> Image:
    """Return a view of a width and height with an image in the middle of the space above the status line."""
    down, across = height - BAR - image.shape[0], width - image.shape[1]
    top, left = down // 2, across // 2
    edges = (top, down - top + BAR, left, across - left)
    return np.asarray(cv2.copyMakeBorder(image, *edges, cv2.BORDER_CONSTANT, value=GROUND[::-1]), np.uint8)


def _write(pen: ImageDraw.ImageDraw, x: float, text: str, colour: tuple[int, int, int]) -> float:
    """Write into the status line, and return the x at which the text ends."""
    printable = drawable(text)
    font = font_for(printable, TEXT)
    pen.text((x, BAR / 2), printable, fill=colour, font=font, anchor="lm")
    return x + font.getlength(printable)


def _keys(status: Status) -> list[tuple[str, str]]:
    """Return the keys and what they do now, the most important first."""
    return [
        ("q", "close"),
        ("r", "record" if status.recording is None else "stop recording"),
        ("s", "snapshot"),
        ("space", "go on" if status.paused else "pause"),
    ]


def _write_keys(pen: ImageDraw.ImageDraw, keys: list[tuple[str, str]], left: float, right: float) -> None:
    """Write as many keys as fit, from the right."""
    x = right
    for key, meaning in keys:
        wide = [font_for(text, TEXT).getlength(text) for text in (f"{key} ", meaning)]
        x -= sum(wide)
        if x < left:
            return
        _write(pen, x, f"{key} ", INK)
        _write(pen, x + wide[0], meaning, SOFT)
        x -= 1.5 * PAD


def _write_over(view: Image, text: str, height_share: float) -> None:
    """Write large text on a dark patch over a view, in place; its height goes from top (0) to bottom (1)."""
    printable = drawable(text)
    font = font_for(printable, 2 * TEXT)
    height, width = view.shape[0] - BAR, view.shape[1]
    patch = Pillow.new("RGB", (min(width, round(font.getlength(printable)) + 4 * PAD), 4 * TEXT), GROUND)
    ImageDraw.Draw(patch).text((patch.width / 2, patch.height / 2), printable, fill=INK, font=font, anchor="mm")
    top, left = round((height - patch.height) * height_share), (width - patch.width) // 2
    view[top : top + patch.height, left : left + patch.width] = np.asarray(patch)[:, :, ::-1]


def _scaled(face: Face, across: float, down: float) -> Face:
    """Return a face with its coordinates scaled by factors for x and y."""
    stretch = np.array([across, down, across, down], np.float32)
    points = None if face.landmarks is None else face.landmarks * stretch[:2]
    found = face.activation_map
    scaled = None if found is None else found._replace(box=found.box * stretch)
    return dataclasses.replace(face, box=face.box * stretch, landmarks=points, activation_map=scaled)


def _mirrored(face: Face, width: int) -> Face:
    """Return a face with its coordinates mirrored in an image of a width in pixels."""
    points = None if face.landmarks is None else face.landmarks * FLIP[:2] + np.array([width - 1, 0], np.float32)
    pose = None if face.pose is None else face.pose * FLIP
    box, found = _mirrored_box(face.box, width), face.activation_map
    mirrored = (
        None
        if found is None
        else ActivationMap(_mirrored_box(found.box, width), found.values[:, ::-1], tilt=-found.tilt)
    )
    return dataclasses.replace(face, box=box, landmarks=points, pose=pose, activation_map=mirrored)


def _mirrored_box(box: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Return a box mirrored in an image of a width in pixels."""
    x1, y1, x2, y2 = box
    return np.array([width - x2, y1, width - x1, y2], np.float32)
