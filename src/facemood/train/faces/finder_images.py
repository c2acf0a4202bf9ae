"""Compose the finder's training images: scenes with faces and other objects pasted into them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, box_of_points, iou
from facemood.train.faces.compose import (
    Ground,
    Random,
    cut_ground,
    draw_face,
    draw_tilt,
    face_mask,
    hide,
    lay,
    log_uniform,
    move,
    place,
    plain_ground,
    spoil,
)
from facemood.train.faces.finder_network import SIZE, TAUGHT, Target, five_points, make_target, size_of
from facemood.train.faces.material import LabelledPhoto, Material, Place

PLAIN = 0.12
"""Share of images with a plain background."""

HARD = 0.43
"""Share of images around a false alarm of the finder, as soon as there are any (hard negative mining)."""

WITH_FACES = 0.15
"""Share of images around a face that is part of a scene; all others are cut from anywhere."""

THINGS = (0.55, 0.25, 0.12, 0.08)
"""Probabilities that no, one, two or three objects other than faces are pasted into an image."""

FACES = (0.2, 0.35, 0.25, 0.12, 0.08)
"""Probabilities that no, one, two ... faces are pasted into an image."""

VISIBLE = 0.55
"""Share of the box above which a face at the edge of the image is a target."""

TRACE = 0.1
"""Share of the box up to which a face at the edge is background; between the two it is ignored."""


@dataclass
class FinderSampler:
    """Draws training images.

    Attributes:
        material: Faces and scenes.
        hard: False alarms, which are drawn more often.
    """

    material: Material
    hard: list[Place] = field(default_factory=list)

    def draw(self, random: Random) -> tuple[NDArray[np.uint8], Target]:
        """Return a (SIZE, SIZE) uint8 grey image and its target."""
        ground = self.ground(random)
        faces, unknown = list(ground.points), list(ground.unknown)
        for _ in range(int(random.choice(len(THINGS), p=THINGS))):
            self._lay_thing(ground.image, random)
        for _ in range(int(random.choice(len(FACES), p=FACES))):
            self._lay_face(ground.image, faces, unknown, random)
        stacked = np.array(faces, np.float32).reshape(-1, *self.material.points.shape[1:])
        target = make_target(stacked, np.array(unknown, np.float32).reshape(-1, 4))
        return spoil(ground.image, random), target

    def ground(self, random: Random) -> Ground:
        """Draw a background: a part of a scene, the surroundings of a false alarm, or a plain one."""
        chance = random.random()
        if chance < PLAIN:
            return plain_ground(SIZE, random)
        if self.hard and chance < PLAIN + HARD:
            hard = self.hard[random.integers(len(self.hard))]
            scale = hard.scale * random.uniform(0.8, 1.25)
            x, y = random.normal((hard.x, hard.y), 30 / scale)
            return cut_ground(self.material.scenes[hard.scene], SIZE, scale=scale, centre=(x, y), random=random)
        scenes = self.material.scenes
        scene = scenes[random.integers(len(scenes))]
        if chance < 1 - WITH_FACES:
            return _anywhere(scene, random)
        while not len(scene.points):
            scene = scenes[random.integers(len(scenes))]
        return _about_a_face(scene, random)

    def _lay_thing(self, image: Floats, random: Random) -> None:
        """Paste an object other than a face, cut out like faces, so that edges do not reveal faces."""
        points = self.material.points[random.integers(len(self.material.tiles))]
        side = self.material.tiles.shape[1]
        x, y = random.integers(0, SIZE - side, 2)
        thing = self.ground(random).image[y : y + side, x : x + side]
        matrix = place(
            points[:68],
            centre=random.uniform(0, SIZE, 2),
            scale=log_uniform(0.4, 2, random),
            angle=random.normal(0, 20),
        )
        lay(image, thing, face_mask(points, side, random), matrix, random)

    def _lay_face(self, image: Floats, faces: list[Floats], unknown: list[Floats], random: Random) -> None:
        """Paste a face where there is room; earlier faces that it covers are no longer targets."""
        tile, points = draw_face(self.material, random)
        matrix = _toss(points, random)
        there = move(points, matrix)
        box = box_of_points(there[:68])
        if faces and iou(box[None], box_of_points(np.array(faces)[:, :68])).max() > 0.3:
            return
        cover = lay(image, tile, face_mask(points, tile.shape[0], random), matrix, random)
        _forget(faces, unknown, cover)
        if random.random() < 0.3:
            hide(image, box, self.ground(random).image, random)
        visible = np.prod(np.clip(box[2:], 0, SIZE) - np.clip(box[:2], 0, SIZE)) / np.prod(box[2:] - box[:2])
        if visible > VISIBLE:
            faces.append(there)
        elif visible > TRACE:
            unknown.append(box)


def _anywhere(scene: LabelledPhoto, random: Random) -> Ground:
    """Cut a random part of a scene, from nearly the whole scene to a close-up."""
    width, height = scene.size
    scale = log_uniform(0.8 * SIZE / max(width, height), 1.3, random)
    x, y = random.uniform(0, (width, height)).tolist()
    return cut_ground(scene, SIZE, scale=scale, centre=(x, y), random=random)


def _about_a_face(scene: LabelledPhoto, random: Random) -> Ground:
    """Cut a part around one of a scene's faces, at a scale at which the face is a target."""
    points = scene.points[random.integers(len(scene.points)), :68]
    scale = random.uniform(TAUGHT[0] + 1, TAUGHT[1] - 6) / (float(np.ptp(points, axis=0).mean()) * 1.15)
    x, y = (points.mean(axis=0) + random.uniform(-64, 64, 2) / scale).tolist()
    return cut_ground(scene, SIZE, scale=scale, centre=(x, y), random=random)


def _toss(points: Floats, random: Random) -> Floats:
    """Draw position, size and roll of a face: (2, 3) matrix."""
    small = random.random() < 0.88
    size = log_uniform(15, 66, random) if small else log_uniform(66, 260, random)
    return place(
        points[:68],
        centre=random.uniform(-4, SIZE + 4, 2),
        scale=size / size_of(box_of_points(points[:68])),
        angle=draw_tilt(random),
        stretch=float(np.exp(random.normal(0, 0.06))),
    )


def _forget(faces: list[Floats], unknown: list[Floats], cover: Floats) -> None:
    """Ignore earlier faces with two or more covered points."""
    for index in range(len(faces) - 1, -1, -1):
        five = np.round(five_points(faces[index])).astype(int)
        inside = ((five >= 0) & (five < SIZE)).all(axis=1)
        if (cover[five[inside, 1], five[inside, 0]] > 0.5).sum() >= 2:
            unknown.append(box_of_points(faces.pop(index)[:68]))
