"""An optional access log. Queries are left out, because they may contain the token."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger: logging.Logger = logging.getLogger("facemood.access")


class AccessLog:
    """Logs each request at its end: client, method, path, status, bytes of the answer, milliseconds.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        began, status, size = time.monotonic(), 0, 0

        async def note(message: Message) -> None:
            nonlocal status, size
            status = message.get("status", 101 if message["type"] == "websocket.accept" else status)
            size += len(message.get("body") or b"")
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            client = scope["client"][0] if scope.get("client") else "-"
            took = 1000 * (time.monotonic() - began)
            path = scope["path"].encode("unicode_escape").decode()
            method = scope.get("method", "WEBSOCKET")
            logger.info("%s %s %s %d %d bytes %.0f ms", client, method, path, status, size, took)
