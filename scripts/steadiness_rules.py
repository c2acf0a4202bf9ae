"""Compare the display label with the usual rule, on videos as they are and on worn copies.

`measure_steadiness.py` reports it. The usual rule shows another label once it has led for some time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from facemood.schema import Image
from facemood.timeline import Track
from facemood.tracking.smooth import SmoothOptions

DWELLS = (0.15, 0.2, 0.25)
"""Seconds for which another label must lead in the usual rule."""

COPY_QUALITY = 95
"""JPEG quality of the frames of a worn copy, so that the copying itself hardly wears them."""

Random = np.random.Generator


def _noisy(image: Image, random: Random) -> Image:
    """Add noise with a standard deviation of 20 of 255 levels."""
    return _to_image(image + random.normal(0, 20, image.shape))


def _dark(image: Image, random: Random) -> Image:
    """Keep 0.15 of the light, and add noise of 2 levels."""
    return _to_image(image * 0.15 + random.normal(0, 2, image.shape))


def _bright(image: Image, random: Random) -> Image:
    """Double the light; what is too bright becomes white."""
    return _to_image(image * 2.0)


def _compressed(image: Image, random: Random) -> Image:
    """Compress as JPEG of quality 12."""
    packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 12])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)


def _coarse(image: Image, random: Random) -> Image:
    """Keep a quarter of the width and of the height, enlarged again."""
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1]), np.uint8)


def _to_image(values: NDArray[np.floating]) -> Image:
    """Round and clip to 0..255."""
    return np.asarray(np.clip(values, 0, 255), np.uint8)


WORN: Mapping[str, Callable[[Image, Random], Image]] = {
    "noisy": _noisy,
    "dark": _dark,
    "bright": _bright,
    "compressed": _compressed,
    "coarse": _coarse,
}
"""How the frames of a copy are worn, by its name."""


def write_worn(source: Path, target: Path, name: str) -> None:
    """Write a worn copy of a video, frame by frame.

    Args:
        source: The video.
        target: The copy, ending in ``.avi``.
        name: One of `WORN`.
    """
    video, random = cv2.VideoCapture(str(source)), np.random.default_rng(0)
    size = tuple(int(video.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    copy = cv2.VideoWriter(str(target), codec, video.get(cv2.CAP_PROP_FPS), size)
    copy.set(cv2.VIDEOWRITER_PROP_QUALITY, COPY_QUALITY)
    while (frame := video.read()[1]) is not None:
        copy.write(WORN[name](np.asarray(frame, np.uint8), random))
    copy.release()


def dwell_labels(track: Track, raw: NDArray[np.float32], seconds: float) -> NDArray[np.int64]:
    """Return the labels that the usual rule shows: (T,).

    Args:
        track: The smoothed probabilities of one face.
        raw: (T, K) probabilities of single frames.
        seconds: For how long another label must lead the one that is shown, by the margin of `SmoothOptions`, before it
            is shown; the frame's own prediction must agree.
    """
    margin, shown, labels = SmoothOptions().margin, int(raw[0].argmax()), []
    rival, since = shown, float(track.timestamps[0])
    for time, smoothed, single in zip(track.timestamps.tolist(), track.probabilities, raw, strict=True):
        best = int(smoothed.argmax())
        if smoothed[best] - smoothed[shown] < margin:
            best = shown
        if best != rival:
            rival, since = best, time
        if time - since >= seconds and single[rival] > single[shown]:
            shown = rival
        labels.append(shown)
    return np.array(labels)
