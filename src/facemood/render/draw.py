"""Draw what was read on the picture: a box, a label that can be read on any ground, and the top three as bars."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw

from facemood.render.fonts import drawable, font_for
from facemood.render.overlay import draw_layers
from facemood.render.palette import GROUND, INK, Colour, colour_of, ink_on
from facemood.schema import Face, Image
from facemood.text import percent

UNREAD = "not read"
"""What stands for the label of a face that was found but could not be read."""

ROWS = 3
"""How many expressions a panel shows."""


class Area(NamedTuple):
    """A rectangle in whole pixels: left, top, right and bottom, the last two outside."""

    x1: int
    y1: int
    x2: int
    y2: int

    def overlap(self, other: Area) -> int:
        """Return the number of pixels that two areas share."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(width, 0) * max(height, 0)

    def inside(self, width: int, height: int) -> Area:
        """Return the area moved into an image, as far as it fits."""
        left = max(0, min(self.x1, width - (self.x2 - self.x1)))
        top = max(0, min(self.y1, height - (self.y2 - self.y1)))
        return Area(left, top, left + self.x2 - self.x1, top + self.y2 - self.y1)


def draw_faces(image: Image, faces: Sequence[Face], *, layers: Collection[str] = ()) -> Image:
    """Return a copy of an image with each face's box, label, confidence and three strongest expressions.

    Args:
        image: (H, W, 3) uint8 BGR.
        faces: What was found in it.
        layers: What to draw on the faces as well, any of `overlay.LAYERS`.

    Returns:
        (H, W, 3) uint8 BGR. A panel of bars stands next to its face, and is left out where it would cover another face
        or panel; the label above the box is always there.

    Raises:
        OutputError: There is no such layer.
    """
    picture = Pillow.fromarray(cv2.cvtColor(draw_layers(image, faces, layers), cv2.COLOR_BGR2RGB))
    pen = ImageDraw.Draw(picture, "RGBA")
    boxes = [Area(*np.rint(face.box).astype(int).tolist()) for face in faces]
    sizes = [_text_size(box, picture.size) for box in boxes]
    for face, box, size in zip(faces, boxes, sizes, strict=True):
        pen.rounded_rectangle(box, radius=size // 3, outline=(*GROUND, 150), width=max(3, size // 4))
        pen.rounded_rectangle(box, radius=size // 3, outline=colour_of(face.reported[0]), width=max(2, size // 7))
    taken = list(boxes)
    read = [part for part in zip(numbers_of(faces), faces, boxes, sizes, strict=True) if part[1].labels]
    for number, face, box, size in read:
        text = f"{number}  {drawable(words_of(face))}".strip()
        tag = _place_tag(text, box, size, picture.size, taken)
        _draw_tag(pen, text, colour_of(face.reported[0]), tag, size)
        taken.append(tag)
    for _, face, box, size in read:
        place = _place_panel(box, _panel_size(face, size), picture.size, taken)
        if place is not None:
            _draw_panel(pen, face, place, size)
            taken.append(place)
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8)


def draw_profile(face: Face, *, size: int = 22) -> Image:
    """Return a small picture of one face's expressions as bars, all of them, strongest first.

    Args:
        face: What was read.
        size: Height of the text in pixels.

    Returns:
        (h, w, 3) uint8 BGR.
    """
    width, height = _panel_size(face, size, rows=len(face.labels))
    picture = Pillow.new("RGB", (width, height), GROUND)
    _draw_panel(ImageDraw.Draw(picture, "RGBA"), face, Area(0, 0, width, height), size, rows=len(face.labels))
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR), np.uint8)


def words_of(face: Face) -> str:
    """Return a face's label and its probability, or that it could not be read.

    Example:
        >>> words_of(Face(np.zeros(4, np.float32), 0.9))
        'not read'
    """
    return f"{name_of(face)} {percent(face.reported[1])}" if face.labels else UNREAD


def name_of(face: Face) -> str:
    """Return the word for a face: its label, with a question mark where the model is not certain.

    Example:
        >>> name_of(Face(np.zeros(4, np.float32), 0.9, labels=("sad",), probabilities=np.ones(1), certain=False))
        'sad?'
    """
    word = face.reported[0] or UNREAD
    return f"{word}?" if face.certain is False else word


def numbers_of(faces: Sequence[Face]) -> list[str]:
    """Return the numbers that tell several faces apart, as tables have them: of people in videos, else of faces from 0.

    Returns:
        A text for each face, empty where it is the only one, or somebody unknown among known people.

    Example:
        >>> face = Face(np.zeros(4, np.float32), 0.9)
        >>> numbers_of([face, face]), numbers_of([face])
        (['0', '1'], [''])
    """
    if len(faces) == 1:
        return [""]
    people = [face.track_id for face in faces]
    known = people if any(person is not None for person in people) else range(len(faces))
    return ["" if number is None else str(number) for number in known]


def _text_size(box: Area, image: tuple[int, int]) -> int:
    """Return the height of a face's text in pixels: a fifth of the face, within what suits the image."""
    return max(11, min((box.x2 - box.x1) // 5, round(min(image) / 24), 64))


def _place_tag(text: str, box: Area, size: int, image: tuple[int, int], taken: Sequence[Area]) -> Area:
    """Find a label's place: above the box, below it, or inside, wherever it covers the least."""
    width, height = round(font_for(text, size).getlength(text)) + 2 * (size // 3), round(size * 1.45)
    corners = [(x, y) for y in (box.y1 - height, box.y2, box.y1) for x in (box.x1, box.x2 - width)]
    places = [Area(x, y, x + width, y + height).inside(*image) for x, y in corners]
    return min(places, key=lambda place: sum(place.overlap(other) for other in taken))


def _draw_tag(pen: ImageDraw.ImageDraw, text: str, colour: Colour, tag: Area, size: int) -> None:
    """Write label and confidence on a patch of the label's colour."""
    pen.rounded_rectangle(tag, radius=size // 4, fill=(*colour, 240))
    middle = ((tag.x1 + tag.x2) / 2, (tag.y1 + tag.y2) / 2)
    pen.text(middle, text, fill=ink_on(colour), font=font_for(text, size), anchor="mm")


def _panel_size(face: Face, size: int, *, rows: int = ROWS) -> tuple[int, int]:
    """Return the width and height of a panel of bars."""
    small = _small(size)
    texts = [drawable(label) for label, _ in face.top(rows)]
    longest = max(font_for(text, small).getlength(text) for text in texts)
    return round(longest + 9 * small), round((len(texts) + 0.5) * small * 1.5)


def _small(size: int) -> int:
    """Return the size of the text inside a panel."""
    return max(11, round(size * 0.8))


def _place_panel(box: Area, panel: tuple[int, int], image: tuple[int, int], taken: Sequence[Area]) -> Area | None:
    """Find a free place next to, below or above a box for a panel of a width and height; None where there is none."""
    (width, height), gap = panel, 6
    sideways = [(x, y) for y in (box.y1, box.y2 - height) for x in (box.x2 + gap, box.x1 - gap - width)]
    stacked = [(x, y) for y in (box.y2 + gap, box.y1 - 5 * gap - height) for x in (box.x1, box.x2 - width)]
    for x, y in (*sideways, *stacked):
        place = Area(x, y, x + width, y + height)
        if place == place.inside(*image) and not any(place.overlap(other) for other in taken):
            return place
    return None


def _draw_panel(pen: ImageDraw.ImageDraw, face: Face, place: Area, size: int, *, rows: int = ROWS) -> None:
    """Draw a line for each of the strongest expressions: word, bar, per cent."""
    small = _small(size)
    line, pad = small * 1.5, small * 0.6
    texts = [(label, drawable(label), probability) for label, probability in face.top(rows)]
    bar_left = place.x1 + pad + max(font_for(text, small).getlength(text) for _, text, _ in texts) + pad
    bar_right = place.x2 - pad - small * 2.9
    pen.rounded_rectangle(place, radius=small // 2, fill=(*GROUND, 205))
    for row, (label, text, probability) in enumerate(texts):
        middle = place.y1 + (row + 0.75) * line
        top, bottom = middle - small * 0.28, middle + small * 0.28
        filled = bar_left + (bar_right - bar_left) * probability
        pen.text((place.x1 + pad, middle), text, fill=INK, font=font_for(text, small), anchor="lm")
        pen.rectangle((bar_left, top, bar_right, bottom), fill=(255, 255, 255, 45))
        if filled - bar_left >= 1:
            pen.rectangle((bar_left, top, filled, bottom), fill=colour_of(label))
        share = percent(probability)
        pen.text((place.x2 - pad, middle), share, fill=INK, font=font_for(share, small), anchor="rm")
