"""Tell photos, animations and videos apart: by the ending of their names, or by their first bytes."""

from __future__ import annotations

import functools
import importlib.util
import io
import os
import warnings
from pathlib import Path

from PIL import Image as Pillow

SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".png", ".apng", ".webp", ".bmp", ".dib", ".tif",
    ".tiff", ".gif", ".pgm", ".ppm", ".pbm", ".pnm", ".avif", ".avifs", ".jp2", ".j2k", ".jpx",
}  # fmt: skip
"""Endings of photos that a folder or pattern gives; a file that is named itself may have any."""

HEIF_SUFFIXES = {".heic", ".heif", ".hif"}
"""Endings of photos that the extra ``heic`` reads."""

VIDEO_SUFFIXES = {
    ".mp4", ".mov", ".qt", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".mpv", ".m2v", ".wmv", ".asf", ".flv",
    ".f4v", ".3gp", ".3g2", ".ogv", ".ts", ".mts", ".m2t", ".m2ts", ".vob", ".mxf", ".y4m", ".h264", ".h265", ".hevc",
    ".mjpeg", ".mjpg",
}  # fmt: skip
"""Endings of videos."""

ANIMATED_SUFFIXES = {".gif", ".webp", ".png", ".apng", ".avif", ".avifs"}
"""Endings of photos that may be short videos."""

ANIMATED = {"GIF", "WEBP", "PNG", "AVIF"}
"""Pillow's formats whose frames follow each other in time; the pages of a TIFF do not."""

HEAD = 4096
"""Bytes that are looked at to tell what a file is."""

HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
"""What HEIC and HEIF files say of themselves, at byte 8."""

AVIF_BRANDS = {b"avif", b"avis"}
"""What AVIF files say of themselves, at byte 8."""

PHOTO_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP")
"""First bytes of photos."""

VIDEO_STARTS = (
    b"\x1aE\xdf\xa3", b"FLV\x01", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"0&\xb2u\x8ef", b"YUV4MPEG2", b"DKIF",
    b"\x06\x0e+4", b"\0\0\0\x01\x67", b"\0\0\x01\x67", b"\0\0\0\x01\x40", b"\0\0\x01\x40",
)  # fmt: skip
"""First bytes of videos: Matroska, Flash, MPEG, ASF, YUV4MPEG, IVF, MXF, and bare H.264 and H.265."""

ATOMS = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}
"""What MP4 and QuickTime files have at byte 4."""

FLAGS = 20
"""Where a WebP says what is in it."""

MOVING = 2
"""Bit of these flags that says that frames follow each other."""

SYNC = 0x47
"""The byte with which each packet of an MPEG transport stream begins."""

PACKETS = ((0, 188), (4, 192))
"""Where the first packet of a transport stream begins, and how far the next one is: .ts, and .m2ts."""


@functools.cache
def heif_is_installed() -> bool:
    """Tell whether a package that reads HEIC is there, without loading it."""
    return any(importlib.util.find_spec(name) for name in ("pillow_heif", "pi_heif"))


def is_heif(head: bytes) -> bool:
    """Tell whether a file is HEIC or HEIF, by its first bytes."""
    known = head[16:64]
    avif = head[8:12] in AVIF_BRANDS or any(brand in known for brand in AVIF_BRANDS)
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS and not avif


def sniff(head: bytes) -> str:
    r"""Tell what a file is by its first bytes: ``"photo"``, ``"video"``, or an empty text.

    Example:
        >>> sniff(b"\xff\xd8\xff\xe0"), sniff(b"\x1aE\xdf\xa3"), sniff(b"dear diary")
        ('photo', 'video', '')
    """
    if head[4:8] == b"ftyp" and (is_heif(head) or head[8:12] in AVIF_BRANDS | HEIF_BRANDS):
        return "photo"
    if head[:4] == b"RIFF":
        return {b"WEBP": "photo", b"AVI ": "video"}.get(head[8:12], "")
    if head.startswith(PHOTO_STARTS) or (head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()):
        return "photo"
    stream = any(head[first : first + 1] == head[first + step : first + step + 1] == bytes([SYNC])
                 for first, step in PACKETS)  # fmt: skip
    return "video" if stream or head.startswith(VIDEO_STARTS) or head[4:8] in ATOMS else ""


def head_of(file: str | bytes) -> bytes:
    """Return the first bytes of a regular file, or of a file's bytes; none where they cannot be read."""
    if isinstance(file, bytes):
        return file[:HEAD]
    try:
        if not Path(file).is_file():  # a pipe would wait for its writer
            return b""
        with open(file, "rb") as opened:
            return opened.read(HEAD)
    except (OSError, ValueError):
        return b""


def file_kind(path: str | Path, *, sniffed: bool = True) -> str:
    """Tell what a file is: ``"photo"``, ``"video"``, or an empty text.

    Args:
        path: Its ending decides.
        sniffed: Whether the first bytes decide where the ending does not.

    Example:
        >>> file_kind("talk.MP4"), file_kind("face.jpg"), file_kind("notes.txt")
        ('video', 'photo', '')
    """
    suffix = suffix_of(path)
    if suffix in VIDEO_SUFFIXES:
        return "video"
    if suffix in SUFFIXES or suffix in HEIF_SUFFIXES:
        return "photo"
    return sniff(head_of(str(path))) if sniffed else ""


def suffix_of(path: str | Path) -> str:
    """Return the ending of a name in lower case, with its dot; empty if there is none.

    Example:
        >>> suffix_of("photos/A.JPG"), suffix_of("photos.old/.jpg"), suffix_of("face.")
        ('.jpg', '', '')
    """
    suffix = os.path.splitext(path)[1].lower()
    return suffix if len(suffix) > 1 else ""


def is_animated(file: str | bytes) -> bool:
    """Tell whether a photo has several frames that follow each other in time: GIF, WebP, PNG or AVIF."""
    if isinstance(file, str) and suffix_of(file) in SUFFIXES - ANIMATED_SUFFIXES:
        return False
    head = head_of(file)
    if head.startswith(b"\x89PNG") and b"IDAT" in head:
        return b"acTL" in head[: head.index(b"IDAT")]
    if head[8:12] == b"WEBP":
        return head[12:16] == b"VP8X" and len(head) > FLAGS and bool(head[FLAGS] & MOVING)
    if not head.startswith((b"GIF8", b"\x89PNG")) and head[8:12] != b"avis":
        return False
    return _has_frames(file)


def _has_frames(file: str | bytes) -> bool:
    """Ask Pillow whether a picture is animated; one that is damaged is not."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(io.BytesIO(file) if isinstance(file, bytes) else file) as picture:
                return picture.format in ANIMATED and bool(getattr(picture, "is_animated", False))
    except Exception:  # each of Pillow's decoders has errors of its own for damaged data
        return False
