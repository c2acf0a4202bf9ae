"""Find the inputs of an archive: those that are there, and names of files that are not, which are failures."""

from __future__ import annotations

import glob
import os
from typing import NamedTuple

from facemood.errors import FacemoodError
from facemood.outputs import Stamp
from facemood.sources import SourceLike, find_inputs, refuse_live
from facemood.sources.items import RemoteFile
from facemood.sources.kinds import file_kind


class ArchiveInputs(NamedTuple):
    """What a source names.

    Attributes:
        found: The inputs that are there.
        missing: Names of files that are not there. The archive records them as failures.
        problems: What could not be found, with the reasons: the missing files, folders and patterns.
        stamps: Sizes and times of the inputs in object stores.
    """

    found: list[str]
    missing: list[str]
    problems: list[tuple[str, str]]
    stamps: dict[str, Stamp]

    @property
    def names(self) -> list[str]:
        """All inputs, the missing ones last."""
        return [*self.found, *self.missing]


def find_archive_inputs(source: SourceLike, *, allow_download: bool = False) -> ArchiveInputs:
    """Find the inputs that a source names.

    Args:
        source: A path, a folder, a pattern or a list of them.
        allow_download: Whether http and https addresses are photos to download.

    Raises:
        SourceError: The source does not exist, or holds nothing that can be read; or an input is live.

    Example:
        >>> find_archive_inputs(["none.jpg", "nowhere/"]).missing
        ['none.jpg']
    """
    missing: list[str] = []
    problems: list[tuple[str, str]] = []

    def on_error(name: str, error: FacemoodError) -> None:
        problems.append((name, str(error)))
        if names_missing_file(name):
            missing.append(name)

    found = list(find_inputs(source, on_error=on_error, allow_download=allow_download))
    refuse_live(found if not allow_download else [])
    stamps = {item.address: Stamp(item.size, item.mtime_ns) for item in found if isinstance(item, RemoteFile)}
    return ArchiveInputs(list(map(str, found)), missing, problems, stamps)


def names_missing_file(name: str) -> bool:
    """Return whether a name is that of a photo or video that is not there. A folder or pattern is no input itself.

    Example:
        >>> names_missing_file("none.jpg"), names_missing_file("nowhere/"), names_missing_file("none-*.jpg")
        (True, False, False)
    """
    plain = "://" not in name and not glob.has_magic(name)
    return plain and bool(file_kind(name, sniffed=False)) and not os.path.lexists(name)
