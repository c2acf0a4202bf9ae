"""Threads for large images and videos give way to those for small images."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

NICENESS = 10
"""By how much threads and processes for large images are nicer than the others, 0 to 19."""


def give_way() -> None:
    """Lower the priority of the calling thread for good (Linux; elsewhere threads have no niceness of their own).

    Example:
        >>> thread = threading.Thread(target=give_way)
        >>> thread.start()
        >>> thread.join()
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
