"""Images of moments: a face with what is around it, from the photo or the frame of the video that facemood read."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

import cv2
import numpy as np

from facemood.errors import ImageError
from facemood.review.moments import Moment
from facemood.schema import Image
from facemood.sources import is_video, open_video, read_frames

AROUND = 0.8
"""Margin on each side of a face that is shown, as a share of the larger side of its box."""

SIDE = 640
"""Longer side in pixels of an image that is shown; larger ones are reduced."""

SMALLEST = 320
"""Longer side to which smaller images are enlarged, so that a small face can be seen."""

FRAME_GROWTH = 0.08
"""By how much the frame around a face is larger than its box on each side, so that it hides nothing of the face."""

QUALITY = 90
"""JPEG quality of an image that is shown."""


def read_moment(moment: Moment, path: Path) -> Image:
    """Return the photo, or the frame of the video, of a moment: (H, W, 3) uint8 BGR.

    Raises:
        SourceError: The file cannot be read, or has no such frame.
    """
    if is_video(path):
        start = moment.timestamp or 0.0
        with contextlib.closing(open_video(path, start=start)) as frames:
            found = next(frames, None)
    else:
        found = next(itertools.islice(read_frames(path), moment.frame, None), None)
    if found is None or (moment.timestamp is not None and found.index != moment.frame):
        raise ImageError(f"{moment.source}: has no frame {moment.frame} any more; read it again with facemood analyze")
    return found.image


def show_moment(moment: Moment, path: Path) -> bytes:
    """Return what raters see of a moment, as JPEG: the face in a frame, with what is around it, upright.

    Raises:
        SourceError: The file cannot be read, or has no such frame.
    """
    image = read_moment(moment, path)
    crop, (left, top) = cut_around(image, moment.box, margin=AROUND)
    longer = max(crop.shape[:2])
    scale = min(SIDE, max(longer, SMALLEST)) / longer
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    shown: Image = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    x1, y1, x2, y2 = moment.box
    grow = FRAME_GROWTH * max(x2 - x1, y2 - y1)
    corners = np.rint(scale * np.array([x1 - grow - left, y1 - grow - top, x2 + grow - left, y2 + grow - top]))
    _frame(shown, *corners.astype(int).tolist())
    turned = np.ascontiguousarray(np.rot90(shown, round(moment.roll / 90) % 4))
    done, data = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ImageError(f"{moment.source}: the face cannot be shown")
    return data.tobytes()


def cut_around(image: Image, box: tuple[float, float, float, float], *, margin: float) -> tuple[Image, tuple[int, int]]:
    """Cut a face with a margin out of its image; nothing is drawn beyond the edges.

    Args:
        image: (H, W, 3) uint8 BGR.
        box: x1 y1 x2 y2 in pixels.
        margin: On each side, as a share of the larger side of the box.

    Returns:
        (h, w, 3) uint8 BGR, a copy, and the left and upper edge in the image.

    Raises:
        ImageError: The box is outside of the image.

    Example:
        >>> crop, corner = cut_around(np.zeros((100, 100, 3), np.uint8), (40, 40, 60, 60), margin=0.5)
        >>> crop.shape, corner
        ((40, 40, 3), (30, 30))
    """
    x1, y1, x2, y2 = box
    grow = margin * max(x2 - x1, y2 - y1)
    left, top = (max(round(edge - grow), 0) for edge in (x1, y1))
    crop = image[top : max(round(y2 + grow), 0), left : max(round(x2 + grow), 0)].copy()
    if not crop.size:
        height, width = image.shape[:2]
        raise ImageError(f"the face at {box} is outside of an image of {width} x {height} pixels; read it again")
    return crop, (left, top)


def _frame(image: Image, x1: int, y1: int, x2: int, y2: int) -> None:
    """Draw a frame that can be seen on dark and on light ground."""
    for colour, thickness in (((24, 22, 20), 4), ((255, 255, 255), 2)):
        cv2.rectangle(image, (x1, y1), (x2, y2), colour, thickness, cv2.LINE_AA)
