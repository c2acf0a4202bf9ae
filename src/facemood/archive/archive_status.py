"""What an archive holds, from its parts alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from facemood.archive.archive_folder import ArchiveFolder, StoredPart
from facemood.archive.book import ArchiveBook
from facemood.errors import SourceError


@dataclass
class ArchiveStatus:
    """What an archive holds with the settings of its last run.

    Attributes:
        folder: The folder.
        parts: Parts that are done.
        busy: Parts that are being written now.
        inputs: Inputs that were read, failures among them.
        planned: Inputs that the last run of each shard found; None if no run of these settings is recorded.
        rows: Rows of the inputs that count.
        failures: The inputs that could not be read, with the reasons.
        other_settings: Parts that were made with other settings.
        made_by: Number of parts by what made them: versions, processor, device and precision.
    """

    folder: str
    parts: int = 0
    busy: int = 0
    inputs: int = 0
    planned: int | None = None
    rows: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)
    other_settings: int = 0
    made_by: list[tuple[dict[str, str], int]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the status as numbers, texts, lists and dicts."""
        return asdict(self)


def read_status(folder: str | Path) -> ArchiveStatus:
    """Return what an archive holds.

    Raises:
        SourceError: The folder is no archive.
        OutputError: A part is damaged.
    """
    archive = open_archive(folder)
    parts = list(archive.stored_parts())
    status = ArchiveStatus(str(folder), busy=archive.busy_parts())
    key = archive.settings_key
    book, makers = ArchiveBook(parts, key), Counter[tuple[tuple[str, str], ...]]()
    failures: list[tuple[str, int, str]] = []
    for stored in parts:
        if stored.record.settings != key:
            status.other_settings += 1
            continue
        status.parts += 1
        makers[tuple(stored.record.made_by.items())] += 1
        for number in counting_items(stored, book):
            item = stored.record.items[number]
            status.inputs += item.segment == 0
            status.rows += stored.record.rows[number]
            if number in stored.record.failures:
                failures.append((item.name, item.segment, stored.record.failures[number]))
    status.made_by = [(dict(maker), number) for maker, number in makers.most_common()]
    runs = [run for run in archive.noted_runs().values() if run.get("settings") == key]
    status.planned = sum(int(run["inputs"]) for run in runs) if runs else None
    status.failures = told_once(failures)
    return status


def open_archive(folder: str | Path) -> ArchiveFolder:
    """Return the folder of an archive.

    Raises:
        SourceError: It is none.
    """
    archive = ArchiveFolder(folder)
    if not archive.exists:
        raise SourceError(f"{folder}: is no archive; facemood analyze INPUTS --workers 2 -o FOLDER/ makes one")
    return archive


def counting_items(stored: StoredPart, book: ArchiveBook) -> list[int]:
    """Return the numbers of the inputs of a part whose entries count: no later version, and no second reading."""
    record = stored.record
    numbers = []
    for number, item in enumerate(record.items):
        entry = book.current_entry(item, record.folder)
        if entry is not None and (entry.part, entry.generation) == (stored.id, item.generation):
            numbers.append(number)
    return numbers


def told_once(failures: list[tuple[str, int, str]]) -> list[tuple[str, str]]:
    """Return failures sorted by name, each input once: of several segments the first one.

    Args:
        failures: Names, numbers of segments, and reasons.

    Example:
        >>> told_once([("b.jpg", 0, "damaged"), ("a.mp4", 2, "gone"), ("a.mp4", 1, "gone, too")])
        [('a.mp4', 'gone, too'), ('b.jpg', 'damaged')]
    """
    first: dict[str, str] = {}
    for name, _, reason in sorted(failures):
        first.setdefault(name, reason)
    return list(first.items())
