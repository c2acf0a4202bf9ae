"""Locks: one process writes a file; a second one gets an error, and locks of dead processes do not count."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from facemood.errors import OutputBusyError, OutputError

if sys.platform != "win32":
    import fcntl

LONGEST_NAME = 255
"""Longest file name in bytes on all common file systems."""

MAX_LOCK_BYTES = 1 << 16
"""Most bytes of a lock file that are read."""

NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Flags for opening files to write: symbolic links are not followed, and child processes do not inherit the file."""

BUSY = (errno.EWOULDBLOCK, errno.EACCES)
"""Error numbers if another process holds the lock; other errors mean that the file system has no locks."""


class FileLock:
    """A lock on a file, held until it is released or the process ends.

    The lock file is ``.NAME.lock`` next to the file. One of a dead process is taken over: it lists the files that the
    process left behind.

    Args:
        target: The file.

    Attributes:
        left: Names that dead processes noted in it (`note`).

    Raises:
        OutputBusyError: Another process holds the lock.
        OutputError: The folder cannot be written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     lock = FileLock(Path(folder, "a.csv"))
        ...     lock.release()
        ...     list(Path(folder).iterdir())
        []
    """

    target: Path
    path: Path

    def __init__(self, target: Path) -> None:
        self.target, self.path = target, target.with_name(beside(f".{target.name}", ".lock"))
        self.left: list[str] = []
        self._handle: int | None = self._acquire()

    def note(self, name: str) -> None:
        """Note the name of a file, so that a later process can remove it if this one is killed."""
        if self._handle is not None:
            os.write(self._handle, os.fsencode(f"\n{name}"))

    def release(self, *, keep: bool = False) -> None:
        """Release the lock; do nothing if it is released.

        Args:
            keep: Whether the noted names stay for the next process.
        """
        if self._handle is not None:
            with contextlib.suppress(OSError):
                if not keep:
                    self.path.unlink()
            os.close(self._handle)
            self._handle = None

    def _acquire(self) -> int:
        """Open the lock file and lock it; if its last holder removed it meanwhile, begin again."""
        while True:
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | NOFOLLOW, 0o666)
            except OSError as error:
                raise cannot_write(self.target, error) from error
            if not lock_handle(handle):
                holder = os.read(handle, MAX_LOCK_BYTES).decode("ascii", "replace").partition("\n")[0] or "unknown"
                os.close(handle)
                raise OutputBusyError(
                    f"{self.target}: another process is writing it (process ID {holder}); wait until it has ended, "
                    "or choose another name"
                )
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(handle), os.stat(self.path)):
                    self.left = os.fsdecode(os.read(handle, MAX_LOCK_BYTES)).split("\n")[1:]
                    os.ftruncate(handle, 0)
                    os.lseek(handle, 0, os.SEEK_SET)
                    os.write(handle, os.fsencode("\n".join([str(os.getpid()), *self.left])))
                    return handle
            os.close(handle)


def lock_handle(handle: int) -> bool:
    """Lock an open file for this process; False if another process holds the lock. True if the system has no locks."""
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in BUSY
    return True


def cannot_write(target: Path, error: OSError, *, fix: str = "choose another place") -> OutputError:
    """Return the OutputError for an error of the operating system."""
    return OutputError(f"{target}: cannot be written ({error.strerror or error}); {fix}")


def beside(name: str, ending: str) -> str:
    """Return the name of a file next to another one: its name with a suffix, cut if it is too long for the file system.

    Example:
        >>> beside("t.csv", ".lock"), len(beside("x" * 250, ".lock"))
        ('t.csv.lock', 255)
    """
    room = LONGEST_NAME - len(os.fsencode(ending))
    return os.fsdecode(os.fsencode(name)[:room]) + ending
