"""Say that a file is being written: a second process is told so, and what a dead one left stands in nobody's way."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

from facemood.errors import OutputError

if sys.platform != "win32":
    import fcntl

LONGEST_NAME = 255
"""Bytes that a file's name has at most, on every usual file system."""

MOST = 1 << 16
"""Bytes of a lock that are read."""

NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Flags of every file that is opened for writing here: a symbolic link is not followed, and no child inherits it."""

BUSY = (errno.EWOULDBLOCK, errno.EACCES)
"""What the system answers where somebody else holds a lock; other answers mean that it knows no locks there."""


class FileLock:
    """Holds the right to write a file, until it is released or the process ends, in whatever way.

    The lock lies beside the file as ``.NAME.lock``. That a dead process left one there does not matter: it tells what
    else that process left.

    Args:
        target: The file.

    Attributes:
        left: What dead processes noted in it (`note`).

    Raises:
        OutputError: Another process holds the lock, or the folder cannot be written to.

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
        """Write a name down, for whoever comes after this process was killed."""
        if self._handle is not None:
            os.write(self._handle, os.fsencode(f"\n{name}"))

    def release(self, *, keep: bool = False) -> None:
        """Give the right up; once that is done, do nothing more.

        Args:
            keep: Whether what was noted stays for whoever comes next.
        """
        if self._handle is not None:
            with contextlib.suppress(OSError):
                if not keep:
                    self.path.unlink()
            os.close(self._handle)
            self._handle = None

    def _acquire(self) -> int:
        """Open the lock's file and lock it; where its last holder removed it meanwhile, begin again."""
        while True:
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | NOFOLLOW, 0o666)
            except OSError as error:
                raise cannot_write(self.target, error) from error
            if not lock_handle(handle):
                holder = os.read(handle, MOST).decode("ascii", "replace").partition("\n")[0] or "unknown"
                os.close(handle)
                raise OutputError(
                    f"{self.target}: another process writes it at present (number {holder}); wait until it has ended, "
                    "or give another name"
                )
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(handle), os.stat(self.path)):
                    self.left = os.fsdecode(os.read(handle, MOST)).split("\n")[1:]
                    os.ftruncate(handle, 0)
                    os.lseek(handle, 0, os.SEEK_SET)
                    os.write(handle, os.fsencode("\n".join([str(os.getpid()), *self.left])))
                    return handle
            os.close(handle)


def lock_handle(handle: int) -> bool:
    """Lock an open file for this process; False where another holds it. Where the system has no locks, it is True."""
    if sys.platform != "win32":
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in BUSY
    return True


def cannot_write(target: Path, error: OSError, *, mend: str = "choose another place") -> OutputError:
    """Return our error for the system's refusal."""
    return OutputError(f"{target}: cannot be written ({error.strerror or error}); {mend}")


def beside(name: str, ending: str) -> str:
    """Return the name of a file that belongs to another; a name that is too long for the file system is cut.

    Example:
        >>> beside("t.csv", ".lock"), len(beside("x" * 250, ".lock"))
        ('t.csv.lock', 255)
    """
    room = LONGEST_NAME - len(os.fsencode(ending))
    return os.fsdecode(os.fsencode(name)[:room]) + ending
