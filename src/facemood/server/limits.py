"""What a server allows: who may ask, how much, and how often."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

MEGABYTE = 1_000_000

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""What a browser on this machine may call the server. Any other name may be a foreign page's, led here by its DNS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """The bounds of a server.

    Attributes:
        token: What each request must show; empty where none is asked for.
        hosts: The names, without port, by which the server may be called; empty for any.
        max_upload: Bytes of a request that brings pictures.
        max_video: Bytes of a request that brings a video.
        max_frame: Bytes of a live frame.
        max_pixels: Pixels of a picture, and of a video's.
        max_frame_pixels: Pixels of a live frame.
        max_images: Pictures of one request.
        rate: Requests that one address may make a minute.
        frame_rate: Live frames that one connection may send a second.
        connections: Live connections at the same time.
        waiting: Pictures that wait to be read; more are refused until there is room.
        videos: Videos that are read or wait, or whose results are kept.
        keep: Seconds for which a video's results are kept.

    Raises:
        ValueError: A bound is below 1.

    Example:
        >>> ServerOptions(max_images=4).max_images
        4
    """

    token: str = ""
    hosts: tuple[str, ...] = LOOPBACK_NAMES
    max_upload: int = 40 * MEGABYTE
    max_video: int = 2000 * MEGABYTE
    max_frame: int = 4 * MEGABYTE
    max_pixels: int = 40_000_000
    max_frame_pixels: int = 8_500_000
    max_images: int = 16
    rate: int = 1200
    frame_rate: int = 60
    connections: int = 64
    waiting: int = 32
    videos: int = 8
    keep: int = 3600

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name} must be 1 or more, but is {value}")


def is_loopback(host: str) -> bool:
    """Tell whether a server at an address can be reached from its own machine alone.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
