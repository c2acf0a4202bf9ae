"""The temporary folder for uploads. It is deleted with the server, or at the next start if the server was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from facemood.errors import OutputError
from facemood.locks import FileLock

PREFIX = "facemood-serve-"

LOCK = ".files.lock"
"""The file in the folder that a running server locks, as `FileLock` names it."""

FILES = "files"
"""The folder next to it, for uploads and results."""


class TempFolder:
    """A new folder that only this user can open, locked for the lifetime of the process.

    Args:
        parent: The folder in which it is created; None for the system's temporary folder.

    Attributes:
        path: The folder.

    Example:
        >>> folder = TempFolder()
        >>> folder.path.is_dir()
        True
        >>> folder.close()
        >>> folder.path.exists()
        False
    """

    path: Path

    def __init__(self, parent: Path | None = None) -> None:
        remove_abandoned(parent or Path(tempfile.gettempdir()))
        self._whole = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self.path = self._whole / FILES
        self._lock = FileLock(self.path)
        self.path.mkdir(mode=0o700)

    def free(self) -> int:
        """Return the free bytes of its disk."""
        return shutil.disk_usage(self.path).free

    def close(self) -> None:
        """Delete the folder."""
        self._lock.release()
        shutil.rmtree(self._whole, ignore_errors=True)


def remove_abandoned(parent: Path) -> list[Path]:
    """Delete the folders of servers that were killed.

    Args:
        parent: The folder that contains them.

    Returns:
        The deleted folders; none on Windows, where locks do not show whether a process lives.
    """
    if sys.platform == "win32":
        return []
    return [folder for folder in parent.glob(f"{PREFIX}*") if _is_ours(folder) and _remove_if_abandoned(folder)]


def _is_ours(folder: Path) -> bool:
    """Return whether a path is a folder of this user with a lock in it, and no link."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    own = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return own and stat.S_ISDIR(found.st_mode) and (folder / LOCK).is_file()


def _remove_if_abandoned(folder: Path) -> bool:
    """Delete a folder if no process holds its lock."""
    try:
        lock = FileLock(folder / FILES)
    except OutputError:
        return False
    lock.release()
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
    return not folder.exists()
