"""A window by pygame-ce: it shows pictures and tells what was pressed."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np

from facemood.errors import DeviceError, require
from facemood.schema import Image

NO_DISPLAY = (
    "there is no display to open a window on{reason}. Run it in a session with a screen, or without a window: "
    "facemood live --no-window --json, or --record FOLDER; the web page of facemood serve needs no display here"
)

ROOM = 0.9
"""The share of the desktop that a new window takes at most."""


class Window:
    """A window that can be resized; to be made, used and closed in the main thread.

    Args:
        title: What stands above it.

    Raises:
        MissingExtraError: pygame is not installed (extra ``live``).
        DeviceError: There is no display.
    """

    is_open: bool

    def __init__(self, title: str) -> None:
        self._pygame = _load_pygame()
        self._title = title
        self.is_open = False
        self._actions = _actions(self._pygame)

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what can be drawn on, in pixels."""
        width, height = self._pygame.display.get_surface().get_size()
        return width, height

    def open(self, size: tuple[int, int]) -> None:
        """Open it with a width and height, or smaller in the same proportion where the desktop is too small."""
        width, height = self._pygame.display.get_desktop_sizes()[0]
        scale = min(1.0, ROOM * width / size[0], ROOM * height / size[1])
        self._pygame.display.set_caption(self._title)
        wanted = round(size[0] * scale), round(size[1] * scale)
        with _ctrl_c_held():  # pygame seeks its icon here, and forgets every exception that comes meanwhile
            self._pygame.display.set_mode(wanted, self._pygame.RESIZABLE)
        self.is_open = True

    def show(self, picture: Image) -> None:
        """Show a picture (H, W, 3) uint8 BGR, from the window's upper left corner on."""
        size = picture.shape[1], picture.shape[0]
        image = self._pygame.image.frombuffer(np.ascontiguousarray(picture), size, "BGR")
        self._pygame.display.get_surface().blit(image, (0, 0))  # resizing makes a new surface
        self._pygame.display.flip()

    def actions(self) -> list[str]:
        """Return what was asked for since the last call: ``close``, ``pause``, ``snapshot``, ``record``, ``redraw``."""
        asked = []
        for event in self._pygame.event.get():
            key = event.key if event.type == self._pygame.KEYDOWN else None
            asked.append(self._actions.get((event.type, key), ""))
        return [action for action in asked if action]

    def close(self) -> None:
        """Close it; a second time does nothing."""
        self.is_open = False
        self._pygame.display.quit()


@contextlib.contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Hold Ctrl-C back until the block is done; to be used in the main thread, the only one that hears it."""
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *event: pressed.append(event))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def _load_pygame() -> Any:
    """Import pygame and find a display, or say what is missing."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # stdout carries data only, no greetings
    pygame = require("pygame", extra="live")
    asked = os.environ.get("SDL_VIDEODRIVER")
    linux = sys.platform.startswith("linux")
    if linux and not (asked or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise DeviceError(NO_DISPLAY.format(reason=" (neither DISPLAY nor WAYLAND_DISPLAY is set)"))
    try:
        pygame.display.init()
    except pygame.error as error:
        raise DeviceError(NO_DISPLAY.format(reason=f" ({error})")) from error
    if pygame.display.get_driver() == "offscreen" and asked != "offscreen":  # SDL's last resort, which nobody sees
        pygame.display.quit()
        raise DeviceError(NO_DISPLAY.format(reason=" (the one that DISPLAY names does not answer)"))
    return pygame


def _actions(pygame: Any) -> dict[tuple[int, int | None], str]:
    """Say which event asks for what."""
    keys = {
        **dict.fromkeys((pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_q, pygame.K_ESCAPE), "close"),
        pygame.K_SPACE: "pause",
        pygame.K_s: "snapshot",
        pygame.K_r: "record",
    }
    others = {pygame.QUIT: "close", pygame.VIDEORESIZE: "redraw", pygame.WINDOWEXPOSED: "redraw"}
    pressed = {(pygame.KEYDOWN, key): action for key, action in keys.items()}
    return {**pressed, **{(event, None): action for event, action in others.items()}}
