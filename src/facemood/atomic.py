"""Atomic writes: a file is written under a temporary name, synced to the disk and renamed into place.

All files of facemood are written here. A part has a random name, and an existing link of that name is not followed.
Standard output, devices and named pipes have no parts: they are written directly.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from facemood.errors import OutputError
from facemood.locks import NOFOLLOW, FileLock, beside, cannot_write, lock_handle

UNFINISHED = ".unfinished"
"""Stands before the suffix of a file whose input or run broke off."""

STDOUT = "-"
"""As a target: standard output. A suffix may follow and gives the format, as in ``-.jsonl``."""

PART = re.compile(r"\.[0-9a-f]{16}\.part$")
"""End of a part's name."""

LEFTOVER_AGE = 10.0
"""Age in seconds of a part's last write, from which it may count as left by a dead process."""

HANDLES = re.compile(r"/dev/(?:fd/(\d+)|std(in|out|err))|/proc/self/fd/(\d+)")
"""Names of this process's open files."""


class Part:
    """A file that grows under a temporary name and takes its target's name when it is whole.

    Args:
        target: The file's final name; its folder is made. A device, a pipe or `STDOUT` is written directly.
        mode: As for `open`, such as ``"wb"``.
        lasting: Whether it takes long to write. The target is then locked, and parts of dead processes are removed in
            the end.
        options: As for `open`, such as an encoding.

    Attributes:
        file: What to write to.
        path: The temporary name.
        direct: Whether the target is written directly.

    Raises:
        OutputError: The file cannot be written, or another process is writing it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     part = Part(Path(folder, "a.txt"), "w")
        ...     _ = part.file.write("done")
        ...     part.commit()
        ...     Path(folder, "a.txt").read_text()
        'done'
    """

    target: Path
    path: Path
    direct: bool

    def __init__(self, target: Path, mode: str = "wb", *, lasting: bool = True, **options: Any) -> None:
        self.target, self.path, self.direct = target, target, is_stream(target)
        self._lock: FileLock | None = None
        try:
            if self.direct:
                self.file: IO[Any] = os.fdopen(_open_stream(target), mode, **options)
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise OutputError(f"{target}: cannot be written, it is a folder; give a file's name")
            self._lock = FileLock(target) if lasting else None
            self.path = target.with_name(beside(target.name, f".{os.urandom(8).hex()}.part"))
            if self._lock is not None:
                self._lock.note(self.path.name)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | NOFOLLOW, 0o666)
            lock_handle(handle)
            self.file = os.fdopen(handle, mode, **options)
        except OSError as error:
            if self._lock is not None:
                self._lock.release(keep=bool(self._lock.left))
            raise cannot_write(target, error) from error

    @property
    def closed(self) -> bool:
        """Whether it was committed or discarded."""
        return self.file.closed

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Turn a disk error (such as a full disk) within the block into an OutputError; the part stays.

        A closed pipe (`BrokenPipeError`) is passed on: the command line ends quietly then.
        """
        try:
            yield
        except BrokenPipeError:
            self.give_up()
            raise
        except OSError as error:
            fix = "choose another place" if self._lock is None else f"a part stands in {self.path}"
            self.give_up()
            raise cannot_write(self.target, error, fix=fix) from error

    def sync(self) -> None:
        """Sync the file to the disk; do nothing if it is closed.

        Raises:
            OSError: The disk is full, say.
        """
        if self.closed:
            return
        self.file.flush()
        if not self.direct:
            os.fsync(self.file.fileno())

    def commit(self, *, whole: bool = True) -> None:
        """Finish: the part takes its target's name, or the name of an unfinished file.

        Raises:
            OutputError: The file cannot be renamed; the part stays.
        """
        name = self.target if whole or self.direct else unfinished(self.target)
        with self.writing():
            self.sync()
            self.file.close()
            if not self.direct:
                self.path.replace(name)
                sync_folder(name.parent)
        if self._lock is not None:
            for left in self._lock.left:
                if PART.search(left) and Path(left).name == left:
                    self.target.with_name(left).unlink(missing_ok=True)
            self._lock.release()

    def discard(self) -> None:
        """Remove the part; the target stays as it was."""
        with contextlib.suppress(OSError):
            self.file.close()
        if not self.direct:
            with contextlib.suppress(OSError):
                self.path.unlink()
        if self._lock is not None:
            self._lock.release(keep=bool(self._lock.left))

    def give_up(self) -> None:
        """Close the part; it stays for a later run."""
        with contextlib.suppress(OSError):
            self.file.close()
        if self._lock is not None:
            self._lock.release(keep=True)


@contextmanager
def replacing(path: str | os.PathLike[str], mode: str = "w", **options: Any) -> Iterator[IO[Any]]:
    """Write a whole file: it takes its name only when the block ends without an error.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with replacing(f"{folder}/a.txt") as file:
        ...         _ = file.write("done")
        ...     Path(folder, "a.txt").read_text()
        'done'
    """
    part = Part(Path(path), mode, lasting=False, **options)
    try:
        yield part.file
        part.commit()
    except OSError as error:
        raise cannot_write(part.target, error) from error
    finally:
        part.discard()


def unfinished(path: Path) -> Path:
    """Return the name of a file that was not written to its end.

    Example:
        >>> unfinished(Path("talk.csv")).name
        'talk.unfinished.csv'
    """
    return path.with_suffix(UNFINISHED + path.suffix)


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Return whether a target has no name to be renamed to: standard output, a device, a named pipe.

    Example:
        >>> is_stream("-"), is_stream("/dev/null"), is_stream("t.csv")
        (True, True, False)
    """
    name = os.fspath(path)
    if name == STDOUT or name.startswith(f"{STDOUT}.") or HANDLES.fullmatch(name):
        return True
    try:
        kind = os.stat(name).st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(kind) or stat.S_ISDIR(kind))


def remove_leftovers(folder: Path) -> None:
    """Remove old parts of dead processes from a folder.

    A part whose target has a lock file stays: whoever writes the target next may take over its rows, and removes it.
    """
    now = time.time()
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if PART.search(entry.name) and now - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_AGE:
                target = PART.sub("", entry.name)
                if not os.path.lexists(folder / beside(f".{target}", ".lock")):
                    _remove_dead(Path(entry.path))


def sync_folder(folder: Path) -> None:
    """Sync a folder's names to the disk, if the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_dead(part: Path) -> None:
    """Remove a part, unless a living process writes it."""
    with contextlib.suppress(OSError):
        handle = os.open(part, os.O_RDWR | NOFOLLOW)
        try:
            if lock_handle(handle):
                part.unlink()
        finally:
            os.close(handle)


def _open_stream(target: Path) -> int:
    """Open a device or pipe; a file that this process holds open already goes on where it is."""
    name = str(target)
    found = HANDLES.fullmatch(name)
    if not found:
        return os.dup(1) if name[0] == STDOUT else os.open(target, os.O_WRONLY | getattr(os, "O_CLOEXEC", 0))
    named = {"in": "0", "out": "1", "err": "2"}
    return os.dup(int(found[1] or found[3] or named[found[2]]))
