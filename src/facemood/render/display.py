"""A window by pygame-ce: it shows images and reports keys."""

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
"""Message for a machine without a display, with a place for the reason."""

ROOM = 0.9
"""Largest share of the desktop's width and height that a new window takes, 0..1; the rest is left for its frame."""


class Window:
    """A resizable window. Create, use and close it in the main thread.

    Args:
        title: Title of the window.

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
        """Width and height of the drawing area in pixels."""
        width, height = self._pygame.display.get_surface().get_size()
        return width, height

    def open(self, size: tuple[int, int]) -> None:
        """Open the window with a width and height in pixels, scaled down if the desktop is too small."""
        width, height = self._pygame.display.get_desktop_sizes()[0]
        scale = min(1.0, ROOM * width / size[0], ROOM * height / size[1])
        self._pygame.display.set_caption(self._title)
        wanted = round(size[0] * scale), round(size[1] * scale)
        with _ctrl_c_delayed():  # pygame loads its icon here and discards every exception, KeyboardInterrupt too
            self._pygame.display.set_mode(wanted, self._pygame.RESIZABLE)
        self.is_open = True

    def show(self, image: Image) -> None:
        """Show an image (H, W, 3) uint8 BGR in the upper left corner of the window."""
        size = image.shape[1], image.shape[0]
        surface = self._pygame.image.frombuffer(np.ascontiguousarray(image), size, "BGR")
        self._pygame.display.get_surface().blit(surface, (0, 0))  # resizing creates a new surface
        self._pygame.display.flip()

    def actions(self) -> list[str]:
        """Return the user's actions since the last call: ``close``, ``pause``, ``snapshot``, ``record``, ``redraw``."""
        actions = []
        for event in self._pygame.event.get():
            key = event.key if event.type == self._pygame.KEYDOWN else None
            actions.append(self._actions.get((event.type, key), ""))
        return [action for action in actions if action]

    def close(self) -> None:
        """Close the window; a second call does nothing."""
        self.is_open = False
        self._pygame.display.quit()


@contextlib.contextmanager
def _ctrl_c_delayed() -> Iterator[None]:
    """Delay Ctrl-C until the block has ended. Use it in the main thread: only that thread gets signals."""
    pressed = []
    before = signal.signal(signal.SIGINT, lambda *event: pressed.append(event))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def _load_pygame() -> Any:
    """Import pygame and open a display.

    Raises:
        MissingExtraError: pygame is not installed.
        DeviceError: There is no display.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # stdout is for data only
    pygame = require("pygame", extra="live")
    requested = os.environ.get("SDL_VIDEODRIVER")
    linux = sys.platform.startswith("linux")
    if linux and not (requested or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise DeviceError(NO_DISPLAY.format(reason=" (neither DISPLAY nor WAYLAND_DISPLAY is set)"))
    try:
        pygame.display.init()
    except pygame.error as error:
        raise DeviceError(NO_DISPLAY.format(reason=f" ({error})")) from error
    if pygame.display.get_driver() == "offscreen" and requested != "offscreen":  # SDL's fallback, which is invisible
        pygame.display.quit()
        raise DeviceError(NO_DISPLAY.format(reason=" (the one that DISPLAY names does not answer)"))
    return pygame


def _actions(pygame: Any) -> dict[tuple[int, int | None], str]:
    """Return the action for each event and key."""
    keys = {
        **dict.fromkeys((pygame.K_RETURN, pygame.K_KP_ENTER, pygame.K_q, pygame.K_ESCAPE), "close"),
        pygame.K_SPACE: "pause",
        pygame.K_s: "snapshot",
        pygame.K_r: "record",
    }
    others = {pygame.QUIT: "close", pygame.VIDEORESIZE: "redraw", pygame.WINDOWEXPOSED: "redraw"}
    pressed = {(pygame.KEYDOWN, key): action for key, action in keys.items()}
    return {**pressed, **{(event, None): action for event, action in others.items()}}
