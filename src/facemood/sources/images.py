"""Read one image, whatever it is, as (H, W, 3) uint8 BGR: any format, colour mode, bit depth, orientation and size."""

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
"""Larger images are reduced while they are read, so that memory stays bounded."""

HUGE_REDUCTION = 8
"""By how much images are reduced that Pillow holds for decompression bombs (over 179 million pixels)."""


def load_image(file: str | Path | bytes, *, name: str = "image") -> Image:
    """Decode an image file.

    The EXIF orientation is applied, transparency is laid on white, 16-bit and float images are brought to 8 bits.
    An image of more than `MAX_PIXELS` is reduced by a whole factor, and a warning says so.

    Args:
        file: A path, or the file's bytes.
        name: What messages call it, for bytes.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        ImageError: It is empty, truncated, or no image.
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
    except Exception as error:  # each of Pillow's decoders has errors of its own for damaged data
        raise ImageError(f"{name}: the image is damaged or cut short ({error}); fetch it again") from error


def from_array(array: NDArray[np.generic], *, name: str = "array") -> Image:
    """Check an image that is an array: (H, W, 3) BGR or (H, W) grey, uint8.

    Raises:
        ImageError: Another shape or type.
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


def from_pillow(picture: Pillow.Image) -> Image:
    """Convert a Pillow image of any mode, as `load_image` does with files."""
    upright = ImageOps.exif_transpose(picture)
    return np.ascontiguousarray(np.asarray(_to_rgb(upright))[:, :, ::-1])


def _read_bytes(file: Path, name: str) -> bytes:
    """Read a file, or say why it cannot be read."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{name}: there is no such file") from None
    except OSError as error:
        raise SourceError(f"{name}: cannot be read ({error.strerror})") from None


def _decode(data: bytes, name: str) -> Image:
    """Decode with Pillow; a JPEG that is too large is decoded at a fraction of its size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
        with Pillow.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            factor = 1
            while width * height > MAX_PIXELS * factor * factor:
                factor += 1
            if factor > 1:
                picture.thumbnail((width // factor, height // factor), Pillow.Resampling.BOX)
            image = from_pillow(picture)
    if factor > 1:
        _say_reduced(name, (width, height), image)
    return image


def _decode_huge(data: bytes, name: str) -> Image:
    """Decode with OpenCV at an eighth of the size (it stops at 2^30 pixels)."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_8)
    except cv2.error:
        image = None
    if image is None:
        raise ImageError(f"{name}: the image is too large to be read; expected at most 2^30 pixels, reduce it first")
    reduced = np.asarray(image, np.uint8)
    _say_reduced(name, (reduced.shape[1] * HUGE_REDUCTION, reduced.shape[0] * HUGE_REDUCTION), reduced)
    return reduced


def _say_reduced(name: str, before: tuple[int, int], image: Image) -> None:
    """Warn that boxes will be in pixels of a smaller image."""
    logger.warning(
        "%s: of %d x %d pixels was reduced to %d x %d to save memory; boxes are in pixels of the reduced image",
        name, *before, image.shape[1], image.shape[0],
    )  # fmt: skip


def _to_rgb(picture: Pillow.Image) -> Pillow.Image:
    """Bring any mode to 8-bit RGB."""
    if picture.mode == "RGB":
        return picture
    if picture.mode.startswith(("I", "F")):
        return Pillow.fromarray(_to_eight_bits(np.asarray(picture))).convert("RGB")
    if picture.has_transparency_data:
        layered = picture.convert("RGBA")
        ground = Pillow.new("RGBA", layered.size, "white")
        return Pillow.alpha_composite(ground, layered).convert("RGB")
    return picture.convert("RGB")


def _to_eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Scale 16-bit and float pixels to 0..255: by 257 or 255 where the range tells, else by the largest value."""
    pixels = np.nan_to_num(values.astype(np.float64)).clip(0)
    top = float(pixels.max())
    if np.issubdtype(values.dtype, np.floating):
        limit = 1.0 if top <= 1 else max(255.0, top)
    else:
        limit = 65535.0 if top <= 65535 else top
    return np.rint(pixels / limit * 255).astype(np.uint8)


def _describe(data: bytes) -> str:
    """Say in a word what a file that is no image looks like."""
    try:
        data[:512].decode("utf-8")
    except UnicodeDecodeError:
        return "its format is unknown"
    return "it looks like text"
