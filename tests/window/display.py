"""A virtual display for tests, and a window on it that shows an image."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from facemood.schema import Image

SIZE = (800, 600)

SHOW = """
import sys
import numpy as np
from facemood.render.display import Window
height, width = int(sys.argv[1]), int(sys.argv[2])
picture = np.frombuffer(sys.stdin.buffer.read(height * width * 3), np.uint8).reshape(height, width, 3)
with Window("picture") as window:
    window.open((width, height))
    while not sys.stdin.closed:
        window.actions()
        window.show(picture)
        print("display_label", flush=True)
        if not sys.stdin.buffer.read(1):
            break
"""


@contextlib.contextmanager
def virtual_display() -> Iterator[str]:
    """Run Xvfb on a free display, and yield its name for DISPLAY."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb, a virtual display, which is not installed")
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writes], stderr=subprocess.DEVNULL) as server:
        os.close(writes)
        try:
            with os.fdopen(reads) as pipe:  # it writes its number when it can be used
                yield f":{pipe.readline().strip()}"
        finally:
            server.kill()


@contextlib.contextmanager
def shown_picture(display: str, picture: Image) -> Iterator[None]:
    """Show an image (H, W, 3) uint8 BGR in a window of another process, in the middle of a display."""
    environment = {**os.environ, "DISPLAY": display, "SDL_VIDEODRIVER": "x11"}
    command = [sys.executable, "-c", SHOW, *map(str, picture.shape[:2])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(picture.tobytes())
        for _ in range(2):  # the second time it stands on the screen for sure
            process.stdin.write(b".")
            process.stdin.flush()
            process.stdout.readline()
        yield
