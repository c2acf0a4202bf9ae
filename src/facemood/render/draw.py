"""Draw results on an image: a box, a label that is legible on any background, and bars of the top three expressions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from facemood.imaging import AnyImage, as_image
from facemood.languages import ENGLISH, Say, check_language
from facemood.render.fonts import drawable, drawable_word, font_for
from facemood.render.overlay import draw_layers
from facemood.render.palette import GROUND, INK, Colour, colour_of, ink_on
from facemood.schema import Face, Image
from facemood.text import percent, person_name

if TYPE_CHECKING:
    from PIL import ImageDraw

NO_PREDICTION = "no prediction"
"""Text in place of the label for a face without a prediction."""

ROWS = 3
"""Number of expressions in a panel."""

MOST_PANELS = 4
"""Number of faces up to which each gets a panel; more faces get labels alone."""

LEAST_PANEL_FACE = 1 / 12
"""Width of the smallest face that gets a panel, as a share of the image's shorter side."""

GAP = 6
"""Pixels between a box and its panel."""


class Area(NamedTuple):
    """A rectangle in whole pixels: left, top, right and bottom; right and bottom are exclusive."""

    x1: int
    y1: int
    x2: int
    y2: int

    def overlap(self, other: Area) -> int:
        """Return the number of pixels in the intersection of two areas."""
        width = min(self.x2, other.x2) - max(self.x1, other.x1)
        height = min(self.y2, other.y2) - max(self.y1, other.y1)
        return max(width, 0) * max(height, 0)

    def inside(self, width: int, height: int) -> Area:
        """Return the area moved into an image of a width and height, as far as it fits."""
        left = max(0, min(self.x1, width - (self.x2 - self.x1)))
        top = max(0, min(self.y1, height - (self.y2 - self.y1)))
        return Area(left, top, left + self.x2 - self.x1, top + self.y2 - self.y1)


def draw_faces(
    image: AnyImage, faces: Sequence[Face], *, layers: Collection[str] = (), language: str = ENGLISH
) -> Image:
    """Return a copy of an image with the box, label, confidence and three most probable expressions of each face.

    Args:
        image: (H, W, 3) BGR or (H, W) grey, uint8, or a Pillow image; it is not changed.
        faces: The faces detected in the image.
        layers: What to draw on the faces in addition, some of `overlay.LAYERS`.
        language: Language of the labels, some of `facemood.languages.list_languages`. They are English where no font on
            this machine has the characters.

    Returns:
        (H, W, 3) uint8 BGR. The label is always drawn. The panel of bars touches its face. It is left out if it would
        cover a head, label or panel, if the face is small, and if there are more than `MOST_PANELS` faces.

    Raises:
        OutputError: A layer is unknown.
        ImageError: The image is something else, such as a path.
        OptionError: There is no such language.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    say = partial(drawable_word, language=check_language(language))
    canvas = Pillow.fromarray(cv2.cvtColor(draw_layers(as_image(image), faces, layers), cv2.COLOR_BGR2RGB))
    pen = ImageDraw.Draw(canvas, "RGBA")
    boxes = [Area(*np.rint(face.box).astype(int).tolist()) for face in faces]
    sizes = [_text_size(box, canvas.size) for box in boxes]
    for face, box, size in zip(faces, boxes, sizes, strict=True):
        pen.rounded_rectangle(box, radius=size // 3, outline=(*GROUND, 150), width=max(3, size // 4))
        pen.rounded_rectangle(box, radius=size // 3, outline=colour_of(face.reported[0]), width=max(2, size // 7))
    taken = list(boxes)
    classified = [part for part in zip(numbers_of(faces), faces, boxes, sizes, strict=True) if part[1].labels]
    for number, face, box, size in classified:
        text = f"{number}  {drawable(words_of(face, say))}".strip()
        tag = _place_tag(text, box, size, canvas.size, taken)
        _draw_tag(pen, text, colour_of(face.reported[0]), tag, size)
        taken.append(tag)
    for _, face, box, size in classified if len(classified) <= MOST_PANELS else []:
        others = [head for head, other in zip(map(_head, boxes), boxes, strict=True) if other is not box]
        panel = _place_panel(box, _panel_size(face, size, say), canvas.size, [*taken, *others])
        if panel is not None and box.x2 - box.x1 >= LEAST_PANEL_FACE * min(canvas.size):
            _draw_panel(pen, face, panel, size, say)
            _tie(pen, colour_of(face.reported[0]), panel, box, size)
            taken.append(panel)
    return np.asarray(cv2.cvtColor(np.asarray(canvas), cv2.COLOR_RGB2BGR), np.uint8)


def draw_profile(face: Face, *, size: int = 22) -> Image:
    """Return a small image with bars of all probabilities of one face, highest first.

    Args:
        face: A face with a prediction.
        size: Height of the text in pixels.

    Returns:
        (h, w, 3) uint8 BGR.
    """
    from PIL import Image as Pillow
    from PIL import ImageDraw

    width, height = _panel_size(face, size, str, rows=len(face.labels))
    canvas = Pillow.new("RGB", (width, height), GROUND)
    place = Area(0, 0, width, height)
    _draw_panel(ImageDraw.Draw(canvas, "RGBA"), face, place, size, str, rows=len(face.labels))
    return np.asarray(cv2.cvtColor(np.asarray(canvas), cv2.COLOR_RGB2BGR), np.uint8)


def words_of(face: Face, say: Say = str) -> str:
    """Return a face's reported label and its probability, or `NO_PREDICTION`.

    Args:
        face: The face.
        say: Returns the word for a label.

    Example:
        >>> words_of(Face(np.zeros(4, np.float32), 0.9))
        'no prediction'
    """
    return f"{name_of(face, say)} {percent(face.reported[1])}" if face.labels else NO_PREDICTION


def name_of(face: Face, say: Say = str) -> str:
    """Return a face's reported label, with a question mark if the model is not certain, or `NO_PREDICTION`.

    Args:
        face: The face.
        say: Returns the word for a label.

    Example:
        >>> name_of(Face(np.zeros(4, np.float32), 0.9, labels=("sad",), probabilities=np.ones(1), certain=False))
        'sad?'
    """
    word = say(face.reported[0]) if face.reported[0] else NO_PREDICTION
    return f"{word}?" if face.certain is False else word


def numbers_of(faces: Sequence[Face]) -> list[str]:
    """Return the names or numbers of several faces, as in the table and in reports.

    Returns:
        A string for each face: in a video the track ID, with the participant of a study; in a photo the participant, or
        the index from 0. Empty for a face without a track ID among tracked ones, and for a single face of a photo.

    Example:
        >>> face = Face(np.zeros(4, np.float32), 0.9)
        >>> numbers_of([face, face]), numbers_of([face])
        (['0', '1'], [''])
    """
    people: Sequence[int | None] = [face.track_id for face in faces]
    if len(faces) > 1 and all(person is None for person in people):
        people = [None if face.segment else place for place, face in enumerate(faces)]
    return [
        drawable(person_name(number, [face.segment.participant] if face.segment else []))
        for face, number in zip(faces, people, strict=True)
    ]


def _text_size(box: Area, image: tuple[int, int]) -> int:
    """Return the height of a face's text in pixels: a fifth of the face, limited by the size of the image."""
    return max(11, min((box.x2 - box.x1) // 5, round(min(image) / 24), 64))


def _place_tag(text: str, box: Area, size: int, image: tuple[int, int], taken: Sequence[Area]) -> Area:
    """Return the area of a label: above, below or inside the box, where it covers the fewest pixels of other areas."""
    width, height = round(font_for(text, size).getlength(text)) + 2 * (size // 3), round(size * 1.45)
    corners = [(x, y) for y in (box.y1 - height, box.y2, box.y1) for x in (box.x1, box.x2 - width)]
    places = [Area(x, y, x + width, y + height).inside(*image) for x, y in corners]
    return min(places, key=lambda place: sum(place.overlap(other) for other in taken))


def _draw_tag(pen: ImageDraw.ImageDraw, text: str, colour: Colour, tag: Area, size: int) -> None:
    """Draw label and confidence on a patch in the label's colour."""
    pen.rounded_rectangle(tag, radius=size // 4, fill=(*colour, 240))
    middle = ((tag.x1 + tag.x2) / 2, (tag.y1 + tag.y2) / 2)
    pen.text(middle, text, fill=ink_on(colour), font=font_for(text, size), anchor="mm")


def _panel_size(face: Face, size: int, say: Say, *, rows: int = ROWS) -> tuple[int, int]:
    """Return the width and height of a panel of bars in pixels."""
    small = _small(size)
    texts = [drawable(say(label)) for label, _ in face.top(rows)]
    longest = max(font_for(text, small).getlength(text) for text in texts)
    return round(longest + 9 * small), round((len(texts) + 0.5) * small * 1.5)


def _small(size: int) -> int:
    """Return the size of the text in a panel in pixels."""
    return max(11, round(size * 0.8))


def _head(box: Area) -> Area:
    """Return about the head around a face's box: hair, ears and chin."""
    side, above = (box.x2 - box.x1) // 6, (box.y2 - box.y1) // 4
    return Area(box.x1 - side, box.y1 - above, box.x2 + side, box.y2 + above // 2)


def _place_panel(box: Area, panel: tuple[int, int], image: tuple[int, int], taken: Sequence[Area]) -> Area | None:
    """Return a free area next to, below or above a box for a panel of a width and height; None if there is none."""
    (width, height), gap = panel, GAP
    sideways = [(x, y) for y in (box.y1, box.y2 - height) for x in (box.x2 + gap, box.x1 - gap - width)]
    stacked = [(x, y) for y in (box.y2 + gap, box.y1 - 5 * gap - height) for x in (box.x1, box.x2 - width)]
    for x, y in (*sideways, *stacked):
        place = Area(x, y, x + width, y + height)
        if place == place.inside(*image) and not any(place.overlap(other) for other in taken):
            return place
    return None


def _tie(pen: ImageDraw.ImageDraw, colour: Colour, panel: Area, box: Area, size: int) -> None:
    """Draw a panel's edge in the colour of its face, and a bridge to the box where they are side by side."""
    pen.rounded_rectangle(panel, radius=_small(size) // 2, outline=(*colour, 230), width=max(2, size // 10))
    left, right = (box.x2, panel.x1) if panel.x1 >= box.x2 else (panel.x2, box.x1)
    top, bottom = max(panel.y1, box.y1), min(panel.y2, box.y2)
    if right - left == GAP and bottom > top:
        middle, half = (top + bottom) // 2, max(2, size // 5)
        pen.rectangle((left - 1, middle - half, right + 1, middle + half), fill=colour)


def _draw_panel(pen: ImageDraw.ImageDraw, face: Face, place: Area, size: int, say: Say, *, rows: int = ROWS) -> None:
    """Draw a line for each of the most probable expressions: label, bar, percentage."""
    small = _small(size)
    line, pad = small * 1.5, small * 0.6
    texts = [(label, drawable(say(label)), probability) for label, probability in face.top(rows)]
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
