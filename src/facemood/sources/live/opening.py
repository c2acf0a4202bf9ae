"""Tell live sources by their names, and open them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from facemood.errors import SourceError
from facemood.sources.live import camera, screen
from facemood.sources.live.network_stream import SCHEMES, Stream, public_name
from facemood.sources.live.reconnect import WAITS, Feed, LiveSource


def is_live(name: str) -> bool:
    """Tell whether a name is that of a camera, a screen or a network stream.

    Example:
        >>> [is_live(name) for name in ("camera", "screen:2", "rtsp://host/1", "clip.mp4")]
        [True, True, True, False]
    """
    scheme, mark, _ = name.partition("://")
    return scheme.lower() in SCHEMES if mark else name.partition(":")[0] in ("camera", "screen")


def check_live(name: str) -> str:
    """Return a name that is that of a live source.

    Raises:
        SourceError: It is none.

    Example:
        >>> check_live("camera:0")
        'camera:0'
    """
    if not is_live(name):
        raise SourceError(
            f"{name!r} is no live source; expected camera:0, screen, or an address such as rtsp://HOST/1. "
            "Files are read by analyze"
        )
    return name


def open_live(
    name: str,
    *,
    size: tuple[int, int] = camera.SIZE,
    rate: float | None = None,
    open_feed: Callable[[], Feed] | None = None,
    waits: Sequence[float] = WAITS,
) -> LiveSource:
    """Open a camera, a screen or a network stream.

    Args:
        name: ``camera`` or ``camera:0`` for the first one, ``camera:/dev/video2``; ``screen`` for all of it,
            ``screen:2`` for a monitor, ``screen:X,Y,WIDTH,HEIGHT`` for a region; ``rtsp://``, ``http://``, ``udp://``.
        size: Width and height that a camera is asked for.
        rate: Frames a second that a camera is asked for, or that a screen gives at most; None takes 30 and 12.
        open_feed: Opens the device in the place of the one that the name says.
        waits: Seconds before each try to open a lost source again.

    Raises:
        SourceError: The name is none of these, or the source is not there, busy, or may not be used.
        MissingExtraError: The screen needs mss, which is not installed (extra ``live``).

    Example:
        >>> from facemood.errors import SourceError
        >>> try:
        ...     open_live("clip.mp4")
        ... except SourceError as error:
        ...     print(str(error)[:29])
        'clip.mp4' is no live source;
    """
    return LiveSource(public_name(name), open_feed or _find_feed(name, size, rate), waits=waits)


def _find_feed(name: str, size: tuple[int, int], rate: float | None) -> Callable[[], Feed]:
    """Return what opens the device of a name."""
    if "://" in check_live(name):
        return functools.partial(Stream, name)
    kind, _, rest = name.partition(":")
    if kind == "screen":
        return functools.partial(screen.Screen, screen.parse_screen(rest), rate=rate or screen.RATE)
    device = _parse_camera(rest)
    return functools.partial(camera.open_camera, device, size=size, rate=rate or camera.RATE)


def _parse_camera(text: str) -> int | str:
    """Return a camera's number or path."""
    if not text or text.isdecimal():
        return int(text or "0")
    if text.startswith("/"):
        return text
    raise SourceError(f"camera:{text}: expected a camera's number, such as camera:0, or its path")
