"""The limits of a server, in one table: each with its default, its unit and its meaning."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import Field, dataclass, field, fields
from typing import Any, NamedTuple, cast

from facemood.isolation.bounds import ImageBounds, VideoBounds
from facemood.switches import check_switches

MEGABYTE = 1_000_000

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
"""What a browser on this machine may call the server. Any other name may be a foreign page's, led here by its DNS."""


def _limit(default: float, unit: str, meaning: str, refusal: str) -> Any:
    """Return a dataclass field for a limit, with its unit, its meaning, and what happens above it."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "refusal": refusal})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """The limits of a server. `list_limits` gives them as a table, which docs/server.md shows.

    Attributes:
        token: What each request must show; empty where none is asked for.
        hosts: The names, without port, by which the server may be called; empty for any.
        access_log: Whether each request is logged.

    Raises:
        ValueError: A limit is not above 0, or `access_log` is no bool (`OptionError`).

    Example:
        >>> ServerOptions(max_images=4).max_images
        4
    """

    token: str = ""
    hosts: tuple[str, ...] = LOOPBACK_NAMES
    access_log: bool = False

    max_upload: int = _limit(40 * MEGABYTE, "bytes", "request with images", "413")
    max_images: int = _limit(16, "images", "images of one request", "422")
    max_parts: int = _limit(64, "parts", "parts of one form, whatever their names", "413")
    max_pixels: int = _limit(40_000_000, "pixels", "area of an image", "413")
    max_side: int = _limit(20_000, "pixels", "width of an image, and height of an image", "413")
    max_aspect: int = _limit(3_000, "ratio", "longer side of an image divided by the shorter side", "413")
    max_scans: int = _limit(100, "scans", "scans of a progressive JPEG", "413")
    decode_seconds: float = _limit(15.0, "seconds", "time to decode an image, or to open a video", "413")
    decode_memory: int = _limit(
        1000 * MEGABYTE,
        "bytes",
        "memory of a process that decodes images, in addition to what it has at the start",
        "413",
    )

    max_frame: int = _limit(4 * MEGABYTE, "bytes", "live image", "close 1009")
    max_frame_pixels: int = _limit(8_500_000, "pixels", "area of a live image", "413")
    frame_rate: int = _limit(60, "per second", "live images of one connection; bursts of twice as many", "close 1008")
    max_setting: int = _limit(1_000, "characters", "live setting", "close 1009")
    setting_rate: int = _limit(
        20, "per second", "live settings of one connection; bursts of six times as many", "close 1008"
    )
    live_idle: float = _limit(120.0, "seconds", "time without an image on a live connection", "close 1000")

    max_video: int = _limit(2000 * MEGABYTE, "bytes", "request with a video", "413")
    max_video_pixels: int = _limit(9_000_000, "pixels", "area of each frame of a video, with square pixels", "413")
    video_seconds: float = _limit(7_200.0, "seconds", "length of a video", "413")
    video_frames: int = _limit(250_000, "frames", "analyzed frames of a video", "413")
    video_memory: int = _limit(
        500 * MEGABYTE,
        "bytes",
        "memory of a process that decodes a video, in addition to what it has at the start",
        "413",
    )
    step_seconds: float = _limit(15.0, "seconds", "time to decode one frame of a video", "413")
    finish_seconds: float = _limit(60.0, "seconds", "time to finish an annotated video with its sound", "413")
    videos: int = _limit(8, "videos", "videos that wait, are analyzed, or whose results are kept", "503")
    keep: int = _limit(3600, "seconds", "time for which the results of a video are kept", "deleted")

    rate: int = _limit(
        1200,
        "per minute",
        "requests of one client, and 20 times as many for files of the page; bursts of a quarter",
        "429",
    )
    wrong_tokens: int = _limit(30, "per minute", "wrong tokens of one client; bursts of a quarter of them", "429")
    waiting: int = _limit(32, "images", "images of requests that wait or are analyzed", "503")
    uploads: int = _limit(32, "requests", "request bodies that arrive at the same time", "503")
    upload_memory: int = _limit(400 * MEGABYTE, "bytes", "bodies with images of all requests together", "503")
    connections: int = _limit(64, "connections", "live connections at the same time", "close 1013")
    http_connections: int = _limit(
        256, "connections", "other connections at the same time; the most idle one is closed", "closed"
    )
    head_seconds: float = _limit(10.0, "seconds", "time until the head of a request has arrived", "closed")
    body_seconds: float = _limit(
        20.0, "seconds", "time until the body of a request has arrived, plus its size divided by `body_rate`", "408"
    )
    body_rate: int = _limit(50_000, "bytes per second", "least average speed of a large body", "408")
    stall: float = _limit(60.0, "seconds", "time of one batch, after which /healthz fails", "503")

    def __post_init__(self) -> None:
        check_switches(access_log=self.access_log)
        for limit in limit_fields():
            value = getattr(self, limit.name)
            if not value > 0 or (isinstance(limit.default, int) and value < 1):
                least = "1 or more" if isinstance(limit.default, int) else "above 0"
                raise ValueError(f"{limit.name} must be {least}, but is {value}")

    def picture(self, *, quick: int = 0) -> ImageBounds:
        """Return the limits of an image. `quick` is for `ImageBounds.quick`."""
        return ImageBounds(
            pixels=self.max_pixels, side=self.max_side, aspect=self.max_aspect, scans=self.max_scans, quick=quick
        )

    def frame(self, *, quick: int = 0) -> ImageBounds:
        """Return the limits of a live image. `quick` is for `ImageBounds.quick`."""
        return ImageBounds(
            pixels=self.max_frame_pixels, side=self.max_side, aspect=self.max_aspect, scans=self.max_scans, quick=quick
        )

    def video(self) -> VideoBounds:
        """Return the limits of a video."""
        return VideoBounds(pixels=self.max_video_pixels, seconds=self.video_seconds, frames=self.video_frames)


class Limit(NamedTuple):
    """One limit of a server.

    Attributes:
        name: As an argument of `ServerOptions`, and with ``facemood serve --limit NAME=VALUE``.
        default: Its default value.
        unit: Of the value.
        meaning: What is limited.
        refusal: What happens above it: an HTTP status, a close code of a WebSocket, or a word.
    """

    name: str
    default: float
    unit: str
    meaning: str
    refusal: str


def limit_fields() -> list[Field[Any]]:
    """Return the fields of `ServerOptions` that are limits."""
    return [one for one in fields(ServerOptions) if one.metadata]


def list_limits() -> list[Limit]:
    """Return all limits of a server, in the order of the table in docs/server.md.

    Example:
        >>> list_limits()[0].name, list_limits()[0].unit
        ('max_upload', 'bytes')
    """
    return [Limit(one.name, cast("float", one.default), **one.metadata) for one in limit_fields()]


def limits_table() -> str:
    """Return all limits as a Markdown table."""
    rows = [
        f"| `{name}` | {_number(default)} | {unit} | {meaning} | {refusal} |"
        for name, default, unit, meaning, refusal in list_limits()
    ]
    return "\n".join(["| limit | default | unit | limits | above it |", "|---|---|---|---|---|", *rows])


def _number(value: float) -> str:
    """Return a number with commas, and without decimals that say nothing."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def parse_limits(texts: Iterable[str]) -> dict[str, Any]:
    """Parse limits from the command line, each as NAME=VALUE.

    Raises:
        ValueError: The name is unknown, or the value is not a number.

    Example:
        >>> parse_limits(["videos=2", "stall=0.5"])
        {'videos': 2, 'stall': 0.5}
    """
    known = {limit.name: limit for limit in list_limits()}
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in known:
            raise ValueError(f"there is no limit {name!r}; expected NAME=VALUE with one of {', '.join(known)}")
        try:
            found[name] = type(known[name].default)(value)
        except ValueError:
            raise ValueError(
                f"{text}: expected a number of {known[name].unit}, such as {known[name].default:g}"
            ) from None
    return found


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
