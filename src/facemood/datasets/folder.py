"""Folder-per-class trees: ``ROOT/<class>/*.png``, or with splits ``ROOT/<split>/<class>/*.png``."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from facemood.datasets.dataset import ExpressionDataset
from facemood.errors import DatasetError
from facemood.labels import canonical, ordered

logger = logging.getLogger("facemood")

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm"}
ONE_SPLIT = "all"
"""The split's name where a tree has none."""


def read_folder(root: Path, *, size: int = 48) -> ExpressionDataset:
    """Read a tree of face crops. Class folders may use any words; known synonyms become our labels.

    Args:
        root: The tree's top.
        size: Side in pixels to which each crop is brought, in grey.

    Returns:
        Images in the order of their paths. Files that cannot be read are logged and left out.

    Raises:
        DatasetError: There is no image, or a class folder is empty.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: expected a folder with one folder for each class, but it is not a folder")
    files = [(split, word, file) for split, word, file in _walk(root)]
    if not files:
        raise DatasetError(
            f"{root}: found no images; expected {root.name}/<class>/*.png or {root.name}/<split>/<class>/*.png"
        )
    read = [(split, word, _read_crop(file, size)) for split, word, file in files]
    kept = [(split, word, crop) for split, word, crop in read if crop is not None]
    if not kept:
        raise DatasetError(f"{root}: none of the {len(files)} image files can be read")
    classes = ordered({word for _, word, _ in kept})
    return ExpressionDataset(
        name=root.name,
        images=np.stack([crop for _, _, crop in kept]),
        labels=np.array([classes.index(word) for _, word, _ in kept], np.int64),
        classes=classes,
        usage=np.array([split for split, _, _ in kept]),
    )


def _walk(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield (split, label word, file), sorted."""
    folders = [path for path in sorted(root.iterdir()) if path.is_dir()]
    for folder in folders:
        inner = [path for path in sorted(folder.iterdir()) if path.is_dir()]
        classes = [(folder.name, path) for path in inner] or [(ONE_SPLIT, folder)]
        for split, class_folder in classes:
            files = [file for file in sorted(class_folder.iterdir()) if file.suffix.lower() in SUFFIXES]
            if not files:
                raise DatasetError(f"{class_folder}: the class folder holds no image; remove it or fill it")
            for file in files:
                yield split, canonical(class_folder.name), file


def _read_crop(file: Path, size: int) -> NDArray[np.uint8] | None:
    """Decode one crop to (size, size) uint8 grey, or log why not."""
    try:
        with Image.open(file) as picture:
            grey = ImageOps.exif_transpose(picture).convert("L")
            return np.asarray(
                grey.resize((size, size), Image.Resampling.BOX if grey.width > size else Image.Resampling.BICUBIC)
            )
    except (OSError, ValueError) as error:
        logger.warning("%s: left out, it cannot be read as an image (%s)", file, error)
        return None
