"""HTTP connections: a limit on their number, and a deadline for the head of each request."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from facemood.server.client_places import ClientPlace, Places
from facemood.server.clients import network_of
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem

HEAD = 32_768
"""Most bytes of the head of a request."""


def bounded_protocol(options: ServerOptions) -> type[H11Protocol]:
    """Return the protocol class that uvicorn uses for connections. They share a limited number of places.

    If all places are taken, a new connection replaces the one that has been idle for the longest time. Connections that
    wait for their answer stay. So connections without a request do not lock others out.

    Args:
        options: The limits.
    """
    idle = Places(options.http_connections, full="too many connections", silence=0.0)
    return type("BoundedProtocol", (_Bounded,), {"places": idle, "head_seconds": options.head_seconds})


class _Bounded(H11Protocol):
    """A connection that holds a place, with a deadline for the head of each request."""

    places: Places
    head_seconds: float

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._place: ClientPlace | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a place, or close the connection."""
        super().connection_made(transport)
        try:
            self._place = self.places.enter(network_of(self.client[0] if self.client else ""), transport.abort)
        except Problem:
            transport.abort()
            return
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take in what comes, and note how far the request is."""
        if self._place is not None:
            self._place.touch()
        super().data_received(data)
        self._note_state()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._note_state()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Leave the place: live connections are counted separately."""
        self._leave()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the place."""
        self._leave()
        super().connection_lost(exc)

    def _note_state(self) -> None:
        """Note who acts next, the client or the server, and start or cancel the deadline of the head."""
        if self._place is None:
            return
        state = self.conn.their_state
        answered = self.cycle is None or self.cycle.response_complete  # None: what came first was no request
        self._place.busy = state not in (h11.IDLE, h11.SEND_BODY) and not answered
        if state is not h11.IDLE:
            self._cancel()
        elif self._deadline is None:
            self._wait_for_head()

    def _wait_for_head(self) -> None:
        """Start the deadline of a head."""
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _cancel(self) -> None:
        """Cancel the deadline."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _leave(self) -> None:
        """Leave the place, and end the deadline."""
        self._cancel()
        if self._place is not None:
            self._place.close()
            self._place = None
