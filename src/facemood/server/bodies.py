"""Request bodies: limits on their size, their speed, and how many arrive at the same time."""

from __future__ import annotations

import asyncio
import contextlib
import time

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from facemood.server.client_places import ClientPlace, Places
from facemood.server.clients import client_of
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem

VIDEOS = "/v1/videos"

DRAINED_BYTES = 2_000_000
"""Bytes of a refused body that are still received, so that its client reads the refusal."""

DRAINED_SECONDS = 1.0
"""Seconds for which a refused body is still received."""

SILENCE = 1.0
"""Seconds without a byte after which an unfinished body may lose its place to a new one, if all places are taken."""


class Bodies:
    """The bodies that arrive at a server at the same time.

    Args:
        options: The limits.

    Attributes:
        held: Bytes of images that requests hold.
    """

    options: ServerOptions
    held: int
    places: Places

    def __init__(self, options: ServerOptions) -> None:
        self.options, self.held = options, 0
        self.places = Places(options.uploads, full="too many uploads at the same time; ask again", silence=SILENCE)

    def of(self, scope: Scope, path: str, receive: Receive) -> Body:
        """Return a request's body.

        Args:
            scope: The request.
            path: Its path, without the root path.
            receive: As the server gives it.
        """
        return Body(self, scope, receive, is_video=path.rstrip("/") == VIDEOS)


class Body:
    """The body of one request. It is refused as soon as it is too large or too slow, whatever its header says.

    It takes a place before its first byte is read. It is called as the `Receive` of ASGI.

    Args:
        bodies: Those that arrive at the same time.
        scope: The request.
        receive: As the server gives it.
        is_video: Whether it goes to the disk, and may be as large as a video.

    Attributes:
        came: Bytes that have come.
        complete: Whether all is there.
    """

    bodies: Bodies
    options: ServerOptions
    receive: Receive
    is_video: bool
    most: int
    announced: int
    complete: bool
    client: str
    came: int

    def __init__(self, bodies: Bodies, scope: Scope, receive: Receive, *, is_video: bool) -> None:
        self.bodies, self.options, self.receive, self.is_video = bodies, bodies.options, receive, is_video
        self.most = self.options.max_video if is_video else self.options.max_upload
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        self.announced = int(length) if length.isdecimal() else 0
        self.complete = not self.announced and "transfer-encoding" not in headers
        self.client, self.came = client_of(scope), 0
        self._began, self._place, self._evicted = 0.0, None, asyncio.Event()

    _place: ClientPlace | None

    async def __call__(self) -> Message:
        """Receive a part of the body.

        Raises:
            Problem: It is too large (413), too slow (408), or there is no room for it (503).
        """
        if self.complete:
            return await self.receive()
        if self.announced > self.most:
            raise self._too_large()
        if self._place is None:
            self._place = self.bodies.places.enter(self.client, self._evicted.set)
            self._began = time.monotonic()
        message = await self._next(self._left())
        if message["type"] == "http.request":
            self._count(len(message.get("body", b"")))
            if not message.get("more_body", False):
                self.complete = True
                self._place.close()
        return message

    async def drain(self) -> None:
        """Receive the rest of a refused body for a moment, so that its client can read the refusal."""
        rest = 0
        ends = time.monotonic() + DRAINED_SECONDS
        with contextlib.suppress(asyncio.TimeoutError):
            while not self.complete and rest < DRAINED_BYTES and (left := ends - time.monotonic()) > 0:
                message = await asyncio.wait_for(self.receive(), left)
                rest += len(message.get("body", b""))
                self.complete = message["type"] != "http.request" or not message.get("more_body", False)

    def close(self) -> None:
        """Give the place and the bytes back when the request has ended."""
        if self._place is not None:
            self._place.close()
        if not self.is_video:
            self.bodies.held -= self.came
        self.came = 0

    def _left(self) -> float:
        """Return the seconds within which the next part must come."""
        allowed = self.options.body_seconds + self.came / self.options.body_rate
        return self._began + allowed - time.monotonic()

    async def _next(self, seconds: float) -> Message:
        """Receive a part within some seconds, unless another client gets the place before."""
        part, evicted = asyncio.ensure_future(self.receive()), asyncio.ensure_future(self._evicted.wait())
        try:
            await asyncio.wait({part, evicted}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
            if part.done() and not self._evicted.is_set():
                return part.result()
        finally:
            part.cancel()
            evicted.cancel()
        if self._evicted.is_set():
            raise Problem(503, self.bodies.places.full, {"Retry-After": "1", "Connection": "close"})
        raise Problem(408, "the upload came too slowly; send it again", {"Connection": "close"})

    def _count(self, size: int) -> None:
        """Count bytes that came."""
        self.came += size
        if self.came > self.most:
            raise self._too_large()
        if self._place is not None:
            self._place.touch()
        if not self.is_video:
            self.bodies.held += size
            if self.bodies.held > self.options.upload_memory:
                raise Problem(503, "too many images arrive at the same time; ask again", {"Retry-After": "1"})

    def _too_large(self) -> Problem:
        """Return the refusal of a body that is too large."""
        return Problem(
            413, f"the upload is too large; expected at most {self.most / 1e6:g} MB", {"Connection": "close"}
        )
