"""Compose the finder's training images: scenes with faces and other objects pasted into them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats, box_of_points, iou
from facemood.stages.detect.finder import PADDING, PADDING_GREY
from facemood.train.faces.compose import (
    Ground,
    Random,
    coarsen,
    cover_part,
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
from facemood.train.faces.finder_network import IGNORED, SIZE, TAUGHT, Target, five_points, make_target, size_of
from facemood.train.faces.material import LabelledPhoto, Material, Place
from facemood.train.faces.turned_view import turn_face

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

BARELY = 0.35
"""Share of the box above which it is a target too if both eyes and the nose are in the image."""

TRACE = 0.1
"""Share of the box up to which a face at the edge is background; between the two it is ignored."""

FRAMED = 0.35
"""Share of images in which the picture ends inside, as it does when a picture is searched with `PADDING`."""

EDGES = 0.25
"""Share of the faces in such images that are laid on an edge of the picture."""

TILT = 65.0
"""Widest roll of a head in degrees."""

UPRIGHT = 0.5
"""Share of the faces whose roll is small."""

OVERTURNED = 0.04
"""Share of the faces that are laid upside down, and are no targets: a picture that is the wrong way up shall be tried
the right way, instead of being searched for faces of a kind that the second network does not know."""

SIDEWAYS = 0.2
"""Share of the faces that are turned by up to `YAW` to a side, and up or down."""

YAW = 55.0
"""Largest turn of the head in degrees, in addition to what the training faces have."""

HIDDEN = 0.3
"""Share of the faces that have something in front of them."""

COVERED = 0.08
"""Share of the faces that wear a mask or dark glasses."""

NIGHT = 0.1
"""Share of images that are darkened much, on top of what all images get."""

COARSE = 0.15
"""Share of images of a lower resolution."""

QUARTERS = 0.25
"""Share of the backgrounds without faces that are turned by quarters, as pictures without a face are tried."""


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
        if not len(ground.points) and not len(ground.unknown) and random.random() < QUARTERS:
            ground = replace(ground, image=np.rot90(ground.image, int(random.integers(1, 4))).copy())
        faces, unknown = list(ground.points), list(ground.unknown)
        frame = _draw_frame(random) if random.random() < FRAMED else np.array([0, 0, SIZE, SIZE])
        for _ in range(int(random.choice(len(THINGS), p=THINGS))):
            self._lay_thing(ground.image, random)
        for _ in range(int(random.choice(len(FACES), p=FACES))):
            self._lay_face(ground.image, frame, faces, unknown, random)
        faces, unknown = faces_in_frame(frame, faces, unknown)
        stacked = np.array(faces, np.float32).reshape(-1, *self.material.points.shape[1:])
        target = make_target(stacked, np.array(unknown, np.float32).reshape(-1, 4))
        x1, y1, x2, y2 = frame
        image = np.full((SIZE, SIZE), PADDING_GREY, np.uint8)
        image[y1:y2, x1:x2] = spoil(_worsen(ground.image[y1:y2, x1:x2], random), random)
        return image, target

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

    def _lay_face(
        self, image: Floats, frame: NDArray[np.int64], faces: list[Floats], unknown: list[Floats], random: Random
    ) -> None:
        """Paste a face where there is room; earlier faces that it covers are no longer targets."""
        tile, points = draw_face(self.material, random)
        if random.random() < SIDEWAYS:
            tile, points = turn_face(tile, points, random.uniform(-YAW, YAW), random.normal(0, 12))
        overturned = random.random() < OVERTURNED
        matrix = _toss(points, frame, random.uniform(125, 235) if overturned else _tilt(random), random)
        there = move(points, matrix)
        box = box_of_points(there[:68])
        if faces and iou(box[None], box_of_points(np.array(faces)[:, :68])).max() > 0.3:
            return
        cover = lay(image, tile, face_mask(points, tile.shape[0], random), matrix, random)
        _forget(faces, unknown, cover)
        if random.random() < HIDDEN:
            hide(image, box, self.ground(random).image, random)
        if random.random() < COVERED:
            cover_part(image, there, self.ground(random).image, random)
        if not overturned:
            faces.append(there)


def _draw_frame(random: Random) -> NDArray[np.int64]:
    """Draw where the picture ends in the image, x1 y1 x2 y2: one to four sides have the padding of the search."""
    frame = np.array([0, 0, SIZE, SIZE])
    sides = random.random(4) < 0.4
    sides[random.integers(4)] = True
    frame[:2] += sides[:2] * PADDING
    frame[2:] -= sides[2:] * random.integers(PADDING, 2 * PADDING, 2)  # the search pads to multiples of 16
    return frame


def faces_in_frame(
    frame: NDArray[np.int64], faces: list[Floats], unknown: list[Floats]
) -> tuple[list[Floats], list[Floats]]:
    """Return the faces that are targets, and the boxes to ignore: the unknown ones, and faces that show too little.

    Args:
        frame: (4,) x1 y1 x2 y2, where the picture ends.
        faces: (104, 2) points of each face.
        unknown: (4,) boxes of what may be faces.
    """
    kept, ignored = [], list(unknown)
    for points in faces:
        box = box_of_points(points[:68])
        shown = np.clip(box.reshape(2, 2), frame[:2], frame[2:])
        visible = float(np.prod(shown[1] - shown[0]) / np.prod(box[2:] - box[:2]))
        eyes_and_nose = five_points(points)[:3]
        whole = bool(((eyes_and_nose > frame[:2]) & (eyes_and_nose < frame[2:])).all())
        if visible > (BARELY if whole else VISIBLE):
            kept.append(points)
        elif visible > TRACE and size_of(box) < IGNORED[1]:
            ignored.append(box)
    return kept, ignored


def _worsen(image: Floats, random: Random) -> Floats:
    """Lower the resolution of some images, and darken some."""
    if random.random() < COARSE:
        image = coarsen(image, random.uniform(1.2, 2.2))
    if random.random() < NIGHT:
        image = image * np.float32(log_uniform(0.08, 0.4, random))
    return image


def _tilt(random: Random) -> float:
    """Draw the roll of a head in degrees."""
    return draw_tilt(random, widest=TILT, small=UPRIGHT)


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


def _toss(points: Floats, frame: NDArray[np.int64], angle: float, random: Random) -> Floats:
    """Draw position and size of a face whose roll is given: (2, 3) matrix."""
    small = random.random() < 0.88
    size = log_uniform(13, 55, random) if small else log_uniform(55, 220, random)
    centre = random.uniform(frame[:2] - 4, frame[2:] + 4)
    if (frame[2:] - frame[:2]).min() < SIZE and random.random() < EDGES:  # on one of the edges of the picture
        side = random.integers(4)
        centre[side % 2] = frame[side] + random.normal(0, 0.25) * size
    return place(
        points[:68],
        centre=centre,
        scale=size / size_of(box_of_points(points[:68])),
        angle=angle,
        stretch=float(np.exp(random.normal(0, 0.06))),
    )


def _forget(faces: list[Floats], unknown: list[Floats], cover: Floats) -> None:
    """Ignore earlier faces with two or more covered points."""
    for index in range(len(faces) - 1, -1, -1):
        five = np.round(five_points(faces[index])).astype(int)
        inside = ((five >= 0) & (five < SIZE)).all(axis=1)
        if (cover[five[inside, 1], five[inside, 0]] > 0.5).sum() >= 2:
            unknown.append(box_of_points(faces.pop(index)[:68]))
