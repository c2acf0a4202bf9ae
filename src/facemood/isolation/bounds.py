"""Limits for untrusted images and videos."""

from __future__ import annotations

from dataclasses import dataclass

from facemood.errors import LimitError, SourceError

SCANS_OF_A_PASS = 4
"""Scans of a progressive JPEG that cost about as much time as decoding its pixels once (libjpeg-turbo, measured)."""


class UnknownFormatError(SourceError):
    """The format is not one of those that are decoded here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBounds:
    """The limits of an image.

    Attributes:
        pixels: Width times height.
        side: Width or height in pixels.
        aspect: The longer side divided by the shorter one.
        scans: Scans of a progressive JPEG. Each scan is a pass over the whole image, whatever its few bytes hold.
        quick: Decoding work in pixels, as `decoding_work` counts it, up to which an image is decoded at once; images
            that cost more are only measured. 0 decodes every image.

    Example:
        >>> ImageBounds(pixels=100).check(11, 10)
        Traceback (most recent call last):
        ...
        facemood.errors.LimitError: the image has 11 x 10 pixels; expected at most 100 in all, reduce it first
    """

    pixels: int = 40_000_000
    side: int = 20_000
    aspect: int = 3_000
    scans: int = 100
    quick: int = 0

    def check(self, width: int, height: int) -> None:
        """Refuse a size.

        Raises:
            LimitError: It is above one of the bounds.
        """
        size = f"the image has {width} x {height} pixels"
        if width * height > self.pixels:
            raise LimitError(f"{size}; expected at most {self.pixels:,} in all, reduce it first")
        if max(width, height) > self.side:
            raise LimitError(f"{size}; expected at most {self.side:,} a side, reduce it first")
        if max(width, height) > self.aspect * min(width, height):
            raise LimitError(f"{size}; expected one side to be at most {self.aspect:,} times the other, crop it first")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoBounds:
    """The limits of a video.

    Attributes:
        pixels: Width times height of each frame, as it is shown.
        seconds: The time of its last frame.
        frames: How many frames are read.

    Example:
        >>> VideoBounds(seconds=60).check_time(60.5)
        Traceback (most recent call last):
        ...
        facemood.errors.LimitError: the video is longer than 60 seconds; cut it into parts
    """

    pixels: int = 9_000_000
    seconds: float = 7_200
    frames: int = 250_000

    def check_time(self, seconds: float) -> None:
        """Refuse a time in the video, in seconds.

        Raises:
            LimitError: It is above the bound.
        """
        if seconds > self.seconds:
            raise LimitError(f"the video is longer than {self.seconds:g} seconds; cut it into parts")

    def check_count(self, frames: int) -> None:
        """Refuse a number of frames.

        Raises:
            LimitError: It is above the bound.
        """
        if frames > self.frames:
            raise LimitError(
                f"the video has more than {self.frames:,} frames to read; read fewer with every, or cut it into parts"
            )


def decoding_work(width: int, height: int, scans: int) -> int:
    """Return the cost of decoding an image, in pixels of an ordinary image.

    Example:
        >>> decoding_work(640, 480, 1) == 640 * 480, decoding_work(640, 480, 100) == 640 * 480 * 25
        (True, True)
    """
    return round(width * height * max(1.0, scans / SCANS_OF_A_PASS))
