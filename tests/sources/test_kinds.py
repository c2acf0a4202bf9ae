"""Photos, animations and videos are told apart by their names, and else by their first bytes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from facemood.sources import is_video, read_frame
from facemood.sources.kinds import file_kind, head_of, is_animated, is_heif, sniff
from tests.videos import make_video, numbered_images

PICTURE = Pillow.fromarray(np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8))


def encode(kind: str, frames: int = 1, **options: Any) -> bytes:
    data = io.BytesIO()
    others = [PICTURE.rotate(5 * number) for number in range(1, frames)]
    more = {"save_all": True, "append_images": others, "duration": 50} if frames > 1 else {}
    PICTURE.save(data, kind, **more, **options)
    return data.getvalue()


PHOTOS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM"]
ANIMATIONS = ["GIF", "WEBP", "PNG", "AVIF"]


@pytest.mark.parametrize("kind", PHOTOS)
def test_photos_are_known_by_their_first_bytes(tmp_path: Path, kind: str) -> None:
    (tmp_path / "photo").write_bytes(encode(kind))
    assert file_kind(tmp_path / "photo") == "photo"
    assert not is_video(tmp_path / "photo")
    assert read_frame(tmp_path / "photo").size == (48, 32)


@pytest.mark.parametrize("kind", ANIMATIONS)
def test_animations_are_videos_whatever_their_names_and_single_pictures_are_photos(tmp_path: Path, kind: str) -> None:
    suffix = {"WEBP": ".webp", "GIF": ".gif", "PNG": ".png", "AVIF": ".avif"}[kind]
    for name, frames in ((f"one{suffix}", 1), ("one", 1), (f"three{suffix}", 3), ("three", 3)):
        data = encode(kind, frames)
        (tmp_path / name).write_bytes(data)
        assert is_video(tmp_path / name) == is_video(data) == (frames > 1)
    assert is_animated(encode(kind, 3)[: len(encode(kind, 3)) // 4]) in (True, False)


def test_pages_are_no_animation() -> None:
    assert not is_video(encode("TIFF", 3))


VIDEOS = {
    "mp4": "libx264", "mkv": "libx264", "webm": "libvpx-vp9", "ts": "libx264", "avi": "mpeg4",
    "flv": "flv", "h264": "libx264",
}  # fmt: skip
"""Containers and what encodes them."""


@pytest.mark.parametrize("suffix", VIDEOS)
def test_videos_without_an_ending_are_known_by_their_first_bytes(tmp_path: Path, suffix: str) -> None:
    path = make_video(tmp_path / f"a.{suffix}", numbered_images(5), codec=VIDEOS[suffix])
    bare = path.rename(tmp_path / "bare")
    assert is_video(bare)
    assert is_video(bare.rename(tmp_path / "of an ending.unknown"))


@pytest.mark.parametrize(
    ("suffix", "form", "codec"),
    [("m2ts", "mpegts", "libx264"), ("vob", "vob", "mpeg2video"), ("3g2", "3g2", "libx264"), ("f4v", "f4v", "libx264"),
     ("y4m", "yuv4mpegpipe", "wrapped_avframe"), ("h264", "h264", "libx264"), ("mxf", "mxf", "mpeg2video"),
     ("asf", "asf", "mpeg4"), ("mjpeg", "mjpeg", "mjpeg")],
)  # fmt: skip
def test_more_endings_are_videos_and_are_read(tmp_path: Path, suffix: str, form: str, codec: str) -> None:
    from facemood.sources import open_video

    path = tmp_path / f"a.{suffix}"
    with av.open(str(path), "w", format=form) as file:
        stream: Any = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 352, 288, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for image in numbered_images(4, (352, 288)):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format=stream.pix_fmt)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    assert is_video(path)
    assert sum(1 for _ in open_video(path)) == 4


def test_heif_is_told_from_avif() -> None:
    assert is_heif(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert not is_heif(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif")
    assert not is_heif(encode("AVIF")[:64])
    assert sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "photo"
    assert sniff(b"\0\0\0\x18ftypisom\0\0\0\0isom") == "video"


STARTS = [b"", b"RIFF\0\0\0\0WEBPVP8X", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftypavis", b"\0\0\0\x18ftypmif1"]
"""First bytes after which a file is looked at closely."""


@given(st.sampled_from(STARTS), st.binary(max_size=600))
def test_any_bytes_have_a_kind_or_none(start: bytes, rest: bytes) -> None:
    data = start + rest
    assert sniff(data) in ("photo", "video", "")
    assert is_animated(data) in (True, False)
    assert is_heif(data) in (True, False)


def test_what_cannot_be_opened_has_no_head(tmp_path: Path) -> None:
    assert head_of(str(tmp_path)) == head_of(str(tmp_path / "nowhere")) == head_of("a\0b") == b""
    assert file_kind(tmp_path / "nowhere") == ""
