"""Read the basic expressions of RAF-DB (Li, Deng and Du 2017): 15,339 faces from the web in seven classes, two splits.

The original layout is expected::

    basic/EmoLabel/list_patition_label.txt        lines such as "train_00001.jpg 5"
    basic/Image/aligned/train_00001_aligned.jpg   100 x 100 pixels, or if that is missing
    basic/Image/original/train_00001.jpg
"""

from __future__ import annotations

from pathlib import Path

from facemood.datasets.dataset import ExpressionDataset
from facemood.datasets.gather import Entry, gather
from facemood.errors import DatasetError
from facemood.labels import BASIC_EXPRESSIONS

ORDER = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
"""Names of the labels 1..7."""

SPLITS = ("train", "test")
"""The dataset's names of its splits, with which file names begin."""

LIST_NAME = Path("EmoLabel", "list_patition_label.txt")
"""The list of labels; the spelling is the original."""


def read_rafdb(root: Path, *, size: int = 100, colour: str = "bgr") -> ExpressionDataset:
    """Read the basic set of RAF-DB; its splits are ``"train"`` and ``"test"``.

    Args:
        root: The folder ``basic``, or the one above it.
        size: Side in pixels to which each face is resized; aligned faces have 100.
        colour: ``"grey"`` or ``"bgr"``.

    Raises:
        DatasetError: RAF-DB is not there, a line of its list is damaged, or no image can be read.
    """
    basic = find_basic(root)
    if basic is None:
        raise DatasetError(f"{root}: found no RAF-DB here; expected basic/{LIST_NAME.as_posix()} and basic/Image")
    file = basic / LIST_NAME
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    entries = [
        _entry(line.split(), basic, f"{file}, line {number}") for number, line in enumerate(lines, 1) if line.strip()
    ]
    if not entries:
        raise DatasetError(f"{file}: the list is empty; fetch it again")
    return gather(root, entries, name="rafdb", size=size, colour=colour, classes=BASIC_EXPRESSIONS)


def find_basic(root: Path) -> Path | None:
    """Return the folder of the basic set, the root or one in it; None if there is none."""
    return next((folder for folder in (root / "basic", root) if (folder / LIST_NAME).is_file()), None)


def _entry(fields: list[str], basic: Path, where: str) -> Entry:
    """Parse one line of the list and find its image."""
    if len(fields) != 2:
        raise DatasetError(f'{where}: expected a line like "train_00001.jpg 5", but found {" ".join(fields)[:80]!r}')
    name, label = fields
    split = name.partition("_")[0]
    if split not in SPLITS:
        raise DatasetError(f"{where}: expected a name that begins with train_ or test_, but found {name!r}")
    if label not in tuple("1234567"):
        raise DatasetError(f"{where}: the label must be 1..7, but is {label!r}; fetch the list of the basic set again")
    return Entry(_image(basic, name), ORDER[int(label) - 1], split)


def _image(basic: Path, name: str) -> Path:
    """Return the aligned face, or the original image if there is none."""
    aligned = basic / "Image" / "aligned" / f"{Path(name).stem}_aligned.jpg"
    return aligned if aligned.is_file() else basic / "Image" / "original" / name
