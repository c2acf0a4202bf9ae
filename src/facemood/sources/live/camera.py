"""Open cameras. Errors say why a camera cannot be opened: missing, busy, or not permitted."""

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
"""Folder of the devices on Linux."""

SIZE = (640, 480)
"""Width and height in pixels to request: enough for faces at a desk, and every camera supports it."""

RATE = 30.0
"""Frames per second to request."""

FIRST_TRIES = 5
"""Most reads until a camera's first frame; some cameras give one or two empty frames while they start."""

FIRST_TIMEOUT = 10.0
"""Longest time until a camera's first frame, in seconds."""


def open_camera(device: int | str, *, size: tuple[int, int] = SIZE, rate: float = RATE) -> Feed:
    """Open a camera.

    Args:
        device: The camera's number from 0, or its path such as ``/dev/video2``.
        size: Width and height to request, in pixels; a camera without that size uses a similar one.
        rate: Frames per second to request.

    Raises:
        SourceError: The camera does not exist, is busy, or may not be used.
    """
    with quiet_opencv():
        capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY)
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        capture.set(cv2.CAP_PROP_FPS, rate)
        works = capture.isOpened() and _gives_frame(capture)
    if not works:
        capture.release()
        raise SourceError(explain(device))
    return capture


def list_cameras(devices: Path = DEVICES) -> list[str]:
    """List the cameras of a Linux machine, such as ``camera:0``; other systems have no such list, so it is empty."""
    numbers = [int(found[1]) for path in devices.glob("video*") if (found := re.fullmatch(r"video(\d+)", path.name))]
    return [f"camera:{number}" for number in sorted(numbers)]


@contextlib.contextmanager
def quiet_opencv() -> Iterator[None]:
    """Stop OpenCV's messages on stderr; our own errors say what is wrong."""
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)


def _gives_frame(capture: cv2.VideoCapture) -> bool:
    """Return whether a camera gives a first frame in time."""
    limit = time.monotonic() + FIRST_TIMEOUT
    return any(capture.read()[0] for _ in range(FIRST_TRIES) if time.monotonic() < limit)


def explain(device: int | str, devices: Path = DEVICES) -> str:
    """Return why a camera gives no frame, as far as the system knows, and what to do."""
    name = f"camera:{device}"
    if sys.platform != "linux":
        return (
            f"{name}: the camera gives no frame. Check that it is plugged in, that no other program uses it, and that "
            "the system's privacy settings allow this program to use the camera"
        )
    path = devices / f"video{device}" if isinstance(device, int) else Path(device)
    if not path.exists():
        known = ", ".join(list_cameras(devices))
        advice = f"available: {known}" if known else "no camera is available; plug one in, or use a video file"
        return f"{name}: there is no such camera ({path}); {advice}"
    if not os.access(path, os.R_OK | os.W_OK):
        return f"{name}: no permission for {path}; join its group (sudo usermod -aG video $USER) and log in again"
    return (
        f"{name}: {path} exists but gives no frame. Either it is busy: close the program that uses it. "
        f"Or it is a camera's metadata device: try {_others(name, devices)}"
    )


def _others(name: str, devices: Path) -> str:
    """Return the names of the other cameras, or the advice to plug the camera in again."""
    return ", ".join(other for other in list_cameras(devices) if other != name) or "to plug it in again"
