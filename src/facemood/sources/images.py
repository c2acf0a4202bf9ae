"""Load an image of any format, colour mode, bit depth, orientation and size as (H, W, 3) uint8 BGR."""

from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from facemood.errors import ImageError, SourceError
from facemood.schema import Image

logger: logging.Logger = logging.getLogger("facemood")

MAX_PIXELS = 50_000_000
"""Most pixels of a loaded image. Larger images are downsampled while they are decoded, to bound the memory."""

HUGE_REDUCTION = 8
"""Downsampling factor for images that Pillow refuses as decompression bombs (over 179 million pixels)."""


def load_image(file: str | Path | bytes, *, name: str = "image") -> Image:
    """Decode an image file.

    The EXIF orientation is applied, transparent pixels are blended with white, and 16-bit and float images are
    converted to 8 bits. An image of more than `MAX_PIXELS` is downsampled by an integer factor, and a warning says so.

    Args:
        file: A path, or the file's bytes.
        name: Name in messages, for bytes.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageError: The file is empty, truncated, or not an image.
        SourceError: The file does not exist or cannot be read.
    """
    if isinstance(file, str | Path):
        name = str(file)
        data = _read_bytes(Path(file), name)
    else:
        data = file
    if not data:
        raise ImageError(f"{name}: the file is empty; expected an image")
    try:
        return _decode(data, name)
    except UnidentifiedImageError:
        raise ImageError(
            f"{name}: this is not an image ({_describe(data)}); expected JPEG, PNG, WebP, TIFF, BMP or GIF"
        ) from None
    except (Pillow.DecompressionBombError, MemoryError):
        return _decode_huge(data, name)
    except Exception as error:  # Pillow's decoders raise many types of errors for damaged data
        raise ImageError(f"{name}: the image is damaged or cut short ({error}); download it again") from error


def from_array(array: NDArray[np.generic], *, name: str = "array") -> Image:
    """Return an array as an image, after a check: (H, W, 3) BGR or (H, W) grey, uint8.

    Raises:
        ImageError: The array has another shape or type, or is empty.
    """
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        raise ImageError(
            f"{name}: expected (H, W, 3) uint8 BGR or (H, W) uint8 grey, but got {array.shape} {array.dtype}; "
            "for values 0..1 use (image * 255).astype('uint8')"
        )
    if not array.size:
        raise ImageError(f"{name}: the array is empty, {array.shape}")
    colour = np.repeat(array[:, :, None], 3, axis=2) if array.ndim == 2 else array
    return np.ascontiguousarray(colour, dtype=np.uint8)


def from_pillow(image: Pillow.Image) -> Image:
    """Convert a Pillow image of any mode, as `load_image` does for files."""
    upright = ImageOps.exif_transpose(image)
    return np.ascontiguousarray(np.asarray(_to_rgb(upright))[:, :, ::-1])


def _read_bytes(file: Path, name: str) -> bytes:
    """Read a file.

    Raises:
        SourceError: The file does not exist or cannot be read.
    """
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{name}: there is no such file") from None
    except OSError as error:
        raise SourceError(f"{name}: cannot be read ({error.strerror})") from None


def _decode(data: bytes, name: str) -> Image:
    """Decode with Pillow. A JPEG that is too large is decoded at a fraction of its size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        with Pillow.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            factor = 1
            while width * height > MAX_PIXELS * factor * factor:
                factor += 1
            if factor > 1:
                opened.thumbnail((width // factor, height // factor), Pillow.Resampling.BOX)
            image = from_pillow(opened)
    if factor > 1:
        _warn_of_reduction(name, (width, height), image)
    return image


def _decode_huge(data: bytes, name: str) -> Image:
    """Decode with OpenCV at an eighth of the size. OpenCV's limit is 2^30 pixels."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_8)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(f"{name}: the image is too large; expected at most 2^30 pixels, downsample it first")
    reduced = np.asarray(image, np.uint8)
    _warn_of_reduction(name, (reduced.shape[1] * HUGE_REDUCTION, reduced.shape[0] * HUGE_REDUCTION), reduced)
    return reduced


def _warn_of_reduction(name: str, before: tuple[int, int], image: Image) -> None:
    """Log a warning that boxes will be in pixels of a smaller image."""
    logger.warning(
        "%s: of %d x %d pixels was reduced to %d x %d to save memory; boxes are in pixels of the reduced image",
        name, *before, image.shape[1], image.shape[0],
    )  # fmt: skip


def _to_rgb(image: Pillow.Image) -> Pillow.Image:
    """Convert an image of any mode to 8-bit RGB."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return Pillow.fromarray(_to_eight_bits(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        background = Pillow.new("RGBA", layered.size, "white")
        return Pillow.alpha_composite(background, layered).convert("RGB")
    return image.convert("RGB")


def _to_eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale 16-bit and float pixels to 0..255: from 0..65535, 0..1 or 0..255, or from the largest value beyond."""
    pixels = np.nan_to_num(values.astype(np.float64)).clip(0)
    top = float(pixels.max())
    if np.issubdtype(values.dtype, np.floating):
        limit = 1.0 if top <= 1 else max(255.0, top)
    else:
        limit = 65535.0 if top <= 65535 else top
    return np.rint(pixels / limit * 255).astype(np.uint8)


def _describe(data: bytes) -> str:
    """Return what a file that is not an image looks like."""
    try:
        data[:512].decode("utf-8")
    except UnicodeDecodeError:
        return "its format is unknown"
    return "it looks like text"
