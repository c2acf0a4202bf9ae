"""Write a file beside its name and rename it into place, so that nobody takes a half-written file for a whole one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from facemood.errors import OutputError


def open_partial(path: Path, mode: str = "w", **options: Any) -> tuple[IO[Any], Path]:
    """Open ``<path>.part`` for writing, making the folder; return the file and its path.

    Raises:
        OutputError: The place cannot be written to.
    """
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise OutputError(f"{path}: cannot be written, it is a folder; give a file's name")
        return partial.open(mode, **options), partial
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from error


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
    target = Path(path)
    file, partial = open_partial(target, mode, **options)
    try:
        with file:
            yield file
        partial.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror or error})") from error
    finally:
        partial.unlink(missing_ok=True)
