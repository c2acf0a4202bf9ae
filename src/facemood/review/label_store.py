"""The sample and the labels of a review, as files: each label is on the disk before the next moment is shown."""

from __future__ import annotations

import contextlib
import csv
import re
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from facemood.atomic import replacing
from facemood.csv_dialect import csv_line
from facemood.errors import OptionError, OutputConflictError, OutputError
from facemood.filenames import escape_name
from facemood.locks import FileLock
from facemood.review.moments import FoundFile, locate
from facemood.review.result_tables import ResultTables, open_tables
from facemood.review.review_sample import (
    COUNT,
    SAMPLE_FILE,
    ReviewSample,
    draw_sample,
    read_sample,
    write_sample,
)
from facemood.review.sampling import UNIFORM

FOLDER = "review"
"""Folder of a review, in that of the results."""

ENDING = ".labels.csv"
"""Ending of the labels of each rater, after their name."""

FACEMOOD = "facemood"
"""The rater that is no person."""

HARD_TO_TELL = "hard to tell"
"""The answer of a rater who cannot decide. It is not a label, and does not count for agreement."""

NAME = re.compile(r"\w[\w .-]{0,39}")
"""Names of raters, without their combining marks: they are part of a file name on any system."""

RESERVED = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE)
"""Names that are devices on Windows, with any ending."""

COLUMNS = (
    "moment",
    "source",
    "frame",
    "timestamp",
    "face",
    "samples",
    "rater",
    "label",
    "label_after",
    "facemood",
    "confidence",
    "certain",
    "labelled_at",
)
"""Columns of a file of labels."""


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """What a rater said of a moment.

    Attributes:
        label: Before facemood's answer was shown: one of the labels, or `HARD_TO_TELL`. It counts for agreement.
        label_after: After it was shown; the same if the rater did not change it. It counts for the export.
        labelled_at: When, in UTC, as in ISO 8601.
    """

    label: str
    label_after: str
    labelled_at: str


@dataclass
class LabelStore:
    """A review: its sample, and the labels of its raters.

    Attributes:
        folder: Where both are written.
        sample: The sample.
        sources: Folders in which photos and videos may be that are not where they were.
        anonymized: Whether images or videos of the run were written with hidden faces.
        tables: The tables of which the sample was drawn; none for an archive.
        problems: Messages on inputs that could not be sampled, or whose moments cannot be shown any more.
        given: The labels of each rater, by the ID of the moment.
    """

    folder: Path
    sample: ReviewSample
    sources: list[Path] = field(default_factory=list)
    anonymized: bool = False
    tables: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    given: dict[str, dict[str, GivenLabel]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._changing = threading.Lock()
        self.read_labels()

    def read_labels(self) -> None:
        """Read all labels from the disk.

        Raises:
            OutputConflictError: A file is damaged, or belongs to another review.
        """
        for file in sorted(self.folder.glob(f"*{ENDING}")):
            rater, labels = _read_labels(file, self.sample)
            self.given[rater] = labels

    @property
    def raters(self) -> list[str]:
        """Names of all raters, sorted."""
        return sorted(self.given)

    @property
    def inputs(self) -> list[Path]:
        """What nothing may be written over: tables, photos, videos, the sample and the labels."""
        shown = (self.file_of(moment).path for moment in self.sample.moments)
        own = [self.folder / SAMPLE_FILE, *self.folder.glob(f"*{ENDING}")]
        return [*self.tables, *own, *dict.fromkeys(path for path in shown if path is not None)]

    def rater(self, name: str) -> str:
        """Return a rater's name as it is known: ``anna`` for somebody who is Anna already.

        Raises:
            OptionError: It cannot be the name of a file.
        """
        name = unicodedata.normalize("NFC", " ".join(name.split()))
        if not _is_name(name):
            raise OptionError(
                f"{name!r} cannot be a rater's name; expected a letter or digit, then up to 39 letters, accents, "
                f"digits, spaces, dots, hyphens or underscores, and neither {FACEMOOD} nor a name that Windows keeps "
                "for devices, such as con or com1"
            )
        return next((known for known in self.given if known.casefold() == name.casefold()), name)

    def file_of(self, moment: str) -> FoundFile:
        """Return where the file of a moment is now."""
        known = self.sample.moments[moment]
        return locate(known.source, known.origin, self.sources)

    def put(self, rater: str, moment: str, label: str, *, seen: bool = False) -> GivenLabel:
        """Save a label; it is on the disk when this returns.

        Args:
            rater: Name of the rater.
            moment: ID of the moment.
            label: One of the labels, or `HARD_TO_TELL`.
            seen: Whether facemood's answer has been shown to the rater.

        Raises:
            OptionError: The moment or the label is unknown, or the rater's name cannot be used.
            OutputConflictError: The rater labelled the moment already, and has not seen the answer here.
            OutputError: The file cannot be written.
        """
        rater = self.rater(rater)
        if moment not in self.sample.moments:
            raise OptionError(f"no moment {moment!r} is in this sample; reload the page")
        if label not in (*self.sample.labels, HARD_TO_TELL):
            raise OptionError(f"unknown label {label!r}; expected {', '.join(self.sample.labels)} or {HARD_TO_TELL}")
        with self._changing:
            before = self.given.get(rater, {}).get(moment)
            if before is not None and not seen:
                raise OutputConflictError(f"{rater} labelled this moment already; reload the page")
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            new = GivenLabel(label, label, now) if before is None else replace(before, label_after=label)
            labels = {**self.given.get(rater, {}), moment: new}
            self._write(rater, labels)
            self.given[rater] = labels
            return new

    def _write(self, rater: str, labels: Mapping[str, GivenLabel]) -> None:
        """Write the labels of a rater, in the order in which they were given."""
        with replacing(self.folder / f"{rater}{ENDING}", newline="", encoding="utf-8") as file:
            file.write(csv_line(COLUMNS))
            for moment, given in labels.items():
                one = self.sample.moments[moment]
                certain = "" if one.certain is None else int(one.certain)
                time = "" if one.timestamp is None else one.timestamp
                place = (escape_name(one.source), one.frame, time, one.face, " ".join(self.sample.kinds_of(moment)))
                answer = (one.label, one.confidence, certain)
                said = (rater, given.label, given.label_after)
                file.write(csv_line((moment, *place, *said, *answer, given.labelled_at)))


def open_review(
    results: str | Path,
    *,
    folder: str | Path | None = None,
    kind: str = UNIFORM,
    count: int | None = None,
    seed: int | None = None,
    sources: Iterable[str | Path] = (),
) -> LabelStore:
    """Open a review, and draw its sample where there is none yet.

    Args:
        results: The folder of the results, a table, or an archive's folder.
        folder: Where the sample and the labels are; None for ``review`` in the folder of the results.
        kind: Kind of sample that is added, if it is not there yet: ``"uniform"``, ``"rare"`` or ``"uncertain"``.
        count: Moments of that sample; None for those that it has, or `COUNT`.
        seed: Seed of the samples; None for the one that they have, or 0.
        sources: Folders in which photos and videos may be that are not where they were.

    Raises:
        SourceError: There is no table, no face, or no file of one.
        OptionError: The kind is unknown, or the seed is another one.
        OutputConflictError: The folder holds another sample than the results give.
        OutputError: The folder cannot be written to.
    """
    tables = open_tables(results, map(Path, sources))
    place = Path(folder) if folder is not None else tables.folder / FOLDER
    known = read_sample(place)
    if known is not None and seed not in (None, known.seed):
        raise OptionError(
            f"{place}: the sample was drawn with the seed {known.seed}; for another, give a new folder with --labels"
        )
    if known is None or _grows(known, kind, count):
        known = _draw(tables, place, kind, count or COUNT, seed)
    store = LabelStore(place, known, tables.sources, tables.anonymized, tables.files)
    told = (*tables.problems.values(), *(store.file_of(moment).problem for moment in known.moments))
    store.problems += dict.fromkeys(filter(None, told))
    return store


def _grows(known: ReviewSample, kind: str, count: int | None) -> bool:
    """Return whether a sample of a kind is wanted that is not there yet, or a larger one."""
    there = known.kinds.get(kind, ())
    return not there or (count or 0) > len(there)


def _draw(tables: ResultTables, place: Path, kind: str, count: int, seed: int | None) -> ReviewSample:
    """Draw a sample, and write it with those that are there by then. No second process may draw or label meanwhile.

    Raises:
        OutputBusyError: Another process has the review open.
        OutputError: The folder cannot be written to.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{place}: cannot make this folder ({error.strerror}); give another with --labels") from None
    lock = FileLock(place / SAMPLE_FILE)
    try:
        known = read_sample(place)
        if known is not None and not _grows(known, kind, count):
            return known
        made = draw_sample(tables, kind, count, seed if known is None else known.seed, known)
        write_sample(place, made)
        return made
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            place.rmdir()  # which only an empty folder allows: nothing was drawn


def is_reserved(name: str) -> bool:
    """Whether Windows takes a name of a file or folder for a device, whatever its ending.

    Example:
        >>> is_reserved("con"), is_reserved("Nul.csv"), is_reserved("Conny")
        (True, True, False)
    """
    return RESERVED.fullmatch(name) is not None


def _is_name(name: str) -> bool:
    """Whether a rater can have a name. Many scripts write vowels as combining marks, which are no letters."""
    letters = name[:1] + "".join(one for one in name[1:] if not unicodedata.category(one).startswith("M"))
    fits = len(name) <= 40 and NAME.fullmatch(letters) is not None
    return fits and name.casefold() != FACEMOOD and not is_reserved(name)


def locked(store: LabelStore) -> FileLock:
    """Lock the folder of a review, so that no second process writes labels into it, and read what is there by then.

    Raises:
        OutputBusyError: Another process has it open.
    """
    lock = FileLock(store.folder / SAMPLE_FILE)
    store.sample = read_sample(store.folder) or store.sample
    store.read_labels()
    return lock


def _read_labels(file: Path, sample: ReviewSample) -> tuple[str, dict[str, GivenLabel]]:
    """Return a rater's name and labels.

    Raises:
        OutputConflictError: The file is damaged, or is something else, or belongs to another sample.
    """
    labels, known = {}, {*sample.labels, HARD_TO_TELL}
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            for row in csv.DictReader(lines):
                if row["moment"] not in sample.moments:
                    raise ValueError(f"the moment {row['moment']!r} is not in the sample")
                for word in (row["label"], row["label_after"]):
                    if word not in known:
                        raise ValueError(f"unknown label {word!r}")
                labels[row["moment"]] = GivenLabel(row["label"], row["label_after"], row["labelled_at"])
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise OutputConflictError(
            f"{file}: these are not labels of this review ({error}); move the file away, or give another folder with "
            "--labels"
        ) from None
    return unicodedata.normalize("NFC", file.name.removesuffix(ENDING)), labels
