"""Capture the whole screen, one monitor, or a region."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from typing import Any, TypeAlias

import numpy as np

from facemood.errors import SourceError, require
from facemood.schema import Image

logger: logging.Logger = logging.getLogger("facemood")

RATE = 12.0
"""Most screenshots per second. A video call has little more, and each frame costs a run of the networks."""

Region: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the whole screen."""


def parse_screen(text: str) -> int | Region:
    """Parse which part of the screen a text names.

    Args:
        text: Empty for the whole screen, the number of a monitor from 1, or ``x,y,width,height``.

    Returns:
        The number of a monitor, 0 for all of them together, or a region.

    Raises:
        SourceError: It is a window title, or not a region.

    Example:
        >>> parse_screen(""), parse_screen("2"), parse_screen("-100, 0, 640, 480")
        (0, 2, (-100, 0, 640, 480))
    """
    parts = [part.strip() for part in text.split(",")] if text.strip() else ["0"]
    if not all(re.fullmatch(r"-?\d+", part) for part in parts):
        raise SourceError(
            f"screen:{text}: windows cannot be selected by title; "
            "give the window's position, screen:X,Y,WIDTH,HEIGHT in pixels, or a monitor, such as screen:1"
        )
    numbers = [int(part) for part in parts]
    if len(numbers) == 1 and numbers[0] >= 0:
        return numbers[0]
    if len(numbers) != 4 or min(numbers[2:]) < 1:
        raise SourceError(f"screen:{text}: expected a monitor from 1, or X,Y,WIDTH,HEIGHT, such as screen:0,0,640,480")
    return numbers[0], numbers[1], numbers[2], numbers[3]


class Screen:
    """A part of the screen as a feed, with a limited frame rate.

    Args:
        part: The number of a monitor, 0 for all, or a region.
        rate: Most frames per second.

    Raises:
        MissingExtraError: mss is not installed (extra ``live``).
        SourceError: There is no display, no such monitor, or the region reaches beyond the screen.
    """

    def __init__(self, part: int | Region, *, rate: float = RATE) -> None:
        self._mss = require("mss", extra="live")
        self._next, self._interval = 0.0, 1 / rate
        opened = self._mss.MSS if hasattr(self._mss, "MSS") else self._mss.mss  # 10.2 renamed it
        try:
            self._grabber: Any = opened()
            monitors = self._grabber.monitors
        except self._mss.ScreenShotError as error:
            raise SourceError(f"the screen cannot be read: {_explain_failure(error)}") from error
        try:
            self._area = _area(part, monitors)
        except SourceError:
            self.release()
            raise
        if os.environ.get("XDG_SESSION_TYPE") == "wayland":
            logger.warning("Wayland does not show other programs' windows to this program; they may be black")

    def read(self) -> tuple[bool, Image | None]:
        """Wait until the next frame is due and capture it, (H, W, 3) uint8 BGR."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._interval
        try:
            shot = self._grabber.grab(self._area)
        except Exception:  # when the display is lost, mss raises many types of errors, AssertionError too
            return False, None
        pixels = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)  # BGR and an unused byte
        return True, np.ascontiguousarray(pixels[:, :, :3])

    def release(self) -> None:
        """Close the connection to the display; errors of a lost display are ignored."""
        with contextlib.suppress(self._mss.ScreenShotError):
            self._grabber.close()


def _area(part: int | Region, monitors: list[dict[str, int]]) -> dict[str, int]:
    """Return a part of the screen in mss's format; its first monitor stands for all monitors together."""
    known = ", ".join(f"screen:{number} {_region(monitor)}" for number, monitor in enumerate(monitors) if number)
    if isinstance(part, int):
        if part >= len(monitors):
            raise SourceError(f"screen:{part}: there is no such monitor; available: {known}")
        return monitors[part]
    left, top, width, height = part
    whole = monitors[0]
    right, bottom = whole["left"] + whole["width"], whole["top"] + whole["height"]
    if left < whole["left"] or top < whole["top"] or left + width > right or top + height > bottom:
        raise SourceError(
            f"screen:{left},{top},{width},{height}: the region reaches beyond the screen; monitors: {known}"
        )
    return {"left": left, "top": top, "width": width, "height": height}


def _region(monitor: dict[str, int]) -> str:
    """Return a monitor's position and size in the format of a region."""
    return f"({monitor['left']},{monitor['top']},{monitor['width']},{monitor['height']})"


def _explain_failure(error: Exception) -> str:
    """Return why the display does not answer, and what to do."""
    display = os.environ.get("DISPLAY")
    if os.name == "posix" and not display:
        return "there is no display (DISPLAY is not set); run it in a session with a screen"
    return f"{error}; run it in a session with a screen" + (f", DISPLAY is {display}" if display else "")
