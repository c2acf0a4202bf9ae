"""Read animated GIF, WebP, PNG and AVIF as short videos: each frame as it is shown, with the time at which it is."""

from __future__ import annotations

import io
import logging
import math
import warnings
from collections.abc import Generator
from fractions import Fraction

from PIL import Image as Pillow

from facemood.errors import VideoError
from facemood.imaging import from_pillow
from facemood.schema import Frame
from facemood.sources.boundary import input_errors, short_name
from facemood.sources.images import MAX_PIXELS
from facemood.sources.video import check_period, frame_chooser

logger: logging.Logger = logging.getLogger("facemood")

SHORTEST = 10
"""Milliseconds of a frame up to which it is shown for `USUAL` instead, as browsers do."""

USUAL = 100
"""Milliseconds for which a frame is shown that says nothing usable."""


def read_animation(
    file: str | bytes, *, name: str, every: int | float | None = None, start: float = 0.0, end: float | None = None
) -> Generator[Frame, None, None]:
    """Yield the frames of an animation, laid on white; memory does not grow with their number.

    Args:
        file: A path, or the file's bytes.
        name: What frames and messages call it.
        every: As for `read_video`: a whole number k takes each k-th frame, a float T one at most every T seconds.
        start: The second from which frames are taken.
        end: The second at which they end, itself left out; None for the end.

    Raises:
        VideoError: It is no animation, or larger than `MAX_PIXELS`.
        ValueError: An option is out of its range.
    """
    until = check_period(every, start, end)
    chosen, time, number = frame_chooser(every), Fraction(0), 0
    with input_errors(name, VideoError), _open(file, name) as picture:
        first = 1 if getattr(picture, "default_image", False) else 0  # shown where animations are not known
        while float(time) < until and _seek(picture, first + number, name):
            if chosen(number, time) and time >= start:
                yield Frame(from_pillow(picture, name=name), source=name, index=number, timestamp=float(time))
            time += _duration(picture)
            number += 1


def count_animation(file: str | bytes, every: int | float | None = None) -> int | None:
    """Estimate how many frames `read_animation` gives; None where the file cannot be read.

    Args:
        file: A path, or the file's bytes.
        every: As for `read_animation`.
    """
    try:
        with _open(file, "animation") as picture:
            frames = getattr(picture, "n_frames", 1) - bool(getattr(picture, "default_image", False))
            seconds = float(_duration(picture)) * frames
    except Exception:  # it is told when the file is read
        return None
    if every is None or isinstance(every, int):
        return max(1, math.ceil(frames / (every or 1)))
    return max(1, min(frames, math.ceil(seconds / every)))


def _open(file: str | bytes, name: str) -> Pillow.Image:
    """Open an animation.

    Raises:
        VideoError: Its frames are too large.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        picture = Pillow.open(io.BytesIO(file) if isinstance(file, bytes) else file)
    if picture.width * picture.height > MAX_PIXELS:
        picture.close()
        raise VideoError(
            f"{short_name(name)}: its frames of {picture.width} x {picture.height} are too large; "
            f"expected at most {MAX_PIXELS // 1_000_000} million pixels"
        )
    return picture


def _seek(picture: Pillow.Image, number: int, name: str) -> bool:
    """Decode a frame; False after the last one, and where the rest is damaged, of which a warning tells."""
    try:
        picture.seek(number)
        picture.load()
    except EOFError:
        return False
    except Exception as error:  # each of Pillow's decoders has errors of its own for damaged data
        if not number:
            raise
        logger.warning("%s: the animation breaks off at frame %d (%s)", short_name(name), number, error)
        return False
    return True


def _duration(picture: Pillow.Image) -> Fraction:
    """Return for how many seconds the frame that was decoded last is shown."""
    told = picture.info.get("duration", 0) or 0
    return Fraction(told if told > SHORTEST else USUAL) / 1000
