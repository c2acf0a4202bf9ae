"""Guesses at the token, and the ways in which it is shown."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from facemood import EmotionRecognizer
from facemood.server import ServerOptions
from facemood.server.guard import Guard
from facemood.server.tokens import TokenCheck
from tests.server.conftest import Running, running

TOKEN = "a token of sixteen or more"


@pytest.fixture(scope="module")
def locked(recognizer: EmotionRecognizer) -> Iterator[Running]:
    with running(recognizer, ServerOptions(token=TOKEN, wrong_tokens=20, rate=100_000)) as found:
        yield found


def statuses(guard: Guard, requests: list[tuple[str, bytes]]) -> Counter[int]:
    """The statuses of requests, each of an address with a token."""
    found: Counter[int] = Counter()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found[message["status"]] += 1

    async def receive() -> Any:
        return {"type": "http.request"}

    async def ask() -> None:
        for address, token in requests:
            headers = [(b"host", b"127.0.0.1"), (b"authorization", b"Bearer " + token)]
            scope = {"type": "http", "method": "GET", "path": "/v1/models", "query_string": b"", "headers": headers}
            await guard({**scope, "client": (address, 1), "scheme": "http"}, receive, send)

    asyncio.run(ask())
    return found


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def test_guesses_are_counted_and_soon_not_even_compared() -> None:
    guard = Guard(answer, ServerOptions(token=TOKEN, wrong_tokens=60))
    begin = time.monotonic()
    found = statuses(guard, [("192.0.2.1", b"%d" % number) for number in range(5000)] + [("192.0.2.1", TOKEN.encode())])
    compared = 20 + (time.monotonic() - begin)  # one more a second
    assert found[401] <= compared
    assert found[429] >= 5000 - compared
    assert found[200] == 0  # a right guess learns nothing either, once there were too many
    assert statuses(guard, [("192.0.2.2", TOKEN.encode())]) == {200: 1}


def test_the_same_wrong_token_again_is_no_guess() -> None:
    guard = Guard(answer, ServerOptions(token=TOKEN))
    assert statuses(guard, [("192.0.2.1", b"of the day before")] * 100) == {401: 100}
    assert statuses(guard, [("192.0.2.1", TOKEN.encode())]) == {200: 1}


def test_only_so_many_clients_are_remembered() -> None:
    check = TokenCheck(TOKEN, 60)
    for number in range(5000):
        check._count(f"192.0.2.{number}", "wrong")
    assert len(check._last) == 4096


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_may_be_written_in_any_case(locked: Running, scheme: str) -> None:
    with locked.client(Authorization=f"{scheme} {TOKEN}") as client:
        assert client.get("/v1/settings").status_code == 200


@pytest.mark.parametrize("header", [f"Basic {TOKEN}", TOKEN, f"Bearer{TOKEN}", "Bearer", ""])
def test_other_schemes_are_refused(locked: Running, header: str) -> None:
    with locked.client(Authorization=header) as client:
        assert client.get("/v1/settings").status_code == 401


def test_guesses_over_the_network_end_in_429(locked: Running) -> None:
    transport = httpx.HTTPTransport(local_address="127.0.0.3")
    with httpx.Client(transport=transport, base_url=locked.address) as client:
        codes = [client.get("/v1/settings", headers={"Authorization": f"Bearer {n}"}).status_code for n in range(12)]
        assert codes == [401] * 5 + [429] * 7
        assert client.get("/healthz").status_code == 200
    with locked.client(Authorization=f"Bearer {TOKEN}") as client:
        assert 'facemood_refusals_total{reason="token"}' in client.get("/metrics").text


def test_only_the_right_token_becomes_a_cookie(locked: Running) -> None:
    with locked.client(Authorization=f"Bearer {TOKEN}") as client:
        assert "set-cookie" not in client.get("/", params={"token": "of an attacker"}).headers
        assert "set-cookie" in client.get("/", params={"token": TOKEN}).headers


def test_two_servers_on_one_host_keep_a_browser_signed_in_at_both(
    locked: Running, recognizer: EmotionRecognizer
) -> None:
    other = "another token, as long as that"
    # A client keeps cookies as a browser does: by the host's name, whatever the port.
    with running(recognizer, ServerOptions(token=other)) as second, httpx.Client() as browser:
        for server, token in ((locked, TOKEN), (second, other)):
            assert browser.get(f"{server.address}/", params={"token": token}).status_code == 303
        for server in (locked, second):
            assert browser.get(f"{server.address}/v1/settings").status_code == 200


def test_a_refused_live_connection_is_no_error_in_the_log(locked: Running, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InvalidStatus):
        locked.live()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_the_schema_tells_how_the_token_is_shown(locked: Running, server: Running) -> None:
    with locked.client(Authorization=f"Bearer {TOKEN}") as client:
        schema = client.get("/openapi.json").json()
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert schema["components"]["securitySchemes"]["cookie"]["name"] == "facemood-token-PORT"
    assert schema["security"] == [{"token": []}, {"cookie": []}]
    assert schema["paths"]["/healthz"]["get"]["security"] == []
    with server.client() as client:
        assert {} in client.get("/openapi.json").json()["security"]
