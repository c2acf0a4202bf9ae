"""Compose training images: paste faces into scenes, occlude parts of them, and degrade the image like cameras do.

All images here are (h, w) float32 grey, 0..255. All random numbers come from the given generator.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.geometry import MIRRORED
from facemood.train.faces.material import LabelledPhoto, Material
from facemood.train.networks.pixels import GREY

Floats = NDArray[np.float32]
Random = np.random.Generator

GREY_OF_BGR = np.array(GREY[::-1], np.float32)
"""Weights of blue, green and red in grey."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A background: a part of a scene.

    Attributes:
        image: (size, size) float32 grey.
        points: (F, 104, 2) float32, landmarks of the faces in it.
        unknown: (U, 4) float32, boxes of objects that may be faces.
    """

    image: Floats
    points: Floats
    unknown: Floats


def cut_ground(scene: LabelledPhoto, size: int, *, scale: float, centre: tuple[float, float], random: Random) -> Ground:
    """Cut a square around a point out of a scene, convert it to grey by random weights, and mirror half of them.

    Args:
        scene: The scene.
        size: Side of the square in pixels.
        scale: Pixels of the square per pixel of the scene.
        centre: x and y in the scene.
        random: Generator of the random numbers.
    """
    shift = size / 2 - scale * np.asarray(centre, np.float32)
    level = min(max(round(np.log2(1 / scale)), 0), len(scene.levels) - 1)
    source = scene.levels[level]
    ratio = np.array(source.shape[1::-1]) / scene.size
    matrix = np.column_stack([np.diag(scale / ratio), shift])
    piece = cv2.warpAffine(source, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    mix = GREY_OF_BGR if random.random() < 0.5 else random.dirichlet(GREY_OF_BGR * 6).astype(np.float32)
    image = np.asarray(piece @ mix, np.float32)
    points, unknown = scene.points * scale + shift, scene.unknown * scale + np.tile(shift, 2)
    if random.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
        points, unknown = (
            mirror_points(points, size),
            (size - unknown)[:, [2, 1, 0, 3]] * [1, 0, 1, 0] + unknown * [0, 1, 0, 1],
        )
    return Ground(image, points.astype(np.float32), unknown.astype(np.float32))


def plain_ground(size: int, random: Random) -> Ground:
    """Return a square of one grey level, or with a gradient from edge to edge."""
    first, last = random.uniform(0, 255, 2).tolist()
    row = np.linspace(first, last if random.random() < 0.5 else first, size, dtype=np.float32)
    image = np.tile(row, (size, 1))
    nothing = np.zeros((0, 4), np.float32)
    return Ground(image if random.random() < 0.5 else image.T.copy(), np.zeros((0, 104, 2), np.float32), nothing)


def place(points: Floats, *, centre: NDArray[np.floating], scale: float, angle: float, stretch: float = 1.0) -> Floats:
    """Return the (2, 3) matrix that rotates, scales and moves a tile so that the middle of its points is at a centre.

    Args:
        points: (P, 2) in the tile.
        centre: (2,) the new middle of the points.
        scale: Factor of the enlargement.
        angle: Degrees, clockwise in the image.
        stretch: Width over height of a pixel of the tile.
    """
    turn = np.deg2rad(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    linear = scale * rotation @ np.diag([stretch**0.5, stretch**-0.5])
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    return np.column_stack([linear, np.asarray(centre) - linear @ middle]).astype(np.float32)


def move(points: Floats, matrix: Floats) -> Floats:
    """Apply a (2, 3) matrix to (P, 2) points."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], np.float32)


MIRROR = np.array([*MIRRORED, *(68 + (36 - index) % 36 for index in range(36))])
"""(104,) index of each point's counterpart in the mirrored face: the 68, and those of the oval."""


def mirror_points(points: Floats, width: float) -> Floats:
    """Mirror (..., 104, 2) points in an image of a width; the right eye becomes the left eye."""
    mirrored = points[..., MIRROR, :].copy()
    mirrored[..., 0] = width - mirrored[..., 0]
    return mirrored


def face_mask(points: Floats, side: int, random: Random) -> Floats:
    """Choose the mask by which a tile is pasted, (side, side) float32 0..1.

    It is the whole tile with hard or soft edges, the oval of the face with more or less of hair and neck, or the face
    below the brows.
    """
    mask = np.zeros((side, side), np.float32)
    kind = random.random()
    if kind < 0.1:
        mask[:] = 1
        return mask
    if kind < 0.5:
        feather = int(random.integers(2, 9))
        mask[feather // 2 : -feather // 2 or None, feather // 2 : -feather // 2 or None] = 1
        mask[[0, -1]] = mask[:, [0, -1]] = 0
        return np.asarray(cv2.blur(mask, (feather, feather), borderType=cv2.BORDER_CONSTANT), np.float32)
    oval = points[68:]
    middle = oval.mean(axis=0)
    grown = middle + (oval - middle) * random.uniform(0.95, 1.45, 2).astype(np.float32)
    if random.random() < 0.15:  # a cap, a fringe, or the upper edge of an image
        grown[:, 1] = np.maximum(grown[:, 1], points[17:27, 1].min() - random.uniform(0, 4))
    cv2.fillPoly(mask, [np.round(grown).astype(np.int32)], 1.0)
    mask[[0, -1]] = mask[:, [0, -1]] = 0
    width = int(random.integers(2, 7))
    return np.asarray(cv2.blur(mask, (width, width), borderType=cv2.BORDER_CONSTANT), np.float32)


def lay(image: Floats, patch: Floats, mask: Floats, matrix: Floats, random: Random) -> Floats:
    """Paste a patch into an image, and return the share of each pixel that it covers, (h, w) 0..1.

    Brightness and contrast of the patch are randomly changed, and sometimes adapted to the background.
    """
    cover = np.zeros(image.shape, np.float32)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.7:
        patch = cv2.GaussianBlur(patch, (0, 0), 0.4 / scale).astype(np.float32)
    (x1, y1), (x2, y2) = _reach(patch.shape, matrix, image.shape).tolist()
    if x1 >= x2 or y1 >= y2:
        return cover
    part, moved, size = image[y1:y2, x1:x2], matrix.copy(), (x2 - x1, y2 - y1)
    moved[:, 2] -= (x1, y1)
    share = np.asarray(cv2.warpAffine(mask, moved, size, flags=cv2.INTER_LINEAR), np.float32)
    upper = cv2.warpAffine(
        patch, moved, size, flags=cv2.INTER_CUBIC if scale > 1.2 else cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    gain, bias = random.uniform(0.6, 1.2), random.normal(0, 12)
    under = part[share > 0.5]
    if len(under) and random.random() < 0.5:
        bias += (float(under.mean()) - float(patch.mean())) * random.uniform(0, 1)
    upper = (upper - patch.mean()) * gain + patch.mean() + bias
    part += share * (np.clip(upper, 0, 255) - part)
    cover[y1:y2, x1:x2] = share
    return cover


def _reach(patch: tuple[int, ...], matrix: Floats, image: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the first and behind the last pixel, (2, 2) x and y, that a moved patch reaches in an image."""
    height, width = patch[:2]
    corners = move(np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float32), matrix)
    ends = np.stack([np.floor(corners.min(axis=0)) - 1, np.ceil(corners.max(axis=0)) + 1])
    return np.asarray(np.clip(ends, 0, image[1::-1]), np.int64)


def hide(image: Floats, box: Floats, stuff: Floats, random: Random) -> None:
    """Occlude a part of a face with a bar or an ellipse of another image, like a hand, a glass or a shoulder.

    Args:
        image: The image, which is changed.
        box: (4,) of the face.
        stuff: Another image of the same size.
        random: Generator of the random numbers.
    """
    width, height = box[2:] - box[:2]
    mask = np.zeros_like(image)
    x, y = (box[:2] + random.uniform(0, 1, 2) * (width, height)).tolist()
    half = random.uniform(0.08, 0.3, 2) * (width, height)
    if random.random() < 0.5:
        axes = (max(1, round(half[0])), max(1, round(half[1])))
        cv2.ellipse(mask, (round(x), round(y)), axes, random.uniform(0, 180), 0, 360, 1.0, -1)
    else:
        turn = random.uniform(0, np.pi)
        reach = np.array([np.cos(turn), np.sin(turn)]) * max(width, height)
        middle = np.array([x, y])
        ends = np.round(np.stack([middle - reach, middle + reach])).astype(int).tolist()
        cv2.line(mask, ends[0], ends[1], 1.0, max(1, round(min(half))))
    mask = cv2.blur(mask, (3, 3)).astype(np.float32)
    fill = stuff if random.random() < 0.7 else np.float32(random.uniform(0, 255))
    image += mask * (fill - image)


def cover_part(image: Floats, points: Floats, stuff: Floats, random: Random) -> None:
    """Cover the mouth like a mask, or the eyes like dark glasses.

    Args:
        image: The image, which is changed.
        points: (68 or more, 2) of the face in the image.
        stuff: Another image of the same size.
        random: Generator of the random numbers.
    """
    if random.random() < 0.6:
        outline = np.concatenate([points[2:15], points[[29]] + random.uniform(-0.5, 1) * (points[[30]] - points[[29]])])
    else:
        eyes = points[[36, 45, 45, 36]]
        down, across = (points[[33]] - points[[27]]) * random.uniform(0.35, 0.6), (eyes[1] - eyes[0]) * 0.12
        outline = eyes + np.concatenate([-0.7 * down, -0.7 * down, down, down])
        outline += np.array([[-1], [1], [1], [-1]]) * across
    mask = np.zeros_like(image)
    cv2.fillPoly(mask, [np.round(outline * 4).astype(np.int32)], 1.0, shift=2)
    mask = cv2.blur(mask, (2, 2)).astype(np.float32)
    fill = stuff if random.random() < 0.3 else np.float32(random.uniform(0, 255))
    image += mask * (fill - image)


def coarsen(image: Floats, factor: float) -> Floats:
    """Lower the resolution of an image like a small picture that is enlarged."""
    size = image.shape[::-1]
    small = cv2.resize(image, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.float32)


def spoil(image: Floats, random: Random) -> NDArray[np.uint8]:
    """Randomly change brightness and contrast, blur or sharpen, add noise and JPEG artifacts; return uint8."""
    changed = _blur(_light(image, random), random)
    if random.random() < 0.4:
        changed = changed + random.standard_normal(changed.shape, np.float32) * np.float32(random.uniform(1, 12))
    pixels = np.clip(np.round(changed), 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        _, coded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))])
        pixels = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return pixels


def draw_face(material: Material, random: Random) -> tuple[Floats, Floats]:
    """Draw a random tile, mirrored or not, and its points: (48, 48) float32 and (104, 2)."""
    row = random.integers(len(material.tiles))
    tile, points = material.tiles[row].astype(np.float32), material.points[row]
    if random.random() < 0.5:
        return tile, points
    return np.ascontiguousarray(tile[:, ::-1]), mirror_points(points, tile.shape[1])


def draw_tilt(random: Random, *, widest: float = 45.0, small: float = 0.75) -> float:
    """Draw the roll of a head in degrees: a share of them small, the others uniform up to the widest."""
    return float(random.normal(0, 12) if random.random() < small else random.uniform(-widest, widest))


def log_uniform(least: float, most: float, random: Random) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(random.uniform(np.log(least), np.log(most))))


def _light(image: Floats, random: Random) -> Floats:
    """Change gamma, contrast and brightness; sometimes darken the image."""
    if random.random() < 0.5:
        gamma = np.float32(np.exp(random.normal(0, 0.35)))
        image = np.asarray(255 * (np.clip(image, 0, 255) / 255) ** gamma, np.float32)
    if random.random() < 0.5:
        middle = image.mean()
        image = (image - middle) * np.float32(random.uniform(0.4, 1.4)) + middle + np.float32(random.normal(0, 15))
    if random.random() < 0.15:
        image = image * np.float32(random.uniform(0.1, 0.5))
    return np.asarray(image, np.float32)


def _blur(image: Floats, random: Random) -> Floats:
    """Blur like a lens or a movement, sharpen, or leave the image unchanged."""
    chance = random.random()
    if chance < 0.25:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.3)), np.float32)
    elif chance < 0.35:
        length = int(random.integers(2, 5))
        kernel = np.eye(length, dtype=np.float32) if random.random() < 0.5 else np.ones((1, length), np.float32)
        image = np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)
    elif chance < 0.5:
        soft = np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.float32)
        image = image + np.float32(random.uniform(0.3, 1.2)) * (image - soft)
    return image
