"""Draw optional layers on faces: activation map, mask, mesh, landmarks, pose, expressional vector."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.errors import OutputError, did_you_mean
from facemood.geometry import rotation_of
from facemood.render.heat import draw_activation_map
from facemood.schema import Face, Image

LAYERS = ("map", "mask", "mesh", "points", "pose", "vector")
"""The layers, in drawing order from the bottom to the top."""

OPEN = [range(17), range(17, 22), range(22, 27), range(27, 31), range(31, 36)]
"""Open outlines of the 68 landmarks: jaw, brows, bridge and base of the nose."""

CLOSED = [range(36, 42), range(42, 48), range(48, 60), range(60, 68)]
"""Closed outlines of the 68 landmarks: eyes, outer and inner lips."""

AXES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, -1]], np.float32)
"""Axes of a head that looks into the camera: to the right of the image, down, and in the direction of view."""

NOSE_TIP = 30
"""Index of the landmark at which the axes of the pose begin."""

AXIS_COLOURS = ((64, 64, 240), (72, 200, 72), (255, 128, 48))
"""BGR of the axes of the pose: red to the right, green down, blue in the direction of view."""

LINE = (255, 246, 222)
"""BGR of outlines."""

POINT = (90, 226, 255)
"""BGR of landmarks."""

SHADE = (24, 20, 16)
"""BGR of the shade around lines and points."""

OUTLINE = (150, 226, 120)
"""BGR of the edge of a mask."""

DISTANCE = (255, 214, 150)
"""BGR of the lines of an expressional vector."""

CENTRE = (90, 226, 255)
"""BGR of the end points of those lines."""

BACKGROUND = 0.35
"""Brightness outside of a mask, as a share of the original."""

OPACITY = 0.65
"""Opacity of the shade around lines, 0..1."""

FINE = 4
"""Fractional bits of coordinates in OpenCV's drawing functions, for positions of 1/16 pixel."""

ZOOM = 4
"""Factor by which small regions are enlarged for drawing and reduced afterwards: lines thinner than a pixel."""

SMALL = 320
"""Longest side, in pixels, of a region that is enlarged."""


class Stroke(NamedTuple):
    """A line through points (P, 2) with a width in pixels, or a dot of that diameter for a single point."""

    points: NDArray[np.float32]
    colour: tuple[int, int, int]
    width: float


def check_layers(layers: Collection[str]) -> tuple[str, ...]:
    """Return layers in their drawing order, after a check.

    Args:
        layers: Some of `LAYERS`, or a string of their names separated by commas.

    Raises:
        OutputError: A layer is unknown.

    Example:
        >>> check_layers("points,mesh")
        ('mesh', 'points')
    """
    wanted = [name.strip() for name in layers.split(",")] if isinstance(layers, str) else list(layers)
    for name in wanted:
        if name not in LAYERS:
            known = ", ".join(LAYERS)
            raise OutputError(
                f"{name!r} is no layer that can be drawn on a face; expected {known}.{did_you_mean(name, LAYERS)}"
            )
    return tuple(name for name in LAYERS if name in wanted)


def draw_layers(image: Image, faces: Sequence[Face], layers: Collection[str]) -> Image:
    """Return a copy of an image with layers drawn on its faces, as far as the faces have the data.

    Args:
        image: (H, W, 3) uint8 BGR; it is not changed.
        faces: The faces detected in the image.
        layers: Some of `LAYERS`; without any, the image itself is returned.

    Raises:
        OutputError: A layer is unknown.
    """
    wanted = check_layers(layers)
    drawn = image.copy() if wanted else image
    for face in faces if "map" in wanted else ():
        if face.activation_map is not None:
            draw_activation_map(drawn, *face.activation_map)
    if "mask" in wanted:
        _darken_background(drawn, faces)
    makers = [STROKES[name] for name in wanted if name in STROKES]
    for face in faces:
        strokes = [stroke for make in makers for stroke in make(face) if _is_near(stroke, image)]
        if strokes:
            _draw_strokes(drawn, strokes)
    return drawn


def _mesh(face: Face) -> Iterator[Stroke]:
    """Yield the outlines of a face with 68 landmarks."""
    if face.landmarks is not None and len(face.landmarks) == 68:
        lines = [list(line) for line in OPEN] + [[*line, line[0]] for line in CLOSED]
        yield from (Stroke(face.landmarks[line], LINE, _width(face, 140, 0.5)) for line in lines)


def _points(face: Face) -> Iterator[Stroke]:
    """Yield a dot for each landmark."""
    for point in () if face.landmarks is None else face.landmarks:
        yield Stroke(point[None], POINT, _width(face, 55, 1.0))


def _pose(face: Face) -> Iterator[Stroke]:
    """Yield the axes of the head from the tip of the nose, the one that points furthest away first."""
    if face.pose is None:
        return
    known = face.landmarks is not None and len(face.landmarks) == 68
    start = face.landmarks[NOSE_TIP] if face.landmarks is not None and known else (face.box[:2] + face.box[2:]) / 2
    tips = AXES @ rotation_of(face.pose).T * max(face.size) * 0.5  # (3, 3): one axis per row
    for axis in np.argsort(-tips[:, 2]):
        yield Stroke(np.stack([start, start + tips[axis, :2]]), AXIS_COLOURS[axis], _width(face, 60, 1.5))


def _mask(face: Face) -> Iterator[Stroke]:
    """Yield the edge of a face mask."""
    if face.parts is not None and len(face.parts.outline):
        yield Stroke(np.concatenate([face.parts.outline, face.parts.outline[:1]]), OUTLINE, _width(face, 110, 1.0))


def _vector(face: Face) -> Iterator[Stroke]:
    """Yield the lines of an expressional vector, and a dot at each end."""
    if face.parts is None:
        return
    yield from (Stroke(line, DISTANCE, _width(face, 160, 0.5)) for line in face.parts.lines)
    for centre in np.unique(face.parts.lines.reshape(-1, 2), axis=0):
        yield Stroke(centre[None], CENTRE, _width(face, 30, 2.0))


STROKES = {"mask": _mask, "mesh": _mesh, "points": _points, "pose": _pose, "vector": _vector}
"""For each layer of lines, the function that yields the strokes of a face."""


def _darken_background(image: Image, faces: Sequence[Face]) -> None:
    """Darken, in place, the background of faces with a mask: inside their boxes, enlarged by half."""
    background = np.zeros(image.shape[:2], np.uint8)
    known = [(face, face.parts.outline) for face in faces if face.parts is not None and len(face.parts.outline)]
    for face, _ in known:
        grow = 0.25 * np.tile(np.array(face.size), 2) * (-1, -1, 1, 1)
        x1, y1, x2, y2 = np.rint(face.box + grow).clip(0, max(image.shape[:2])).astype(int).tolist()
        background[y1:y2, x1:x2] = 255
    for _, outline in known:
        cv2.fillPoly(background, [np.rint(outline).astype(np.int32)], 0)
    dark = background > 0
    image[dark] = (image[dark] * BACKGROUND).astype(np.uint8)


def _width(face: Face, share: float, least: float) -> float:
    """Return the width of a line in pixels: the size of the face divided by `share`, but not below `least`."""
    return max(least, max(face.size) / share)


def _is_near(stroke: Stroke, image: Image) -> bool:
    """Return whether all points of a stroke are finite and within twice the size of the image from its origin."""
    far = 2.0 * max(image.shape[:2])
    return bool(np.isfinite(stroke.points).all() and np.abs(stroke.points).max() < far)


def _draw_strokes(image: Image, strokes: Sequence[Stroke]) -> None:
    """Draw the strokes of one face on an image, in place, with a shade: light lines are visible on light skin."""
    points, margin = np.concatenate([stroke.points for stroke in strokes]), 2 * max(stroke.width for stroke in strokes)
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(points.min(axis=0) - margin), 0, (width, height)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(points.max(axis=0) + margin) + 1, 0, (width, height)).astype(int).tolist()
    region = image[top:bottom, left:right]
    if not region.size:
        return
    zoom = ZOOM if max(region.shape[:2]) <= SMALL else 1
    plain = np.ascontiguousarray(region.repeat(zoom, axis=0).repeat(zoom, axis=1))
    shaded = plain.copy()
    for stroke in strokes:
        _draw(shaded, stroke._replace(colour=SHADE, width=stroke.width + max(1.2, stroke.width)), (left, top), zoom)
    drawn = np.asarray(cv2.addWeighted(plain, 1 - OPACITY, shaded, OPACITY, 0), np.uint8)
    for stroke in strokes:
        _draw(drawn, stroke, (left, top), zoom)
    region[:] = cv2.resize(drawn, (right - left, bottom - top), interpolation=cv2.INTER_AREA)


def _draw(image: Image, stroke: Stroke, corner: tuple[int, int], zoom: int) -> None:
    """Draw an antialiased stroke on a region of the frame, in place.

    Args:
        image: The region, enlarged.
        stroke: In pixels of the frame.
        corner: x and y of the region's upper left corner in the frame.
        zoom: Factor by which the region is enlarged.
    """
    inside = (stroke.points - corner) * zoom + (zoom - 1) / 2
    exact, width = np.rint(inside * 2**FINE).astype(np.int32), stroke.width * zoom
    if len(exact) == 1:
        radius = round(width / 2 * 2**FINE)
        cv2.circle(image, exact[0].tolist(), radius, stroke.colour, cv2.FILLED, cv2.LINE_AA, FINE)
    else:
        cv2.polylines(image, [exact], False, stroke.colour, max(1, round(width)), cv2.LINE_AA, FINE)
