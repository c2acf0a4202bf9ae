"""Labelled faces as a folder that ``facemood train own --data photos:DIR`` takes: ``DIR/<label>/*.png``."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from facemood.errors import FacemoodError, OptionError, OutputConflictError, OutputError
from facemood.geometry import iou
from facemood.render.image_files import write_image
from facemood.review.label_store import HARD_TO_TELL, LabelStore, is_reserved
from facemood.review.moment_images import cut_around, read_moment
from facemood.review.moments import Moment
from facemood.schema import Face, Image
from facemood.text import count, joined

MARGINS = (0.6, 0.35, 0.15)
"""Margins of a crop that are tried, as shares of the larger side of the box: smaller ones leave a neighbour out."""

UNSAFE = re.compile(r'^\.|[/\\:*?"<>|\x00-\x1f\x7f\ud800-\udfff]|[ .]$')
"""Characters that a folder's name cannot have on some system: a first dot hides it, and Windows drops a last one."""

LONGEST = 60
"""Most characters of a label in the name of its folder; a name has at most 255 bytes, and a character up to 4."""

SAME = 0.5
"""IoU from which a face that is detected in a crop is the labelled one."""

Detect = Callable[[Image], list[Face]]
"""Detects faces in an image (H, W, 3) uint8 BGR."""


@dataclass(slots=True)
class ExportSummary:
    """What was exported.

    Attributes:
        written: Number of crops of each label.
        folders: Name of the folder of each label; another than the label where that cannot be one.
        disagreed: Moments whose raters disagree.
        hard_to_tell: Moments that every rater found hard to tell.
        lost: Moments in whose crop facemood does not find the face again, or whose file cannot be read.
    """

    written: Counter[str] = field(default_factory=Counter)
    folders: dict[str, str] = field(default_factory=dict)
    disagreed: int = 0
    hard_to_tell: int = 0
    lost: list[str] = field(default_factory=list)


def export_faces(
    store: LabelStore, folder: str | os.PathLike[str], *, rater: str | None = None, detect: Detect | None = None
) -> ExportSummary:
    """Write the labelled faces as crops in folders of their labels.

    The label is that from after facemood's answer was shown: what a person corrected counts. Moments whose raters
    disagree are left out, and so are crops in which facemood would take another face, or none.

    Args:
        store: The review.
        folder: A new or empty folder.
        rater: Name of the only rater that counts; None for all.
        detect: The detector; None for facemood's own.

    Raises:
        OptionError: There is no such rater, or no label is left to export.
        OutputConflictError: The folder holds files.
        OutputError: It cannot be written.
    """
    target, summary = Path(folder).absolute(), ExportSummary()
    chosen = _chosen(store, rater, summary)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputConflictError(f"{target}: there are files already; give the name of a new folder")
    growing = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
    try:
        _write(store, chosen, growing, detect or _finder(), summary)
        _move(growing, target)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror}); free space or choose another place"
        ) from error
    finally:
        shutil.rmtree(growing, ignore_errors=True)
    return summary


def _move(growing: Path, target: Path) -> None:
    """Give a finished folder its name. An empty folder of that name stays the same one: somebody may be in it."""
    if not target.is_dir():
        growing.replace(target)
        return
    for place in growing.iterdir():
        place.replace(target / place.name)


def _chosen(store: LabelStore, rater: str | None, summary: ExportSummary) -> dict[str, str]:
    """Return the label of each moment that its raters agree on, and count the others."""
    if rater is not None and store.rater(rater) not in store.given:
        raise OptionError(f"no labels of {rater!r} are here; expected one of {', '.join(store.raters) or 'nobody'}")
    people = store.given.values() if rater is None else [store.given[store.rater(rater)]]
    chosen = {}
    for moment in store.sample.moments:
        said = [labels[moment].label_after for labels in people if moment in labels]
        words = {label for label in said if label != HARD_TO_TELL}
        summary.hard_to_tell += bool(said) and not words
        summary.disagreed += len(words) > 1
        if len(words) == 1:
            chosen[moment] = words.pop()
    if not chosen:
        raise OptionError(f"{store.folder}: {_why_none(store, summary)}")
    return chosen


def _why_none(store: LabelStore, summary: ExportSummary) -> str:
    """Return why no label is left to export, and what to do."""
    if not summary.disagreed and not summary.hard_to_tell:
        return "no face is labelled; label some with facemood review first"
    left = (
        (summary.disagreed, "whose raters disagree"),
        (summary.hard_to_tell, "that everyone found hard to tell"),
    )
    found = joined([f"{count(number, 'face')} {reason}" for number, reason in left if number])
    people = joined(store.raters, last="or")
    todo = f"take the labels of one person with --rater: {people}" if summary.disagreed else "label more faces"
    return f"no label can be exported: there are only {found}; {todo}"


def folder_names(labels: Iterable[str]) -> dict[str, str]:
    """Return a name for the folder of each label that is one on any system; two labels never share a folder.

    Example:
        >>> folder_names(["happy", "yes?", "yes*"])
        {'happy': 'happy', 'yes?': 'yes_', 'yes*': 'yes__2'}
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for label in sorted(dict.fromkeys(labels), key=lambda one: _safe(one) != one):  # those that can stay go first
        safe, number = _safe(label), 1
        name = safe
        while name.casefold() in taken:
            number += 1
            name = f"{safe}_{number}"
        taken.add(name.casefold())
        names[label] = name
    return names


def _safe(label: str) -> str:
    """Return a label without what a name of a folder cannot have on some system."""
    name = UNSAFE.sub("_", unicodedata.normalize("NFC", label)[:LONGEST])
    return f"{name}_" if is_reserved(name) else name


def _write(store: LabelStore, chosen: dict[str, str], folder: Path, detect: Detect, summary: ExportSummary) -> None:
    """Write the crops of the chosen moments."""
    folder.mkdir(parents=True)
    summary.folders = folder_names(store.sample.labels)
    for number, label in chosen.items():
        moment, found = store.sample.moments[number], store.file_of(number)
        try:
            crop = None if found.path is None else crop_of(moment, read_moment(moment, found.path), detect)
        except OutputError:
            raise
        except FacemoodError:
            crop = None
        if crop is None:
            summary.lost.append(moment.source)
            continue
        place = folder / summary.folders[label]
        place.mkdir(exist_ok=True)
        write_image(place / f"{number}.png", crop)
        summary.written[label] += 1


def crop_of(moment: Moment, image: Image, detect: Detect) -> Image | None:
    """Return an upright crop whose largest detected face is that of the moment; None if there is none.

    Args:
        moment: The face.
        image: Its photo or frame, (H, W, 3) uint8 BGR.
        detect: The detector.

    Raises:
        ImageError: The box is outside of the image.
    """
    for margin in MARGINS:
        crop, (left, top) = cut_around(image, moment.box, margin=margin)
        x1, y1, x2, y2 = moment.box
        box = np.array([x1 - left, y1 - top, x2 - left, y2 - top], np.float32)
        for _ in range(round(moment.roll / 90) % 4):  # a quarter turn to the left each
            x1, y1, x2, y2 = box.tolist()
            box = np.array([y1, crop.shape[1] - x2, y2, crop.shape[1] - x1], np.float32)
            crop = np.rot90(crop)
        crop = np.ascontiguousarray(crop)
        largest = max(detect(crop), key=lambda face: face.area, default=None)
        if largest is not None and iou(largest.box[None], box[None])[0, 0] >= SAME:
            return crop
    return None


def _finder() -> Detect:
    """Return facemood's own detector, as the dataset ``photos`` uses it."""
    from facemood.stages.detect import DetectOptions, FinderDetector

    return FinderDetector(DetectOptions(), threads=1)
