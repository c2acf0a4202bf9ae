"""Open a camera, or say why it cannot be opened: none there, none of that number, busy, not allowed."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from facemood.errors import SourceError
from facemood.sources.live.reconnect import Feed

DEVICES = Path("/dev")
SIZE = (640, 480)
"""Width and height that cameras are asked for: enough for faces at a desk, and every camera has it."""

RATE = 30.0
"""Frames a second that cameras are asked for."""

FIRST_TRIES, FIRST_TIMEOUT = 5, 10.0
"""Reads and seconds until a camera's first picture; some give an empty one or two while they wake up."""


def open_camera(device: int | str, *, size: tuple[int, int] = SIZE, rate: float = RATE) -> Feed:
    """Open a camera.

    Args:
        device: Its number from 0, or its path such as ``/dev/video2``.
        size: Width and height to ask for; a camera that lacks them gives what is near.
        rate: Frames a second to ask for.

    Raises:
        SourceError: There is no such camera, it is busy, or it may not be used.
    """
    with quiet_opencv():
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        capture.set(cv2.CAP_PROP_FPS, rate)
        works = capture.isOpened() and _wakes(capture)
    if not works:
        capture.release()
        raise SourceError(explain(device))
    return capture


def list_cameras(devices: Path = DEVICES) -> list[str]:
    """Name the cameras of a Linux machine, such as ``camera:0``; other systems do not tell, and the list is empty."""
    numbers = [int(found[1]) for path in devices.glob("video*") if (found := re.fullmatch(r"video(\d+)", path.name))]
    return [f"camera:{number}" for number in sorted(numbers)]


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Keep OpenCV from writing to stderr; what is wrong is said by an error."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _wakes(capture: cv2.VideoCapture) -> bool:
    """Tell whether a camera gives a picture in time."""
    limit = time.monotonic() + FIRST_TIMEOUT
    return any(capture.read()[0] for _ in range(FIRST_TRIES) if time.monotonic() < limit)


def explain(device: int | str, devices: Path = DEVICES) -> str:
    """Say why a camera gives no picture, as far as the system tells, and what to do."""
    name = f"camera:{device}"
    if sys.platform != "linux":
        return (
            f"{name}: no picture came. Is the camera plugged in, not in use by another program, and is this program "
            "allowed to use it (in the system's settings for privacy, camera)?"
        )
    path = devices / f"video{device}" if isinstance(device, int) else Path(device)
    if not path.exists():
        there = list_cameras(devices)
        mend = (
            f"those there are: {', '.join(there)}"
            if there
            else "there is none at all; plug one in, or give a video file"
        )
        return f"{name}: there is no such camera ({path}); {mend}"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{name}: {path} may not be opened; join its group (sudo usermod -aG video $USER) and log in again"
    return (
        f"{name}: {path} is there but gives no picture. It is busy, so close the program that uses it, "
        f"or it is no camera but data beside one: try {_others(name, devices)}"
    )


def _others(name: str, devices: Path) -> str:
    """Name the cameras beside one."""
    return ", ".join(other for other in list_cameras(devices) if other != name) or "to plug it in again"
