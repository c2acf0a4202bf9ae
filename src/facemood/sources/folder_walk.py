"""Walk folders and expand patterns by one set of rules, so that both give the same files.

Hidden files and folders are skipped, and so is what systems and programs put beside photos (`SKIPPED`). Symbolic links
to folders are followed, and each folder is walked once: a link to one that was walked, or that holds the first folder,
adds nothing.
"""

from __future__ import annotations

import fnmatch
import glob
import os
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from facemood.errors import FacemoodError, SourceError
from facemood.filenames import printable
from facemood.sources.kinds import HEIF_SUFFIXES, file_kind, heif_is_installed, suffix_of
from facemood.text import count

SKIPPED = {
    "__macosx", "@eadir", "#recycle", "@recycle", "$recycle.bin", "system volume information", "lost+found",
    "thumbs.db", "ehthumbs.db", "desktop.ini",
}  # fmt: skip
"""Names in lower case that are skipped as hidden ones are: thumbnails, indices and bins of systems and programs."""

ANY_DEPTH = "**"
"""The part of a pattern that stands for any number of folders."""

LONGEST_SUFFIX = 8
"""Characters of an ending that is told, dot included; a longer one is told as `OTHER`."""

MOST_SUFFIXES = 5
"""How many endings are told of the files that were left out; the rest is told as `OTHER`."""

NO_SUFFIX = "without an ending"
"""How files without an ending are counted."""

NO_FILE = "not a regular file"
"""How pipes, sockets and devices are counted; opening one could wait for ever."""

OTHER = "other"
"""How files of many or unusual endings are counted."""

Identity: TypeAlias = tuple[int, int]
"""Device and inode of a folder: the same under all its names."""

FolderError: TypeAlias = Callable[[str, FacemoodError], None]
"""Called with a folder that cannot be listed, and why."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One search for photos and videos.

    Attributes:
        on_error: Called for each folder that cannot be listed; None raises the error.
        left_out: How many files are not read, by their endings; it grows with the search.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("a.jpg", ".b.jpg", "notes.txt"):
        ...         Path(folder, name).touch()
        ...     walk = Walk()
        ...     files = walk.files_below(Path(folder))
        >>> [Path(file).name for file in files], dict(walk.left_out)
        (['a.jpg'], {'.txt': 1})
    """

    on_error: FolderError | None = None
    left_out: Counter[str] = field(default_factory=Counter)

    def files_below(self, folder: Path) -> list[str]:
        """Return the photos and videos at any depth below a folder, sorted by their paths.

        Raises:
            SourceError: The folder cannot be listed, or without `on_error` one below it.
        """
        found = list[str]()
        for place, entries in self._folders(folder):
            before = str(place / "_")[:-1]
            files = ((before + entry.name, entry) for entry in entries if not _leads_on(entry))
            found += (path for path, entry in files if self._is_read(path, regular=_is_regular(entry)))
        return sorted(found)

    def files_matching(self, pattern: str) -> list[str]:
        """Return the photos and videos that a pattern names, sorted by their paths.

        A part of a pattern that is the name of a file or folder means that one, also with ``[`` or ``*`` in it.

        Raises:
            SourceError: Without `on_error`, a folder cannot be listed.
        """
        path = Path(pattern)
        base = Path(path.anchor)
        parts = path.parts[1:] if path.anchor else path.parts
        found = dict.fromkeys(self._match(base, parts, set()))
        files = (path for path in found if not path.is_dir())
        return sorted(str(path) for path in files if self._is_read(str(path), regular=_is_regular(path)))

    def _folders(self, first: Path) -> Iterator[tuple[Path, list[os.DirEntry[str]]]]:
        """Yield a folder and all below it with what each holds; those that links lead to come last."""
        seen = {_identity(parent) for parent in first.resolve().parents}
        plain, links = deque([first]), deque[Path]()
        while plain or links:
            folder = plain.popleft() if plain else links.popleft()
            if (identity := _identity(folder)) in seen:
                continue
            seen.add(identity)
            entries = self._entries(folder, must=folder == first)
            yield folder, entries
            for entry in entries:
                if _leads_on(entry):
                    (links if entry.is_symlink() else plain).append(folder / entry.name)

    def _match(self, base: Path, parts: tuple[str, ...], seen: set[tuple[Identity, int]]) -> Iterator[Path]:
        """Yield what the parts of a pattern name below a folder, which each part enters once."""
        key = (_identity(base), len(parts))
        if not parts or key in seen:
            yield from [] if parts else [base]
            return
        seen.add(key)
        part, rest = parts[0], parts[1:]
        if os.path.lexists(base / part) or not glob.has_magic(part):
            yield from self._match(base / part, rest, seen) if os.path.lexists(base / part) else ()
        elif part == ANY_DEPTH:
            for folder, entries in self._folders(base):
                yield from self._match(folder, rest, seen) if rest else (folder / entry.name for entry in entries)
        else:
            for entry in self._entries(base, hidden=part.startswith(".")):
                if fnmatch.fnmatch(entry.name, part) and (not rest or _leads_on(entry)):
                    yield from self._match(base / entry.name, rest, seen)

    def _entries(self, folder: Path, *, hidden: bool = False, must: bool = False) -> list[os.DirEntry[str]]:
        """Return what a folder holds by its names, links last, without what is skipped.

        Args:
            folder: What is listed.
            hidden: Whether hidden names count.
            must: Whether an error is raised in any case.
        """
        try:
            with os.scandir(folder) as found:
                entries = [entry for entry in found if not _is_skipped(entry.name, hidden=hidden)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            problem = SourceError(f"{folder}: the folder cannot be listed ({error.strerror})")
            if must or self.on_error is None:
                raise problem from None
            self.on_error(str(folder), problem)
            return []
        return sorted(entries, key=lambda entry: (entry.is_symlink(), entry.name))

    def _is_read(self, path: str, *, regular: bool) -> bool:
        """Tell whether a file is read; one that is not is counted."""
        suffix = suffix_of(path)
        if not regular:
            kind = NO_FILE
        elif suffix in HEIF_SUFFIXES:
            kind = "" if heif_is_installed() else suffix
        elif file_kind(path, sniffed=not suffix):
            kind = ""
        else:
            kind = (printable(suffix) if len(suffix) <= LONGEST_SUFFIX else OTHER) or NO_SUFFIX
        if kind:
            self.left_out[kind] += 1
        return not kind


def describe_left_out(left_out: Counter[str]) -> str:
    """Say how many files were left out, and of which endings.

    Example:
        >>> describe_left_out(Counter({".txt": 3, ".heic": 9}))
        '12 files left out: 9 .heic, 3 .txt; .heic needs the extra heic'
        >>> describe_left_out(Counter())
        ''
    """
    if not left_out:
        return ""
    told = Counter(dict(left_out.most_common(MOST_SUFFIXES)))
    told[OTHER] += left_out.total() - told.total()
    words = ", ".join(f"{number:,} {kind}" for kind, number in told.items() if number)
    heif = sorted(HEIF_SUFFIXES & left_out.keys())
    hint = f"; {heif[0]} needs the extra heic" if heif else ""
    return f"{count(left_out.total(), 'file')} left out: {words}{hint}"


def _is_skipped(name: str, *, hidden: bool) -> bool:
    """Tell whether a file or folder is passed over by its name."""
    return (name.startswith(".") and not hidden) or name.lower() in SKIPPED


def _leads_on(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder, or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, or to where nobody may look
        return False


def _is_regular(file: Path | os.DirEntry[str]) -> bool:
    """Tell whether a file is a regular one, or a link that leads nowhere, which is told when it is opened.

    The entry of a folder knows that it is one: a million files are not asked one by one.
    """
    try:
        return file.is_file() or not os.path.exists(file)
    except OSError:
        return True


def _identity(folder: Path) -> Identity:
    """Return what a folder is known by."""
    try:
        found = folder.stat()
    except OSError:
        return (-1, hash(folder))
    return found.st_dev, found.st_ino
