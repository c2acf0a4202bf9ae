"""Load an image of any format, colour mode, bit depth, orientation and size as (H, W, 3) uint8 BGR."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import itertools
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from facemood.errors import ImageError, MissingExtraError, SourceError, require
from facemood.imaging import ORIENTATION, from_pillow, to_eight_bits, upright
from facemood.schema import Image
from facemood.sources.boundary import short_name
from facemood.sources.float_tiff import decode_float_tiff
from facemood.sources.kinds import HEAD, is_heif, sniff

logger: logging.Logger = logging.getLogger("facemood")

MAX_PIXELS = 50_000_000
"""Most pixels of a loaded image. Larger images are downsampled while they are decoded, to bound the memory."""

HUGE_REDUCTION = 8
"""Downsampling factor for images that Pillow refuses as decompression bombs (over 178 million pixels)."""

MAX_BYTES = 2**30
"""Largest file of a photo, in bytes; a larger one is refused before it is held in memory."""

REDUCED_PAGE = 1
"""Bit of a TIFF page's kind that says that it is a smaller copy of another page."""

PAGE_KIND = 254
"""TIFF tag with the kind of a page (NewSubfileType)."""

TIFF = (b"II*\0", b"MM\0*")
"""First bytes of a TIFF."""

JPEG = b"\xff\xd8"
"""First bytes of a JPEG."""

MAX_PROGRESSIVE = 120_000_000
"""Pixels of the largest progressive JPEG: its decoder takes up to 6 bytes for each, at any reduction."""

MAX_PNG = 250_000_000
"""Pixels of the largest PNG: OpenCV takes 3 bytes for each, at any reduction."""

HEIF_PACKAGES = ("pillow_heif", "pi_heif")
"""What reads HEIC and HEIF: the package of the extra, and its smaller sister that decodes only."""

HALF = 128
"""Where 8-bit values, the upper half of 16-bit ones, all lie below it, the image may have fewer than 16 bits."""


def load_image(file: str | Path | bytes, *, name: str = "image") -> Image:
    """Decode an image file; of several pages or frames the first.

    The EXIF orientation is applied, transparent pixels are blended with white, and 16-bit and float images are
    converted to 8 bits (`pixel_values`). An image of more than `MAX_PIXELS` is downsampled by an integer factor, and a
    warning says so.

    Args:
        file: A path, or the file's bytes.
        name: Name in messages, for bytes.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageError: The file is empty, truncated, too large, or not an image.
        SourceError: The file does not exist or cannot be read.
    """
    return next(load_pages(file, name=name))


def load_pages(file: str | Path | bytes, *, name: str = "image") -> Iterator[Image]:
    """Yield the pages of a TIFF one by one, and of any other image file the one image, as `load_image` decodes it.

    Pages that are smaller copies of others are left out.

    Args:
        file: A path, or the file's bytes.
        name: Name in messages, for bytes.

    Raises:
        ImageError: A page is damaged, or the file is none that is read.
    """
    if isinstance(file, str | Path):
        name = str(file)
        data = _read_bytes(Path(file), name)
    else:
        data = file
    if not data:
        raise ImageError(f"{short_name(name)}: the file is empty; expected an image")
    register_heif(data, name)
    yield _load(data, short_name(name), lambda: _decode_first(data, short_name(name)))
    for page, picture in pages_after_first(data, name) if data.startswith(TIFF) else ():
        told = f"{short_name(name)}, page {page}"
        yield _load(data, told, functools.partial(_decode, picture, data, told))


def pages_after_first(data: bytes, name: str) -> Iterator[tuple[int, Pillow.Image]]:
    """Yield the number and the image of each page after the first one of a TIFF; the next page takes its place.

    Smaller copies of other pages are left out.

    Raises:
        ImageError: The next page cannot be found.
    """
    try:
        with _quiet():
            picture = Pillow.open(io.BytesIO(data))
    except UnidentifiedImageError:  # `decode_float_tiff` reads its first page
        return
    with picture:
        for page in itertools.count(1):
            try:
                with _quiet():
                    picture.seek(page)
            except EOFError:
                return
            except Exception as error:  # whatever Pillow stumbles over
                raise ImageError(f"{short_name(name)}, page {page}: it is damaged or cut short ({error})") from error
            if not getattr(picture, "tag_v2", {}).get(PAGE_KIND, 0) & REDUCED_PAGE:
                yield page, picture


def register_heif(data: bytes, name: str) -> None:
    """Teach Pillow to read HEIC and HEIF, where a file is one.

    Raises:
        ImageError: The package that reads them is not installed.
    """
    if not is_heif(data[:HEAD]):
        return
    for module in HEIF_PACKAGES:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(module).register_heif_opener()
            return
    try:
        require(HEIF_PACKAGES[0], extra="heic")
    except MissingExtraError as error:
        raise ImageError(f"{short_name(name)}: this is a HEIC image; {error}") from None


def _load(data: bytes, name: str, decode: Callable[[], Image]) -> Image:
    """Decode an image, or say what is wrong with it."""
    try:
        with _quiet():
            return decode()
    except UnidentifiedImageError:
        if data.startswith(TIFF):
            return decode_float_tiff(data, name=name, most=MAX_PIXELS)
        raise ImageError(
            f"{name}: this is not an image ({_describe(data)}); expected JPEG, PNG, WebP, TIFF, BMP or GIF"
        ) from None
    except (Pillow.DecompressionBombError, MemoryError):
        return _decode_huge(data, name)
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise many types of errors for damaged data
        raise ImageError(f"{name}: the image is damaged or cut short ({error}); download it again") from error


def _read_bytes(file: Path, name: str) -> bytes:
    """Read a file.

    Raises:
        SourceError: The file does not exist or cannot be read.
    """
    try:
        with file.open("rb") as opened:
            known = os.fstat(opened.fileno()).st_size or MAX_BYTES  # 0 for a pipe
            data = opened.read(min(known, MAX_BYTES) + 1)  # a buffer of MAX_BYTES would cost a fifth of decoding
        if len(data) > MAX_BYTES:
            raise ImageError(f"{name}: the file has more than {MAX_BYTES:,} bytes; expected a smaller image")
        return data
    except FileNotFoundError:
        raise SourceError(f"{name}: there is no such file") from None
    except OSError as error:
        raise SourceError(f"{name}: cannot be read ({error.strerror})") from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow from warning of large images, which are reduced here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        yield


def _decode_first(data: bytes, name: str) -> Image:
    """Decode the first page."""
    with Pillow.open(io.BytesIO(data)) as picture:
        deep = any(";16" in str(tile) for tile in picture.tile) and picture.mode in ("RGB", "RGBA")
        turn = picture.getexif().get(ORIENTATION, 1)
        small = picture.width * picture.height <= MAX_PIXELS
        image = _decode(picture, data, name)
    return _decode_deep(data, name, turn, image) if deep and small and image.max() < HALF else image


def _decode(picture: Pillow.Image, data: bytes, name: str) -> Image:
    """Decode a page that is open; one that is too large is reduced, a JPEG while it is decoded."""
    width, height = picture.size
    if width * height > MAX_PROGRESSIVE and _is_progressive(data):
        raise _too_large(name)
    factor = 1
    while width * height > MAX_PIXELS * factor * factor:
        factor += 1
    if factor == 1:
        return from_pillow(picture, name=name)
    if picture.format == "JPEG":  # its decoder leaves out what is not needed
        picture.thumbnail((max(1, width // factor), max(1, height // factor)), Pillow.Resampling.BOX, 1.0)
        image = from_pillow(picture, name=name)
    else:
        image = from_pillow(picture, factor=factor, name=name)
    _warn_of_reduction(name, (width, height), image)
    return image


def _decode_deep(data: bytes, name: str, turn: int, known: Image) -> Image:
    """Decode colours of 16 bits, of which Pillow takes the upper 8 alone: they are all that 12-bit values lack.

    Args:
        data: The file.
        name: What messages call it.
        turn: Its EXIF orientation.
        known: What Pillow gives, for a file that OpenCV does not decode.
    """
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return known
    if values is None or values.dtype != np.uint16 or values.ndim != 3:
        return known
    return upright(to_eight_bits(values[:, :, :3], name=name), turn)


def _decode_huge(data: bytes, name: str) -> Image:
    """Decode with OpenCV at an eighth of the size: a JPEG, of which it holds no more, or a PNG that it holds whole."""
    if not (0 < _png_pixels(data) <= MAX_PNG or (data.startswith(JPEG) and not _is_progressive(data))):
        raise _too_large(name)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_8)
    except cv2.error:
        image = None
    if image is None:
        raise _too_large(name)
    reduced = np.asarray(image, np.uint8)
    _warn_of_reduction(name, (reduced.shape[1] * HUGE_REDUCTION, reduced.shape[0] * HUGE_REDUCTION), reduced)
    return reduced


def _too_large(name: str) -> ImageError:
    """Return the error for an image that would take more memory than any photo."""
    return ImageError(
        f"{name}: the image is too large; expected at most 178 million pixels, "
        f"{MAX_PNG // 1_000_000} million in a PNG, {MAX_PROGRESSIVE // 1_000_000} million in a progressive JPEG, "
        "1,073 million in another JPEG; downsample it first"
    )


def _png_pixels(data: bytes) -> int:
    """Return how many pixels a PNG says that it has; 0 for any other file."""
    if not data.startswith(b"\x89PNG"):
        return 0
    return int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big")


def _is_progressive(data: bytes) -> bool:
    """Tell whether a JPEG is progressive: its decoder holds the whole of it, however small it is made."""
    place = 2
    while data.startswith(JPEG) and place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return marker in (0xC2, 0xC6, 0xCA, 0xCE)
        place += 1 if marker == 0xFF else 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return False


def _warn_of_reduction(name: str, before: tuple[int, int], image: Image) -> None:
    """Log a warning that boxes will be in pixels of a smaller image."""
    logger.warning(
        "%s: of %d x %d pixels was reduced to %d x %d to save memory; boxes are in pixels of the reduced image",
        name, *before, image.shape[1], image.shape[0],
    )  # fmt: skip


def _describe(data: bytes) -> str:
    """Return what a file that is not an image looks like."""
    if sniff(data[:HEAD]) == "video":
        return "it looks like a video, which is read from a file with its name"
    try:
        data[:512].decode("utf-8")
    except UnicodeDecodeError:
        return "its format is unknown"
    return "it looks like text"
