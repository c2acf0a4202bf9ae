"""ImageFiles: image files that behave like an array of images and are decoded on access."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import ExifTags, ImageOps, UnidentifiedImageError
from PIL import Image as Pillow

from facemood.errors import DatasetError, did_you_mean
from facemood.imaging import from_pillow
from facemood.text import joined

Found = TypeVar("Found")

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm"}
"""File name extensions of images."""

MODES = {"grey": "L", "bgr": "RGB"}
"""Pillow's mode for each colour of images."""

MEMORY = 1 << 30
"""Bytes of pixels from which `load` leaves them in their files."""

BLOCK = 64
"""Images that `on_all_cores` keeps in memory at once."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageFiles:
    """Image files, all resized to one size, that are indexed like an array of images.

    An integer decodes one image. A slice, an array of rows or an (N,) mask returns the `ImageFiles` of those rows, and
    ``np.asarray`` decodes all images. EXIF orientation is applied. Shrinking averages areas; enlarging is bicubic.

    Attributes:
        paths: The N files.
        size: Side in pixels to which each image is resized.
        colour: ``"grey"`` or ``"bgr"``.
        boxes: (N, 4) int64 crop of each image, x1 y1 x2 y2 in pixels of the upright image; None for whole images.

    Example:
        >>> files = ImageFiles((Path("a.png"), Path("b.png"), Path("c.png")), size=48, colour="bgr")
        >>> files.shape, len(files[1:])
        ((3, 48, 48, 3), 2)
    """

    paths: tuple[Path, ...]
    size: int
    colour: str = "grey"
    boxes: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.colour not in MODES:
            raise DatasetError(
                f"unknown colour {self.colour!r}; expected {joined(tuple(MODES), last='or')}."
                f"{did_you_mean(self.colour, MODES)}"
            )
        if self.size < 1:
            raise DatasetError(f"size must be at least 1 pixel, but is {self.size}")
        if self.boxes is not None and self.boxes.shape != (len(self), 4):
            raise DatasetError(f"boxes must be ({len(self)}, 4), one for each file, but are {self.boxes.shape}")

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, size, size), or (N, size, size, 3) in colour."""
        whole = (len(self), self.size, self.size)
        return whole if self.colour == "grey" else (*whole, 3)

    @property
    def ndim(self) -> int:
        """Number of dimensions, the length of `shape`."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Always uint8."""
        return np.dtype(np.uint8)

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        return (self[row] for row in range(len(self)))

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> NDArray[np.uint8]: ...
    @overload
    def __getitem__(
        self, index: slice | Sequence[int] | NDArray[np.integer[Any]] | NDArray[np.bool_]
    ) -> ImageFiles: ...
    def __getitem__(self, index: Any) -> NDArray[np.uint8] | ImageFiles:
        if not isinstance(index, int | np.integer):
            return self._select(index)
        found = _attempt(_decode, self, int(index))
        if isinstance(found, str):
            raise DatasetError(f"{self.paths[index]}: {found}; replace the file, or remove it from the dataset")
        return found

    def _select(self, index: Any) -> ImageFiles:
        """Return the files of some rows."""
        rows = np.arange(len(self))[index]
        if rows.ndim != 1:
            raise IndexError(
                f"images in files can only be indexed by rows, but got {index!r}; decode them first with np.asarray"
            )
        boxes = None if self.boxes is None else self.boxes[rows]
        return ImageFiles(tuple(self.paths[row] for row in rows.tolist()), self.size, self.colour, boxes)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[np.uint8]:
        if copy is False:
            raise ValueError("the pixels are in files, so an array of them is a copy; leave out copy=False")
        pixels = np.empty(self.shape, np.uint8)
        for row in range(len(self)):
            pixels[row] = self[row]
        return pixels if dtype is None else pixels.astype(dtype)


Images: TypeAlias = NDArray[np.uint8] | ImageFiles
"""(N, h, w) uint8 grey or (N, h, w, 3) uint8 BGR, in memory or in files."""


def load(files: ImageFiles) -> tuple[Images, dict[int, str]]:
    """Decode all files if that takes less than `MEMORY` bytes; otherwise leave the pixels in their files.

    Such files are opened and checked, but not decoded: a truncated JPEG is detected when it is read.

    Returns:
        The images of the readable files, in their order, and the reason for each unreadable row.
    """
    if math.prod(files.shape) < MEMORY:
        return _load_pixels(files)
    checked = on_all_cores(partial(_attempt, _check, files), len(files))
    unreadable = {row: reason for row, reason in enumerate(checked) if reason is not None}
    kept = np.ones(len(files), bool)
    kept[list(unreadable)] = False
    return files[kept], unreadable


def _load_pixels(files: ImageFiles) -> tuple[NDArray[np.uint8], dict[int, str]]:
    """Decode all files into one array, without gaps for unreadable files."""
    pixels = np.empty(files.shape, np.uint8)
    unreadable: dict[int, str] = {}
    for row, found in enumerate(on_all_cores(partial(_attempt, _decode, files), len(files))):
        if isinstance(found, str):
            unreadable[row] = found
        else:
            pixels[row - len(unreadable)] = found
    return pixels[: len(files) - len(unreadable)], unreadable


def image_files(folder: Path) -> list[Path]:
    """Return the image files in a folder, sorted, without hidden ones."""
    return [file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES and not is_hidden(file)]


def is_hidden(path: Path) -> bool:
    """Return whether a file or folder is hidden, such as ``.DS_Store`` and ``._1.jpg``."""
    return path.name.startswith(".")


def on_all_cores(function: Callable[[int], Found], count: int) -> Iterator[Found]:
    """Call a function with 0..count-1 in threads (decoders release the GIL); the results are in order."""
    with ThreadPoolExecutor() as pool:
        for start in range(0, count, BLOCK):
            yield from pool.map(function, range(start, min(start + BLOCK, count)))


def _attempt(work: Callable[[ImageFiles, int], Found], files: ImageFiles, row: int) -> Found | str:
    """Return the result of the work, or in words why the file cannot be read."""
    if not -len(files) <= row < len(files):
        raise IndexError(f"row {row} is out of range: there are {len(files)} image files")
    try:
        return work(files, row)
    except FileNotFoundError:
        return "there is no such file"
    except UnidentifiedImageError:
        return "it is not an image"
    except DatasetError as error:
        return str(error)
    except Exception as error:  # each of Pillow's decoders has its own errors for damaged data
        return f"it cannot be read as an image ({error})"


def _decode(files: ImageFiles, row: int) -> NDArray[np.uint8]:
    """Decode one image: (size, size) or (size, size, 3) uint8."""
    with Pillow.open(files.paths[row]) as image:
        upright = _eight_bits(ImageOps.exif_transpose(image)).convert(MODES[files.colour])
    box = _box(files, row, upright.size)
    shrinks = min(box[2] - box[0], box[3] - box[1]) >= files.size
    resampling = Pillow.Resampling.BOX if shrinks else Pillow.Resampling.BICUBIC
    pixels = np.asarray(upright.resize((files.size, files.size), resampling, box=box))
    return (pixels if files.colour == "grey" else pixels[:, :, ::-1]).copy()  # Pillow's array is read-only


def _check(files: ImageFiles, row: int) -> None:
    """Open one file, verify it without decoding, and compare its size with the box."""
    with Pillow.open(files.paths[row]) as image:
        image.verify()
    if files.boxes is not None:
        with Pillow.open(files.paths[row]) as image:  # again: a verified file cannot be used
            rotated = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
            _box(files, row, image.size[::-1] if rotated else image.size)


def _eight_bits(image: Pillow.Image) -> Pillow.Image:
    """Convert 16-bit and float pixels to 8 bits, and transparency to white, as for all images that facemood reads."""
    plain = image.mode in ("L", "RGB") and not image.has_transparency_data
    return image if plain else Pillow.fromarray(from_pillow(image)[:, :, ::-1])


def _box(files: ImageFiles, row: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the crop of an image of (width, height): the part of the box that is inside, or the whole image."""
    width, height = size
    if files.boxes is None:
        return 0, 0, width, height
    left, top, right, bottom = files.boxes[row].tolist()
    inside = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        raise DatasetError(
            f"the box {left},{top},{right},{bottom} has no area inside of the image of {width}x{height} pixels"
        )
    return inside
