"""What stands before every request: who may ask, from which page, with how much, and how often."""

from __future__ import annotations

import math

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facemood.server.bodies import Bodies, Body
from facemood.server.clients import client_of
from facemood.server.headers import HEADERS
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem
from facemood.server.prometheus import Metrics
from facemood.server.rates import AddressLimit
from facemood.server.tokens import TokenCheck, cookie_of, token_in_query
from facemood.web.engine_files import APP

OPEN = ("/healthz",)
"""What is answered without a token: whether the server lives."""

FILES = 20
"""How often a client may ask for files of the page for each other request that it may send: a page has about 50."""

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

OWN_SITES = {"", "same-origin", "none"}
"""Values of ``Sec-Fetch-Site`` for the server's own page, for a typed address, and for programs, which send none."""

SCHEMES = {"ws": "http", "wss": "https"}
"""The schemes of pages that open WebSockets."""


class Guard:
    """Lets through what is allowed, and refuses the rest before anything of it is read.

    * The name in the Host header must be one of the server's, so that no foreign page reaches it by a name of its own
      that leads here (DNS rebinding).
    * Pages of other sites may only link to the page. Their requests do not count against the user's rate.
    * A request that does something, and a WebSocket, must come from the server's own page, or from no page at all.
    * A client may ask only so often, and a request may bring only so much, in a bounded time. The files of the page
      are counted apart, so that several people behind one address can open it.
    * The token must be shown, where there is one: as ``Authorization: Bearer``, or in the cookie that the page's
      address with ``?token=`` sets. Wrong ones are counted.

    Args:
        app: The application behind it.
        options: The limits.
        metrics: Where refusals are counted; None for nowhere.
    """

    app: ASGIApp
    options: ServerOptions
    metrics: Metrics
    limit: AddressLimit
    file_limit: AddressLimit
    tokens: TokenCheck
    bodies: Bodies

    def __init__(self, app: ASGIApp, options: ServerOptions, metrics: Metrics | None = None) -> None:
        self.app, self.options, self.metrics = app, options, metrics or Metrics()
        self.limit, self.file_limit = AddressLimit(options.rate), AddressLimit(options.rate * FILES)
        self.tokens = TokenCheck(options.token, options.wrong_tokens)
        self.bodies = Bodies(options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        path = path_of(scope)
        send = _with_headers(send)
        body = self.bodies.of(scope, path, receive) if scope["type"] == "http" else None
        try:
            await self._answer(scope, path, body or receive, self._draining(send, body))
        finally:
            if body is not None:
                body.close()

    async def _answer(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        """Check a request, and have it answered."""
        try:
            self._check(scope, path)
        except Problem as problem:
            await _refuse(problem, scope, receive, send)
            return
        token = token_in_query(scope)
        if scope["type"] == "http" and path == "/" and self.tokens.is_right(token):
            await _welcome(token, scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _check(self, scope: Scope, path: str) -> None:
        """Refuse what is not allowed.

        Raises:
            Problem: It is not allowed.
        """
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self.options.hosts and _name_of(host) not in self.options.hosts:
            raise Problem(421, f"this server is not {host!r}; call it by {', '.join(self.options.hosts)}")
        if _is_foreign(scope, headers, host):
            raise Problem(403, "this comes from the page of another site; open the server's own page")
        limit = self.file_limit if path.startswith(f"/{APP}/") else self.limit
        wait = limit.refusal(client_of(scope))
        if wait:
            raise Problem(429, "too many requests; ask again later", {"Retry-After": str(math.ceil(wait))})
        if path not in OPEN:
            self.tokens.check(scope, path)

    def _draining(self, send: Send, body: Body | None) -> Send:
        """Return a send that counts refusals, and drains a refused body before the answer."""

        async def answer(message: Message) -> None:
            if message["type"].endswith("http.response.start") and message["status"] >= 400:
                self.metrics.refuse(message["status"])
                if body is not None and not body.complete:
                    await body.drain()
            await send(message)

        return answer


def path_of(scope: Scope) -> str:
    """Return the path of a request without the root path of a proxy.

    Example:
        >>> path_of({"path": "/faces/v1/models", "root_path": "/faces"}), path_of({"path": "/v1/models"})
        ('/v1/models', '/v1/models')
    """
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _is_foreign(scope: Scope, headers: Headers, host: str) -> bool:
    """Return whether a page of another site requests more than a link to the page."""
    acts = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
    if acts and not _same_origin(headers.get("origin"), scope["scheme"], host):
        return True
    linked = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document" and not acts
    return headers.get("sec-fetch-site", "") not in OWN_SITES and not linked


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
    page = f"{scope.get('root_path', '')}/"
    answer = RedirectResponse(page, 303)
    name, secure = cookie_of(scope), scope["scheme"] == "https"
    answer.set_cookie(name, token, path=page, httponly=True, samesite="strict", secure=secure)
    await answer(scope, receive, send)


def _name_of(host: str) -> str:
    """Return a Host header's name without the port.

    Example:
        >>> _name_of("LocalHost:8000"), _name_of("[::1]:8000")
        ('localhost', '[::1]')
    """
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()


def _same_origin(origin: str | None, scheme: str, host: str) -> bool:
    """Tell whether a page of the server itself asks, or none at all.

    Example:
        >>> [_same_origin(origin, "ws", "localhost:8000") for origin in ("http://localhost:8000", "https://localhost:8000")]
        [True, False]
    """
    return origin is None or (bool(host) and origin.lower() == f"{SCHEMES.get(scheme, scheme)}://{host.lower()}")
