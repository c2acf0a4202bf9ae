"""Made videos with cuts whose people are known: shots of annotated photos and of clips, each with a look of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from facemood.geometry import Floats, box_of_points
from facemood.schema import Frame, Image

RATE = 10.0
"""Frames a second."""

SIZE = (320, 240)
"""Width and height in pixels."""

FRAMES = 5
"""Frames of a shot of a photo."""

VISIBLE = 0.6
"""Share of a face's box that must be in the frame for the face to count."""

SMALLEST = 24.0
"""Smallest width of a face that counts, in pixels."""


@dataclass(frozen=True)
class Look:
    """How a shot shows a part of an image: zoom, place, tilt, light, sharpness, noise.

    Attributes:
        width: Width of the face in the middle, in pixels of the video.
        off: Shift of its middle, (2,) in pixels.
        tilt: Degrees, clockwise.
        tone: Exponent of the tone curve, and factor of the brightness.
        cast: (3,) factor of each channel.
        side: (2,) natural logarithm of the light at the right and lower edge; minus that at the left and upper edge.
        blur: Standard deviation of the blur in pixels.
        noise: Standard deviation of the noise in grey levels.
        drift: (2,) pixels by which the camera moves from frame to frame.
    """

    width: float
    off: Floats
    tilt: float
    tone: tuple[float, float]
    cast: Floats
    side: Floats
    blur: float
    noise: float
    drift: Floats


def draw_look(random: np.random.Generator) -> Look:
    """Draw the look of a shot."""
    return Look(
        width=random.uniform(45, 100),
        off=random.uniform(-16, 16, 2).astype(np.float32),
        tilt=random.normal(0, 4),
        tone=(float(np.exp(random.uniform(-0.35, 0.35))), float(np.exp(random.uniform(-0.35, 0.35)))),
        cast=np.exp(random.normal(0, 0.05, 3)).astype(np.float32),
        side=random.uniform(-0.25, 0.25, 2).astype(np.float32),
        blur=random.uniform(0, 1.5),
        noise=random.uniform(1, 6),
        drift=random.normal(0, 1, 2).astype(np.float32),
    )


@dataclass(frozen=True)
class Shown:
    """A frame of a made video, and the true box of each person in it, (4,) x1 y1 x2 y2."""

    frame: Frame
    boxes: dict[int, Floats]


def show(image: Image, people: dict[int, Floats], of: int, look: Look, step: int, random: np.random.Generator) -> Image:
    """Show a part of an image around a person as a look says it; changes the points of `people` in place.

    Args:
        image: (H, W, 3) uint8 BGR.
        people: The 68 points of each person in it, (68, 2) in pixels.
        of: The person in the middle.
        look: How it is shown.
        step: Number of the frame in the shot.
        random: Generator of the noise.
    """
    (x1, y1, x2, y2) = box_of_points(people[of][None])[0]
    scale, turn = look.width / (x2 - x1), np.deg2rad(look.tilt)
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array(SIZE) / 2 + look.off + step * look.drift
    matrix = np.column_stack([linear, middle - linear @ ((x1 + x2) / 2, (y1 + y2) / 2)]).astype(np.float32)
    for person, points in people.items():
        people[person] = (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    if scale < 0.5:
        factor = int(1 / scale)
        image = np.asarray(cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA))
        matrix = (matrix * np.array([factor, factor, 1])).astype(np.float32)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shown = cv2.warpAffine(image, matrix, SIZE, flags=flags, borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
    exponent, gain = look.tone
    lit = 255 * (shown / 255) ** exponent * gain * look.cast
    across, down = (np.linspace(-1, 1, side, dtype=np.float32) for side in SIZE)
    lit *= np.exp(look.side[0] * across[None] + look.side[1] * down[:, None])[..., None]
    if look.blur > 0.3:
        lit = np.asarray(cv2.GaussianBlur(lit, (0, 0), look.blur), np.float64)
    grain = random.normal(0, look.noise, lit.shape)
    return np.clip(np.rint(lit + grain), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Shot:
    """A part of a made video between two cuts.

    Attributes:
        images: The images, one a frame.
        people: The points of the people in each, by person.
        of: The person in the middle.
    """

    images: Sequence[Image]
    people: Sequence[dict[int, Floats]]
    of: int


def make_video(shots: Sequence[Shot], random: np.random.Generator, *, rate: float = RATE) -> list[Shown]:
    """Return the frames of shots one after the other, each shot with a look of its own."""
    shown: list[Shown] = []
    for shot in shots:
        look = draw_look(random)
        for step, (image, known) in enumerate(zip(shot.images, shot.people, strict=True)):
            people = dict(known)
            picture = show(image, people, shot.of, look, step, random)
            boxes = {person: box_of_points(points[None])[0] for person, points in people.items()}
            frame = Frame(picture, source="made video", index=len(shown), timestamp=len(shown) / rate)
            shown.append(Shown(frame, {person: box for person, box in boxes.items() if _counts(box)}))
    return shown


def _counts(box: Floats) -> bool:
    """Return whether a face is large enough, and far enough inside of the frame."""
    width, height = box[2:] - box[:2]
    inside = np.clip(np.minimum(box[2:], SIZE) - np.maximum(box[:2], 0), 0, None).prod() / max(width * height, 1)
    return bool(width >= SMALLEST and inside >= VISIBLE)
