"""The boundary of an input: whatever goes wrong with one becomes a `SourceError` that names it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from facemood.errors import FacemoodError, SourceError

logger: logging.Logger = logging.getLogger("facemood")

LONGEST = 200
"""Characters of an input's name in a message; a data URL can have millions."""


@contextlib.contextmanager
def input_errors(name: str, kind: type[SourceError] = SourceError) -> Iterator[None]:
    """Turn any exception of an input into an error of ours; KeyboardInterrupt and SystemExit pass.

    Args:
        name: What the message calls the input.
        kind: The error that is raised.

    Raises:
        SourceError: Anything else than a `FacemoodError` was raised.

    Example:
        >>> try:
        ...     with input_errors("a.jpg"):
        ...         raise PermissionError(13, "Permission denied")
        ... except SourceError as error:
        ...     print(error)
        a.jpg: cannot be read (Permission denied)
    """
    try:
        yield
    except FacemoodError:
        raise
    except Exception as error:
        logger.debug("%s: cannot be read", short_name(name), exc_info=True)
        raise kind(f"{short_name(name)}: cannot be read ({_reason(error)})") from error


def short_name(name: str) -> str:
    """Return a name as messages have it, without the middle of a very long one.

    Example:
        >>> short_name("a.jpg"), len(short_name("data:" + 5000 * "A"))
        ('a.jpg', 201)
    """
    half = LONGEST // 2
    return name if len(name) <= LONGEST else f"{name[:half]}…{name[-half:]}"


def _reason(error: Exception) -> str:
    """Say what went wrong."""
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}".removesuffix(": ")
