"""A WebSocket protocol for uvicorn that limits floods: a flood delays other clients by a few milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from facemood.server.rates import TokenBucket

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
    from websockets.frames import Frame

SLICE = 8192
"""Bytes that are parsed at once: about 400 of the smallest messages, 5 ms."""

TURN = 0.002
"""Seconds of parsing after which other tasks run. A large image in one message is parsed in less."""

PINGS = 5
"""Pings per second; a client that sends more is disconnected. uvicorn and browsers send one in 20 seconds."""

PIECES = 1024
"""Most pieces of one message; a client that sends more is disconnected."""

NOT_UTF8 = 1007
"""Why a connection is closed whose text is not UTF-8, as a number of RFC 6455."""

CLOSING = 2.0
"""Seconds for which a closed connection waits for the client's reply, and then for unread data."""


class BoundedSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol. It parses in slices, each after the application received the messages before it."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self.close_timeout = CLOSING
        self._rest = bytearray()
        self._due = False
        self._after_close = 0
        self._pings = TokenBucket(PINGS, 4 * PINGS)

    def data_received(self, data: bytes) -> None:
        """Buffer what arrives, and parse some of it."""
        self._rest += data
        if not self._due:
            self._feed()

    async def receive(self) -> ASGIReceiveEvent:
        """Give a message to the application, and parse more."""
        message = await super().receive()
        if self._rest and not self._due:
            self._go_on()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message. A refused handshake is complete with its answer, and no error for the log."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Run the application, and disconnect a client that does not read the end."""
        await super().run_asgi()
        self.loop.call_later(CLOSING, self.transport.abort)

    def handle_ping(self) -> None:
        """Answer a ping, unless there are too many."""
        if self._pings.take():
            super().handle_ping()
        else:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        """Add a piece to a message, unless there are too many."""
        if len(self.frames) < PIECES:
            super().handle_cont(event)
        else:
            self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """Give a whole message to the application; text that is not UTF-8 ends the connection, without a word."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames.clear()
                self.conn.send_close(NOT_UTF8)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    def _feed(self) -> None:
        """Parse some of the buffered bytes."""
        self._due = False
        if self.close_sent and not self._is_short_end():
            self._rest.clear()
            self.transport.pause_reading()
            return
        ends = self.loop.time() + TURN
        while self._rest and (self.queue.empty() or self.close_sent) and self.loop.time() < ends:
            piece = bytes(self._rest[:SLICE])
            del self._rest[:SLICE]
            super().data_received(piece)
        if not self._rest:
            if not self.read_paused:
                self.transport.resume_reading()
        elif self.queue.empty() or self.close_sent:
            self._go_on()
        else:
            self.transport.pause_reading()  # until the application has received the messages before

    def _go_on(self) -> None:
        """Parse more after other tasks have run, and read nothing more before."""
        self._due = True
        self.transport.pause_reading()
        self.loop.call_soon(self._feed)

    def _is_short_end(self) -> bool:
        """Return whether no more arrived after the close than a reply."""
        self._after_close += len(self._rest)
        return self._after_close <= SLICE
