"""Recognize live sources by their names, and open them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from facemood.errors import SourceError
from facemood.sources.live import camera, screen
from facemood.sources.live.network_stream import SCHEMES, NetworkStream, public_name
from facemood.sources.live.reconnect import WAITS, Feed, LiveSource


def is_live(name: str) -> bool:
    """Return whether a name is the name of a camera, a screen or a network stream.

    Example:
        >>> [is_live(name) for name in ("camera", "screen:2", "rtsp://host/1", "clip.mp4")]
        [True, True, True, False]
    """
    scheme, mark, _ = name.partition("://")
    return scheme.lower() in SCHEMES if mark else name.partition(":")[0] in ("camera", "screen")


def check_live(name: str) -> str:
    """Return the name of a live source, after a check.

    Raises:
        SourceError: It is not the name of a live source.

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
        name: ``camera`` or ``camera:0`` for the first camera, ``camera:/dev/video2``; ``screen`` for the whole screen,
            ``screen:2`` for a monitor, ``screen:X,Y,WIDTH,HEIGHT`` for a region; ``rtsp://``, ``http://``, ``udp://``.
        size: Width and height to request from a camera, in pixels.
        rate: Frames per second to request from a camera, or most frames per second of a screen; None uses 30 and 12.
        open_feed: Opens the device; None chooses by the name.
        waits: Seconds to wait before each attempt to reopen a lost source.

    Raises:
        SourceError: The name is not one of these, or the source does not exist, is busy, or may not be used.
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
    """Return the function that opens the device of a name."""
    if "://" in check_live(name):
        return functools.partial(NetworkStream, name)
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
