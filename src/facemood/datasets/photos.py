"""Read folder-per-class trees of photos: the largest face of each is detected and cropped for the default model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.folder import check_classes, walk
from facemood.datasets.gather import Entry, assemble
from facemood.datasets.lazy_images import on_all_cores
from facemood.errors import DatasetError, FacemoodError
from facemood.models import DEFAULT_MODEL, ModelSession, find_model
from facemood.schema import Image
from facemood.sources import read_frame
from facemood.stages.align import cut_faces, squares_of
from facemood.stages.detect import DetectOptions, FinderDetector


def read_photos(root: Path, *, size: int = 48, colour: str = "grey") -> ExpressionDataset:
    """Read a tree of photos of faces: ``ROOT/<class>/*.jpg`` or ``ROOT/<split>/<class>/*.jpg``.

    Args:
        root: The top of the tree.
        size: Side in pixels to which each face is resized.
        colour: ``"grey"`` or ``"bgr"``.

    Returns:
        The faces in the order of their paths. Unreadable photos and photos without a face are logged, left out and
        listed in `unreadable`.

    Raises:
        DatasetError: As for `read_folder`, or no face is found in any photo.
    """
    entries = walk(root)
    found = list(on_all_cores(_cutter(entries), len(entries)))
    failed = {row: item for row, item in enumerate(found) if isinstance(item, str)}
    crops = [_resize(crop, size, colour) for crop in found if not isinstance(crop, str)]
    if not crops:
        raise DatasetError(f"{root}: no face is found in any of the {len(entries)} photos; are there faces in them?")
    check_classes(root, [entry.word for row, entry in enumerate(entries) if row not in failed])
    return assemble(root, entries, np.stack(crops), failed, name=root.absolute().name)


def _cutter(entries: Sequence[Entry]) -> Callable[[int], Image | str]:
    """Return a function that crops the face of the photo at a row, or says in words why it cannot."""
    detector = FinderDetector(DetectOptions(), threads=1)
    framing = ModelSession(find_model(DEFAULT_MODEL), device="cpu").card.framing

    def cut(row: int) -> Image | str:
        try:
            image = read_frame(entries[row].path).image
        except FacemoodError as error:
            return str(error).removeprefix(f"{entries[row].path}: ")  # the caller names the file
        largest = max(detector(image), key=lambda face: face.area, default=None)
        if largest is None:
            return "no face is found in it"
        return cut_faces(image, squares_of([largest], framing, detector.name))[0]

    return cut


def _resize(crop: Image, size: int, colour: str) -> Image:
    """Convert a face to a size and colour, as inference does."""
    interpolation = cv2.INTER_AREA if len(crop) > size else cv2.INTER_LINEAR
    resized = cv2.resize(crop, (size, size), interpolation=interpolation)
    return np.asarray(resized if colour == "bgr" else cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY), np.uint8)
