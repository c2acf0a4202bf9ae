"""Made videos whose truth is known: real faces, cut out of the example photos, move over a ground along given paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from facemood.geometry import Floats
from facemood.schema import Frame, Image

PHOTOS = Path(__file__).parents[1] / "examples" / "photos"

FACES = {"astronaut": ("astronaut.png", (179, 63, 272, 175)), "hopper": ("grace_hopper.jpg", (168, 119, 356, 332))}
"""Whose photo, and where the face is in it: x1 y1 x2 y2, as `geometry.box_of_points` draws it."""

GROUND = ("astronaut.png", (300, 0, 512, 512))
"""A part of a photo that shows no face, x1 y1 x2 y2."""

SIZE = (640, 480)
"""Width and height of a video, where nothing else is said."""

RATE = 30.0
"""Frames a second, where nothing else is said."""

HEAD = 1.5
"""Width and height of the oval that is cut out, in units of the face's box."""

NOISE = 3.0
"""Standard deviation of the camera's noise, in grey levels."""

LOOKS = {
    "different": (("astronaut", False, 1.0), ("hopper", False, 1.0)),
    "alike": (("astronaut", False, 1.0), ("astronaut", True, 0.9)),
}
"""Name, mirrored and light of two who meet: two people, or one and her mirror image in less light."""

Place = tuple[float, float, float]
"""x and y of the middle of a face's box, and its width, in pixels."""

Path2D = Callable[[float], Place | None]
"""Where a face is at a time in seconds; None while it is not there."""


@dataclass(frozen=True)
class Person:
    """Somebody who moves.

    Attributes:
        name: Whose face, of `FACES`.
        path: Where it is at each time.
        mirrored: Whether the photo is turned left to right.
        light: What the pixels are multiplied with.
    """

    name: str
    path: Path2D
    mirrored: bool = False
    light: float = 1.0


@dataclass(frozen=True)
class Sighting:
    """Where a person is in a frame.

    Attributes:
        person: Position among the video's people.
        box: (4,) float32 x1 y1 x2 y2 of the face in pixels.
        visible: The share of the face that nobody in front hides and that is inside of the frame, 0..1.
    """

    person: int
    box: Floats
    visible: float


@dataclass(frozen=True)
class Video:
    """Frames and the truth of each, both in order."""

    frames: list[Frame]
    truth: list[list[Sighting]]


def make_video(
    people: Sequence[Person],
    seconds: float,
    *,
    rate: float = RATE,
    size: tuple[int, int] = SIZE,
    seed: int = 0,
) -> Video:
    """Lay people over a ground, the later of them in front, for a number of seconds."""
    random = np.random.default_rng(seed)
    ground = make_ground(size)
    frames, truth = [], []
    for index in range(round(seconds * rate)):
        image, seen = draw_people(ground, people, index / rate)
        grain = random.normal(0, NOISE, image.shape)
        noisy = np.clip(np.rint(image + grain), 0, 255).astype(np.uint8)
        frames.append(Frame(noisy, source="made video", index=index, timestamp=index / rate))
        truth.append(seen)
    return Video(frames, truth)


def make_ground(size: tuple[int, int] = SIZE) -> Image:
    """A picture without faces of a width and height."""
    file, (x1, y1, x2, y2) = GROUND
    part = read_photo(file)[y1:y2, x1:x2]
    wide = np.concatenate([part, part[:, ::-1], part], axis=1)
    return np.asarray(cv2.resize(wide, size, interpolation=cv2.INTER_AREA), np.uint8)


def draw_people(ground: Image, people: Sequence[Person], time: float) -> tuple[Floats, list[Sighting]]:
    """Lay people over a ground at a time: the picture (H, W, 3) float32, and who is where."""
    image = ground.astype(np.float32)
    there = [(number, place) for number, one in enumerate(people) if (place := one.path(time)) is not None]
    covers = []
    for number, place in there:
        face, cover = lay_face(people[number], place, ground.shape[:2])
        image = image * (1 - cover[..., None]) + face * cover[..., None]
        covers.append(cover)
    seen = []
    for order, (number, place) in enumerate(there):
        box = box_at(people[number].name, place)
        hidden = np.max([np.zeros(ground.shape[:2], np.float32), *covers[order + 1 :]], axis=0)
        seen.append(Sighting(number, box, visible_share(box, hidden)))
    return image, seen


def lay_face(person: Person, place: Place, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return a face where it should be, (H, W, 3) float32, and how far it covers what is behind, (H, W) 0..1."""
    photo, mask, middle, width = cut_out(person.name, person.mirrored)
    scale = place[2] / width
    matrix = np.array([[scale, 0, place[0] - scale * middle[0]], [0, scale, place[1] - scale * middle[1]]], np.float32)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = (shape[1], shape[0])
    face = cv2.warpAffine(photo, matrix, size, flags=flags)
    cover = cv2.warpAffine(mask, matrix, size, flags=flags)
    return np.asarray(face, np.float32) * np.float32(person.light), np.asarray(cover, np.float32)


@cache
def cut_out(name: str, mirrored: bool = False) -> tuple[Image, Floats, tuple[float, float], float]:
    """Return a photo, the soft oval (h, w) float32 0..1 around its face, and the middle and width of the face."""
    file, (x1, y1, x2, y2) = FACES[name]
    photo = read_photo(file)
    middle, axes = ((x1 + x2) / 2, (y1 + y2) / 2), ((x2 - x1) / 2 * HEAD, (y2 - y1) / 2 * HEAD)
    rows, columns = np.indices(photo.shape[:2]).astype(np.float32)
    distance = np.hypot((columns - middle[0]) / axes[0], (rows - middle[1]) / axes[1])
    mask = np.clip((1 - distance) / 0.1, 0, 1).astype(np.float32)
    if mirrored:
        photo, mask, middle = photo[:, ::-1].copy(), mask[:, ::-1].copy(), (photo.shape[1] - middle[0], middle[1])
    return photo, mask, middle, float(x2 - x1)


@cache
def read_photo(file: str) -> Image:
    """Read one of the example photos."""
    image = cv2.imread(str(PHOTOS / file))
    assert image is not None
    return np.asarray(image, np.uint8)


def camera_picture() -> Image:
    """A face as a camera sees it, (480, 640, 3): the photo in the middle of a wider picture."""
    picture = np.full((480, 640, 3), 90, np.uint8)
    picture[:, 64:576] = read_photo("astronaut.png")[:480]
    return picture


def box_at(name: str, place: Place) -> Floats:
    """Return the box of somebody's face at a place, (4,) x1 y1 x2 y2."""
    x1, y1, x2, y2 = FACES[name][1]
    x, y, width = place
    height = width * (y2 - y1) / (x2 - x1)
    return np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2], np.float32)


def visible_share(box: Floats, hidden: Floats) -> float:
    """Return how much of a box shows, 0..1, where `hidden` (H, W) says what is covered; outside nothing shows."""
    x1, y1, x2, y2 = np.rint(box).astype(int).tolist()
    inside = hidden[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    return float((1 - inside).sum() / max((x2 - x1) * (y2 - y1), 1))


def standing(x: float, y: float, width: float) -> Path2D:
    """A face that stays where it is."""
    return lambda time: (x, y, width)


def walking(start: Place, end: Place, seconds: float) -> Path2D:
    """A face that goes from one place to another in a straight line, and stays there."""

    def place(time: float) -> Place:
        share = min(max(time / seconds, 0.0), 1.0)
        x, y, width = (before + share * (after - before) for before, after in zip(start, end, strict=True))
        return x, y, width

    return place


def turning_back(start: Place, end: Place, seconds: float) -> Path2D:
    """A face that goes from one place to another and back again, slower where it turns."""

    def place(time: float) -> Place:
        share = (1 - np.cos(2 * np.pi * min(max(time / seconds, 0.0), 1.0))) / 2
        x, y, width = (before + share * (after - before) for before, after in zip(start, end, strict=True))
        return x, y, width

    return place


def away(path: Path2D, leaves: float, returns: float) -> Path2D:
    """A face that is not there from one time until another."""
    return lambda time: None if leaves <= time < returns else path(time)


def crossing(looks: str, *, rate: float = 30.0) -> Callable[[np.random.Generator], Video]:
    """Two people pass each other; either may be in front."""

    def make(random: np.random.Generator) -> Video:
        seconds, (one, other), (high, low) = draw_two(random)
        paths = [
            walking((80, high, one), (560, high, one), seconds),
            walking((560, low, other), (80, low, other), seconds),
        ]
        return make_video(dress(random, looks, paths), seconds, rate=rate, seed=int(random.integers(1 << 30)))

    return make


def meeting(looks: str) -> Callable[[np.random.Generator], Video]:
    """Two people come together, one in front of the other, and each goes back."""

    def make(random: np.random.Generator) -> Video:
        seconds, (one, other), (high, low) = draw_two(random)
        past = random.uniform(-0.4, 0.6) * one
        paths = [
            turning_back((100, high, one), (320 + past, high, one), seconds),
            turning_back((540, low, other), (320 - past, low, other), seconds),
        ]
        return make_video(dress(random, looks, paths), seconds, seed=int(random.integers(1 << 30)))

    return make


def four(random: np.random.Generator) -> Video:
    """Two people from the left pass two from the right: four crossings."""
    looks = [("astronaut", False, 1.0), ("hopper", False, 1.0), ("astronaut", True, 0.8), ("hopper", True, 1.2)]
    people = []
    for place, row in enumerate(random.permutation(4).tolist()):
        name, mirrored, light = looks[row]
        width, y = random.uniform(60, 90), 240 + random.uniform(-60, 60)
        first, last = (60 + 90 * (place // 2), 490 + 90 * (place // 2))
        ends = (first, last) if place % 2 else (640 - first, 640 - last)
        people.append(Person(name, walking((ends[0], y, width), (ends[1], y, width), 3), mirrored, light))
    return make_video(people, 3, seed=int(random.integers(1 << 30)))


def hidden(random: np.random.Generator) -> Video:
    """Somebody walks, is not seen for 0.2 to 1.3 seconds, and is there again; another stands by."""
    one, other = random.permutation(["astronaut", "hopper"]).tolist()
    start, pace, width = random.uniform(150, 250), random.uniform(-60, 60), random.uniform(70, 130)
    path = away(walking((start, 240, width), (start + 2.8 * pace, 240, width), 2.8), 1, 1 + random.uniform(0.2, 1.3))
    return make_video(
        [Person(one, path), Person(other, standing(480, 240, 100))], 2.8, seed=int(random.integers(1 << 30))
    )


def elsewhere(random: np.random.Generator) -> Video:
    """Somebody is not seen for 0.2 to 1.3 seconds, and is there again on the other side."""
    back, width, x = 1 + random.uniform(0.2, 1.3), random.uniform(70, 130), random.uniform(120, 220)
    here, there = standing(x, 240, width), standing(x + random.uniform(250, 330), 200, width)
    path = away(lambda second: here(second) if second < back else there(second), 1, back)
    return make_video(
        [Person(str(random.choice(["astronaut", "hopper"])), path)], 2.8, seed=int(random.integers(1 << 30))
    )


def leaving(random: np.random.Generator) -> Video:
    """Somebody walks out of the frame and comes back within a second; another stands by."""
    one, other = random.permutation(["astronaut", "hopper"]).tolist()
    seconds, width = random.uniform(1, 2), random.uniform(70, 130)
    people = [
        Person(one, turning_back((200, 240, width), (-0.6 * width, 240, width), seconds)),
        Person(other, standing(480, 240, 100)),
    ]
    return make_video(people, seconds + 0.4, seed=int(random.integers(1 << 30)))


def replaced(random: np.random.Generator) -> Video:
    """Somebody goes, and 0.1 to 1.3 seconds later another is at the same place."""
    one, other = random.permutation(["astronaut", "hopper"]).tolist()
    x, width = random.uniform(150, 400), random.uniform(70, 130)
    near, size = x + random.uniform(-0.3, 0.3) * width, width * random.uniform(0.85, 1.2)
    gone, comes = away(standing(x, 240, width), 1, 9), away(standing(near, 240, size), 0, 1 + random.uniform(0.1, 1.3))
    return make_video([Person(one, gone), Person(other, comes)], 2.8, seed=int(random.integers(1 << 30)))


def draw_two(random: np.random.Generator) -> tuple[float, tuple[float, float], tuple[float, float]]:
    """Return how many seconds two people take, how wide their faces are, and how high they stand."""
    seconds, one, other = random.uniform(1.2, 4), random.uniform(70, 130), random.uniform(70, 130)
    high = 240 + random.uniform(-30, 30)
    return seconds, (one, other), (high, high + random.uniform(-0.6, 0.6) * one)


def dress(random: np.random.Generator, looks: str, paths: list[Path2D]) -> list[Person]:
    """Give two paths to two people, either of them in front."""
    pair = list(LOOKS[looks])
    if looks == "alike" and random.random() < 0.5:
        pair = [("hopper", mirrored, light) for _, mirrored, light in pair]
    shown = [pair[row] for row in random.permutation(2).tolist()]
    return [Person(name, path, mirrored, light) for (name, mirrored, light), path in zip(shown, paths, strict=True)]
