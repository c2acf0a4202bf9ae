"""Memory that networks may take: a file of two kilobytes can name arrays of tens of gigabytes.

While a model is opened, ONNX Runtime works out what does not depend on the input. Linux holds that within a limit
(``RLIMIT_DATA``). Other systems have no such limit, and there ONNX Runtime's own holds (1 GB an array in version 1.32).
While a network runs, ONNX Runtime's allocator holds the limit, everywhere. Beyond a limit ONNX Runtime raises an error
of its own.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OPENING = 4 * 2**30
"""Bytes by which a process may grow while it opens a model, beside `COPIES` of its file."""

COPIES = 4
"""How often the weights of a file are in memory at most while it is opened: parsed, taken over, folded, packed."""

RUNNING = 4 * 2**30
"""Bytes that all networks of a process may take together: 64 faces of 224 x 224 through VGG-16 take 2."""

STATUS = Path("/proc/self/status")
"""Where Linux tells how much memory a process has."""

_one_at_a_time = threading.RLock()


@contextmanager
def limited_growth(most: int) -> Iterator[None]:
    """Keep this process from growing by more than so many bytes; where it would, an allocation fails.

    The limit holds for all threads. Threads that use it wait for each other. Where the system cannot limit, nothing
    happens.

    Args:
        most: Bytes.

    Example:
        >>> with limited_growth(2**30):
        ...     len(bytes(1000))
        1000
    """
    if sys.platform != "linux":
        yield
        return
    import resource

    with _one_at_a_time:
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bounds = [limit for limit in (soft, hard, _data_size() + most) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_size() -> int:
    """Return the bytes of this process that `RLIMIT_DATA` counts."""
    found = re.search(r"^VmData:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 2**62
