"""Fetch a photo behind an http or https address: bounded in size and time, and with few redirects.

Nothing is fetched unless the user allows it: ``allow_download=True``, or ``--allow-download``.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facemood.errors import ImageError, SourceError
from facemood.sources.items import NamedBytes
from facemood.sources.kinds import SUFFIXES
from facemood.sources.live.network_stream import public_name

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from urllib.request import OpenerDirector

SCHEMES = ("http://", "https://")
"""How addresses begin that can be downloaded."""

MAX_DOWNLOAD = 64_000_000
"""Bytes of the largest photo that is fetched."""

TIMEOUT = 10.0
"""Seconds without an answer, or without more of it, after which a download is given up."""

DEADLINE = 60.0
"""Seconds that a whole download may take."""

MAX_REDIRECTS = 5
"""How often an address may lead to another one."""

CHUNK = 65_536
"""Bytes that are read between two looks at the clock."""


def is_address(text: str) -> bool:
    """Tell whether a text is an address that can be downloaded.

    Example:
        >>> is_address("https://example.org/a.jpg"), is_address("rtsp://camera/1"), is_address("a.jpg")
        (True, False, False)
    """
    return text.lower().startswith(SCHEMES)


def is_photo_address(text: str) -> bool:
    """Tell whether an address leads to a photo, by its ending; others may lead to one too.

    Example:
        >>> is_photo_address("https://example.org/a.JPG?size=1"), is_photo_address("http://camera/video.mjpg")
        (True, False)
    """
    return is_address(text) and Path(text.partition("?")[0].partition("#")[0]).suffix.lower() in SUFFIXES


def download(address: str) -> NamedBytes:
    """Fetch a photo. It is named by its address.

    Raises:
        SourceError: There is no answer in time, or no photo; or the address has a user name or password.
        ImageError: It is larger than `MAX_DOWNLOAD`.
    """
    from http.client import HTTPException

    name, until = public_name(address), time.monotonic() + DEADLINE
    if name != address:
        raise SourceError(f"{name}: an address with a user name or password is not downloaded; fetch the photo first")
    try:
        with _opener().open(address, timeout=TIMEOUT) as answer:
            return NamedBytes(_read(answer, name, until), name)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        code = f"{error.code} " if hasattr(error, "code") else ""
        raise SourceError(f"{name}: cannot be downloaded ({code}{reason}); check the address and the network") from None


def _read(answer: HTTPResponse, name: str, until: float) -> bytes:
    """Read an answer in parts, within its bounds."""
    parts, total = [], 0
    while part := answer.read1(CHUNK):
        parts.append(part)
        total += len(part)
        if total > MAX_DOWNLOAD:
            raise ImageError(f"{name}: the photo has more than {MAX_DOWNLOAD:,} bytes; expected a smaller one")
        if time.monotonic() > until:
            raise SourceError(f"{name}: the download takes more than {DEADLINE:g} seconds; check the network")
    return b"".join(parts)


def _opener() -> OpenerDirector:
    """Return what opens http and https addresses, and no others, also after a redirect."""
    from urllib import request

    class Redirects(request.HTTPRedirectHandler):
        """Follows few redirects, none away from http and https, and none from https to http."""

        max_redirections = MAX_REDIRECTS
        max_repeats = MAX_REDIRECTS

        def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
            """Check where an address leads."""
            if not is_address(newurl) or (req.type == "https" and not newurl.lower().startswith("https://")):
                raise SourceError(f"{public_name(req.full_url)}: leads to {public_name(newurl)}, which is not fetched")
            return super().redirect_request(req, fp, code, msg, headers, newurl)

    opener = request.OpenerDirector()
    opener.addheaders = [("User-Agent", "facemood"), ("Accept", "image/*")]
    for handler in (request.ProxyHandler, request.HTTPHandler, request.HTTPSHandler, request.HTTPDefaultErrorHandler,
                    request.HTTPErrorProcessor, Redirects):  # fmt: skip
        opener.add_handler(handler())
    return opener
