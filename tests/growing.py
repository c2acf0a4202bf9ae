"""Files that grow, and disks that are full."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path


def growing(folder: Path) -> list[str]:
    """The files that grow in a folder, by their final names, where there are no others."""
    names = [path.name for path in folder.iterdir() if not path.name.endswith(".lock")]
    assert all(re.fullmatch(r".+\.[0-9a-f]{16}\.part", name) for name in names)
    return [name[:-22] for name in names]


def part_of(target: Path) -> Path | None:
    """Where a file grows, if it does."""
    return next(target.parent.glob(f"{target.name}.*.part"), None)


@contextlib.contextmanager
def full_disk(size: int) -> Iterator[None]:
    """A disk that is full where a file has so many bytes; what the test itself writes meanwhile stays below."""
    if sys.platform == "win32":
        raise NotImplementedError("needs a limit of the size of files")
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
