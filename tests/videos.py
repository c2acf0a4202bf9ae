"""Small videos for tests: images that encode their number, written in any video format by PyAV."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace

from facemood.schema import Image
from facemood.sources.video import read_video

BARS = 8
"""Number of bars that encode an image's number: dark for 0 and bright for 1, the highest binary digit first."""

FINE = Fraction(1, 90_000)
"""The clock of videos in formats that allow any clock."""

COARSE = {".avi": None, ".gif": Fraction(1, 100)}
"""Clocks of other formats; None for one tick per frame."""

PIXELS = {"mjpeg": "yuvj420p", "gif": "rgb8"}
TOLD = {"libvpx-vp9": Colorspace.ITU601}
"""Colour spaces of exact videos: Chromium believes the range of VP9 only with one, and that of H.264 only without."""

QUIET = {"libx265": {"x265-params": "log-level=none"}, "libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"}}

NEUTRAL = 128
"""Value of both colour differences of grey."""

RATE = 48_000
"""Sound samples per second."""


def numbered_image(number: int, size: tuple[int, int] = (64, 48)) -> Image:
    """An image with bars that encode a number for `number_of`: (H, W, 3) uint8 BGR, of a width and height."""
    width, height = size
    digits = number >> np.arange(BARS)[::-1] & 1
    row = np.repeat(40 + 170 * digits, -(-width // BARS))[:width].astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row[None, :, None], (height, width, 3)))


def numbered_images(count: int, size: tuple[int, int] = (64, 48)) -> list[Image]:
    """The images with the numbers from 0 on."""
    return [numbered_image(number, size) for number in range(count)]


def number_of(image: Image) -> int:
    """The number in an image's bars, also after compression, scaling or black borders."""
    bars = np.array_split(image.astype(float).mean(axis=(0, 2)), BARS)
    return sum(int(bar.mean() > 125) << place for place, bar in enumerate(reversed(bars)))


def make_video(
    path: Path,
    images: Iterable[Image],
    *,
    fps: float = 25,
    timestamps: Sequence[float] | None = None,
    codec: str = "libx264",
    audio_seconds: float | None = None,
    audio_codec: str = "aac",
    rotation: int = 0,
    aspect: Fraction | None = None,
    keyframes: int = 12,
    index_first: bool = False,
    reorder: bool = True,
    title: str = "",
    exact: bool = False,
) -> Path:
    """Write a video and return its path.

    Args:
        path: Its ending chooses the format.
        images: (H, W, 3) uint8 BGR, of one size.
        fps: Frames a second, where there are no timestamps.
        timestamps: The second at which each picture is shown.
        codec: An encoder of FFmpeg's.
        audio_seconds: How long a tone is heard; None for no sound.
        audio_codec: An encoder of sound.
        rotation: Degrees clockwise by which players shall turn the pictures; MP4 only.
        aspect: Width over height of a pixel.
        keyframes: A frame that stands for itself comes after so many.
        index_first: Whether an MP4 begins with its index.
        reorder: Whether frames may be built on later ones; cameras' are not.
        title: What the video is called inside; empty for nothing.
        exact: Whether every decoder shows the same pixels: grey ones, whose levels are stored as they are. Encoded by
            one thread, so that the file is the same on any machine.
    """
    pictures = list(images)
    clock = COARSE.get(path.suffix, FINE) or 1 / Fraction(fps)
    times: Sequence[float | Fraction] = timestamps or [number / Fraction(fps) for number in range(len(pictures))]
    with av.open(str(path), "w", options={"movflags": "faststart"} if index_first else {}) as video:
        height, width = pictures[0].shape[:2] if pictures else (48, 64)
        options = {**QUIET.get(codec, {}), **({"threads": "1"} if exact else {})}
        stream: Any = video.add_stream(codec, rate=Fraction(fps), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, PIXELS.get(codec, "yuv420p")
        if exact:
            stream.codec_context.color_range = ColorRange.JPEG
            if codec in TOLD:
                stream.codec_context.colorspace = TOLD[codec]
        stream.codec_context.time_base, stream.codec_context.gop_size = clock, keyframes
        if not reorder:
            stream.codec_context.max_b_frames = 0
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        tone = None if audio_seconds is None else video.add_stream(audio_codec, rate=RATE)
        if title:
            video.metadata["title"] = title
        video.start_encoding()
        for time, picture in zip(times, pictures, strict=True):
            frame = grey_frame(picture) if exact else av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = round(Fraction(time) / clock), clock
            video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
        if audio_seconds is not None:
            add_tone(video, tone, audio_seconds)
    if rotation:
        turn_video(path, rotation)
    return path


def grey_frame(picture: Image) -> av.VideoFrame:
    """Return a picture (H, W, 3) uint8 BGR of even sides as a frame without colour, whose range is 0..255."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    neutral = np.full((grey.shape[0] // 2, grey.shape[1]), NEUTRAL, np.uint8)
    frame = av.VideoFrame.from_ndarray(np.concatenate([grey, neutral]), format="yuv420p")
    frame.color_range = ColorRange.JPEG
    return frame


def make_sound(path: Path, seconds: float, codec: str) -> Path:
    """Write a file with a tone and no video."""
    with av.open(str(path), "w") as file:
        add_tone(file, file.add_stream(codec, rate=RATE), seconds)
    return path


def add_tone(video: OutputContainer, stream: Any, seconds: float) -> None:
    """Write a rising tone, in which no two moments sound the same."""
    moments = np.arange(round(seconds * RATE)) / RATE
    samples = (0.3 * np.sin(2 * np.pi * (220 + 110 * moments) * moments)).astype(np.float32)
    for first in range(0, len(samples), 1024):
        part = np.ascontiguousarray(np.tile(samples[None, first : first + 1024], (2, 1)))
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
        frame.rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        video.mux(stream.encode(frame))
    video.mux(stream.encode(None))


def turn_video(path: Path, degrees: int, *, mirror: bool = False) -> None:
    """Change the display matrix of an MP4's first track: players rotate it clockwise, mirrored before if requested."""
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees % 360]
    side = -1 if mirror else 1
    matrix = (side * cosine << 16, side * sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30)
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    data[place : place + 36] = struct.pack(">9i", *matrix)
    path.write_bytes(data)


def sound_of(path: Path) -> list[bytes]:
    """The encoded packets of a video's sound."""
    with av.open(str(path)) as video:
        return [bytes(packet) for packet in video.demux(audio=0) if packet.size]


def noisy_images(count: int, size: tuple[int, int] = (64, 48)) -> list[Image]:
    """Numbered images with noise, which hardly compress, so that a few frames make a large file."""
    noise = np.random.default_rng(3).integers(0, 60, (count, size[1], size[0], 3), np.uint8)
    return [picture - 30 + part for picture, part in zip(numbered_images(count, size), noise, strict=True)]


def timed_numbers(path: Path) -> list[tuple[float | None, int]]:
    """The times of a video's frames, and the numbers encoded in them."""
    return [(frame.timestamp, number_of(frame.image)) for frame in read_video(path)]


def length_of(path: Path) -> float:
    """The duration of a whole video, frames and sound, in seconds."""
    with av.open(str(path)) as video:
        return (video.duration or 0) / 1e6
