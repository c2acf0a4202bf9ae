"""Read folder-per-class trees: ``ROOT/<class>/*.png``, or with splits ``ROOT/<split>/<class>/*.png``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.gather import Entry, gather
from facemood.datasets.lazy_images import image_files, is_hidden
from facemood.errors import DatasetError
from facemood.labels import canonical

ONE_SPLIT = "all"
"""Name of the split of a tree without splits."""

LAYOUT = "expected <class>/*.png or <split>/<class>/*.png below the given folder"
"""The supported layouts in messages."""


def read_folder(root: Path, *, size: int = 48, colour: str = "grey") -> ExpressionDataset:
    """Read a tree of face crops. Class folders may have any names; known synonyms become facemood's labels.

    Hidden files and folders, whose names begin with a dot, are skipped.

    Args:
        root: The top of the tree.
        size: Side in pixels to which each crop is resized.
        colour: ``"grey"`` or ``"bgr"``.

    Returns:
        Images in the order of their paths. Files that cannot be read are logged, left out and listed in `unreadable`.

    Raises:
        DatasetError: There are no class folders, one is empty, there is only one class, a class has only one image,
            or no image can be read.
    """
    entries = walk(root)
    dataset = gather(root, entries, name=root.absolute().name, size=size, colour=colour)
    if dataset.unreadable:
        check_classes(root, [dataset.classes[label] for label in dataset.labels])
    return dataset


def walk(root: Path) -> list[Entry]:
    """Return the files of a tree, sorted.

    Raises:
        DatasetError: It is not such a tree, a class folder is empty, or there are too few classes or images.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: expected a folder with one folder for each class, but it is not a folder")
    entries = list(_files_of(root))
    check_classes(root, [entry.word for entry in entries])
    return entries


def _files_of(root: Path) -> Iterator[Entry]:
    """Yield the files of a tree, sorted."""
    folders = _folders_in(root)
    if not folders:
        loose = len(image_files(root))
        advice = f"; sort the {loose} images in it into one folder for each class" if loose else ""
        raise DatasetError(f"{root}: found no class folders; {LAYOUT}{advice}")
    for folder in folders:
        for split, class_folder in _classes_in(folder):
            for file in _images_of(class_folder):
                yield Entry(file, canonical(class_folder.name), split)


def _classes_in(folder: Path) -> list[tuple[str, Path]]:
    """Return (split, class folder) for each class of a split, or for a folder that is itself a class."""
    inner = _folders_in(folder)
    if inner and image_files(folder):
        raise DatasetError(
            f"{folder}: has images and the folder {inner[0].name!r}, so it is neither a class nor a split; {LAYOUT}"
        )
    return [(folder.name, path) for path in inner] or [(ONE_SPLIT, folder)]


def _folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones."""
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path)]


def _images_of(class_folder: Path) -> list[Path]:
    """Return the images of a class; there must be at least one."""
    files = image_files(class_folder)
    if files:
        return files
    if _folders_in(class_folder):
        raise DatasetError(
            f"{class_folder}: has folders where images were expected; {LAYOUT}, so give a folder inside of it"
        )
    raise DatasetError(f"{class_folder}: the class folder has no image; remove it or fill it")


def check_classes(root: Path, words: Sequence[str]) -> None:
    """Reject a tree with a single class, or that cannot be split.

    Raises:
        DatasetError: There is only one class, or a class has only one image.
    """
    counts = Counter(words)
    if len(counts) == 1:
        raise DatasetError(
            f"{root}: expected at least two classes, but all {len(words)} readable images are {words[0]!r}; "
            "add a folder for another class"
        )
    single = [word for word, count in counts.items() if count == 1]
    if single:
        raise DatasetError(
            f"{root}: the class {single[0]!r} has only one readable image, so it cannot be in both training and "
            "validation; add another or remove its folder"
        )
