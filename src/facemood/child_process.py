"""Processes that work for this one: how they are started, and what each of them does first.

A child takes calls from a pipe and answers through another one; so it ends with its owner. This file is what it runs.
It prepares the process and hands it to a module's ``main(source, target, arguments)``.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":  # the folder of this file must not hide packages, and its package must be found
    own: Path = Path(__file__).resolve().parent
    sys.path[:] = [*(entry for entry in sys.path if Path(entry).resolve() != own), str(own.parent)]

import importlib
import io
import os
import signal
import subprocess
from typing import IO

STARTER = Path(__file__)
"""What the process runs. It is started as a file, so that neither the caller's main module nor folder is imported."""

CHILD = "--child"
"""First argument of a frozen program that is to be a child: it has no Python that could run `STARTER`."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Settings of the process: one does one thing at a time, so libraries need no threads."""

KEPT = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 25))
"""Settings of the process: glibc keeps up to 32 MiB for the next image instead of giving them back to the system.
Otherwise each image pays for new pages: 300 for a photo of 640 x 480."""


def start_child(
    module: str,
    *arguments: str,
    bufsize: int = -1,
    stderr: int | IO[bytes] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that runs a module's `main`.

    Args:
        module: Its full name.
        arguments: What its `main` gets.
        bufsize: Bytes that each pipe gathers here; 0 for none.
        stderr: Where its messages go; None for this process's stderr.

    Returns:
        The process. Its stdin takes calls, and its stdout has the answers.
    """
    return subprocess.Popen(
        [sys.executable, CHILD if getattr(sys, "frozen", False) else str(STARTER), module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        bufsize=bufsize,
        env={**KEPT, **os.environ, **ONE_THREAD},
    )


def main() -> None:
    """Prepare this process, and run the module that the arguments name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the owner decides
    source, target = io.FileIO(os.dup(0)), io.FileIO(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between the answers
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    importlib.import_module(sys.argv[1]).main(source, target, sys.argv[2:])


if __name__ == "__main__":
    main()
