"""Checks the token of requests, and limits guesses."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import Scope

from facemood.server.clients import client_of
from facemood.server.problems import Problem
from facemood.server.rates import AddressLimit

COOKIE = "facemood-token-{port}"
"""Name of the cookie. Browsers send a host's cookies to all of its ports, so each server has its own."""

REMEMBERED = 4096
"""Number of clients whose last wrong token is remembered."""


class TokenCheck:
    """Checks the token of requests: in the header, or in the cookie that the page's address sets.

    Wrong tokens are counted. After too many the tokens of that client are not compared at all. Repeating the same wrong
    token does not count, so that an old browser tab does not lock its owner out.

    Args:
        token: The token; empty accepts every request.
        rate: Wrong tokens per minute and client.

    Example:
        >>> check = TokenCheck("a long secret", 30)
        >>> check.shown({"type": "http", "headers": [(b"authorization", b"bearer x")], "query_string": b""})
        ['x']
    """

    token: bytes
    limit: AddressLimit

    def __init__(self, token: str, rate: int) -> None:
        self.token, self.limit = token.encode(), AddressLimit(rate)
        self._last: OrderedDict[str, bytes] = OrderedDict()

    def check(self, scope: Scope, path: str) -> None:
        """Refuse a request without the token.

        Args:
            scope: The request.
            path: Its path, without the root path.

        Raises:
            Problem: The token is missing or wrong (401), or the client sent too many wrong ones (429).
        """
        if not self.token:
            return
        shown, client = self.shown(scope, path), client_of(scope)
        if shown and (wait := self.limit.wait(client)):
            raise Problem(429, "too many wrong tokens; ask again later", {"Retry-After": str(round(wait) + 1)})
        matches = [self.is_right(one) for one in shown]
        if not any(matches):
            for one in shown:
                self._count(client, one)
            raise Problem(
                401,
                "the server's token is missing or wrong; open the address that the server printed, "
                "or send it as 'Authorization: Bearer TOKEN'",
                {"WWW-Authenticate": "Bearer"},
            )

    def is_right(self, token: str) -> bool:
        """Compare a token in constant time."""
        return bool(self.token) and hmac.compare_digest(token.encode(), self.token)

    def shown(self, scope: Scope, path: str = "/") -> list[str]:
        """Return the tokens of a request: from its header, its cookie, and the page's address."""
        headers = Headers(scope=scope)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        found = [token.strip() if scheme.lower() == "bearer" else "", _token_in_cookie(headers, cookie_of(scope))]
        if path == "/" and scope["type"] == "http":
            found.append(token_in_query(scope))
        return [one for one in found if one]

    def _count(self, client: str, token: str) -> None:
        """Count a wrong token, unless it is the last one of this client."""
        digest = hashlib.sha256(token.encode()).digest()
        if self._last.pop(client, b"") != digest:
            self.limit.refusal(client)
        self._last[client] = digest
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)


def token_in_query(scope: Scope) -> str:
    """Return the token in an address, or an empty text."""
    query = str(scope["query_string"], "latin-1")
    return parse_qs(query).get("token", [""])[0]


def cookie_of(scope: Scope) -> str:
    """Return the name of the cookie of the server that a request came to; it follows the port, 0 for a socket's file.

    Example:
        >>> cookie_of({"server": ("127.0.0.1", 8000)}), cookie_of({"server": ("/run/facemood", None)})
        ('facemood-token-8000', 'facemood-token-0')
    """
    _, port = scope.get("server") or ("", 0)
    return COOKIE.format(port=port or 0)


def _token_in_cookie(headers: Headers, name: str) -> str:
    """Return the token in the cookie of this name, or an empty text."""
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return str(cookie.value) if cookie else ""
