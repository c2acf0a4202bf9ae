"""What stands before every request: who may ask, from which page, with how much, and how often."""

from __future__ import annotations

import hmac
import math
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facemood.server.headers import HEADERS
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem
from facemood.server.rates import AddressLimit

COOKIE = "facemood-token"

OPEN = ("/healthz",)
"""What is answered without a token: whether the server lives."""

VIDEOS = "/v1/videos"

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """Lets through what is allowed, and refuses the rest before anything of it is read.

    * The name in the Host header must be one of the server's, so that no foreign page reaches it by a name of its own
      that leads here (DNS rebinding).
    * A request that does something, and a WebSocket, must come from the server's own page, or from no page at all.
    * The token must be shown, where there is one: as ``Authorization: Bearer``, or in the cookie that the page's
      address with ``?token=`` sets.
    * An address may ask only so often, and a request may bring only so much.

    Args:
        app: The application behind it.
        options: The bounds.
    """

    app: ASGIApp
    options: ServerOptions
    limit: AddressLimit

    def __init__(self, app: ASGIApp, options: ServerOptions) -> None:
        self.app, self.options, self.limit = app, options, AddressLimit(options.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        send = _with_headers(send)
        try:
            self._check(scope)
        except Problem as problem:
            await _refuse(problem, scope, receive, send)
            return
        token = _token_in_query(scope)
        if self.options.token and token and scope["type"] == "http" and scope["path"] == "/":
            await _welcome(token, scope, receive, send)
            return
        await self.app(scope, self._bounded(scope, receive), send)

    def _check(self, scope: Scope) -> None:
        """Refuse what is not allowed.

        Raises:
            Problem: It is not allowed.
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.options.hosts and _name_of(host) not in self.options.hosts:
            raise Problem(421, f"this server is not {host!r}; call it by {', '.join(self.options.hosts)}")
        acts = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if acts and not _same_origin(headers.get("origin"), host):
            raise Problem(403, "this comes from the page of another site; open the server's own page")
        if self.options.token and scope["path"] not in OPEN and not self._knows_token(scope, headers):
            raise Problem(
                401,
                "the server's token is missing or wrong; open the address that the server printed, "
                "or send it as 'Authorization: Bearer TOKEN'",
                {"WWW-Authenticate": "Bearer"},
            )
        wait = self.limit.refusal(scope["client"][0] if scope.get("client") else "")
        if wait:
            raise Problem(429, "too many requests; ask again later", {"Retry-After": str(math.ceil(wait))})

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        """Tell whether a request shows the token."""
        shown = [headers.get("authorization", "").removeprefix("Bearer ").strip(), _token_in_cookie(headers)]
        if scope["path"] == "/" and scope["type"] == "http":
            shown.append(_token_in_query(scope))
        return any(hmac.compare_digest(token.encode(), self.options.token.encode()) for token in shown)

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        """Return a receive that refuses a body once it is larger than allowed, whatever its header says."""
        if scope["type"] != "http":
            return receive
        video = scope["path"].rstrip("/") == VIDEOS
        most = self.options.max_video if video else self.options.max_upload
        told = Headers(scope=scope).get("content-length", "0")
        announced = int(told) if told.isdecimal() else 0
        came = 0

        async def count() -> Message:
            nonlocal came
            if announced > most:
                raise _too_large(most)
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise _too_large(most)
            return message

        return count


def _too_large(most: int) -> Problem:
    """Return the refusal of a body."""
    return Problem(413, f"the upload is too large; expected at most {most / 1e6:g} MB", {"Connection": "close"})


def _with_headers(send: Send) -> Send:
    """Return a send that adds the safety headers to each answer."""

    async def add(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return add


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a problem; a WebSocket is never opened then."""
    if scope["type"] == "http" or "websocket.http.response" in scope.get("extensions", {}):
        await problem.response()(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": problem.detail})


async def _welcome(token: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Keep the token in a cookie, and lead to the page without it, so that it stays out of the history."""
    answer = RedirectResponse("/", 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=scope["scheme"] == "https")
    await answer(scope, receive, send)


def _token_in_query(scope: Scope) -> str:
    """Return the token in the address, or nothing."""
    query = str(scope["query_string"], "latin-1")
    return parse_qs(query).get("token", [""])[0]


def _token_in_cookie(headers: Headers) -> str:
    """Return the token in the cookie, or nothing."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return str(cookie.value) if cookie else ""


def _name_of(host: str) -> str:
    """Return a Host header's name without the port.

    Example:
        >>> _name_of("LocalHost:8000"), _name_of("[::1]:8000")
        ('localhost', '[::1]')
    """
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()


def _same_origin(origin: str | None, host: str) -> bool:
    """Tell whether a page of the server itself asks, or none at all."""
    return origin is None or (bool(host) and origin.lower().partition("://")[2] == host.lower())
