"""Photos for measurements, made from the two examples; they are the same in every run."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "photos"
EXAMPLES = ("astronaut.png", "grace_hopper.jpg")
"""Listed by name, so figures stay comparable when examples are added. Each shows one face."""

SIZE = (640, 480)
FOLDER_SIZES = (SIZE, (480, 640), (512, 512), (800, 600), (360, 480))
"""The sizes of a folder's photos in turn. Any folder of five or more has them all, so that peaks can be compared."""


def load_examples() -> list[Image]:
    """Return the example photos as they are, (H, W, 3) uint8 BGR each."""
    return [_load(FOLDER / name) for name in EXAMPLES]


def fill(image: Image, size: tuple[int, int]) -> Image:
    """Scale an image to cover a size, and crop it at the bottom and equally at both sides.

    Args:
        image: (H, W, 3) uint8 BGR. Heads are near its top, which is kept.
        size: Width and height of the answer.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    width, height = size
    scale = max(width / image.shape[1], height / image.shape[0])
    cover = max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale))
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left = (cover[0] - width) // 2
    return np.ascontiguousarray(_uint8(cv2.resize(image, cover, interpolation=smooth))[:height, left:][:, :width])


def load_photos() -> list[Image]:
    """Return the example photos at 640x480, (480, 640, 3) uint8 BGR each."""
    return [fill(image, SIZE) for image in load_examples()]


def write_photos(folder: Path) -> list[Path]:
    """Write the 640x480 photos as PNG, so that every tool gets the same pixels."""
    return [_write(folder / f"{number}.png", photo) for number, photo in enumerate(load_photos())]


def write_folder(folder: Path, count: int) -> None:
    """Fill a folder with varied JPEG photos: either example, sizes in turn, mirrored or not, lighter or darker."""
    examples = load_examples()
    folder.mkdir(parents=True)
    for number in range(count):
        photo = fill(examples[number % len(examples)], FOLDER_SIZES[number % len(FOLDER_SIZES)])
        turned = photo[:, ::-1] if number % 3 == 0 else photo
        _write(folder / f"{number:05d}.jpg", _uint8(cv2.convertScaleAbs(turned, alpha=0.8 + 0.04 * (number % 11))))


def _load(file: Path) -> Image:
    """Read one example."""
    image = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"{file}: there is no such file; run this from a checkout of the repository")
    return _uint8(image)


def _write(file: Path, image: Image) -> Path:
    """Write one photo."""
    if not cv2.imwrite(str(file), image):
        raise OSError(f"{file}: OpenCV could not write it")
    return file


def _uint8(image: object) -> Image:
    """Convert an OpenCV image to the type uint8, which OpenCV.s own type hints leave open."""
    return np.asarray(image, np.uint8)
