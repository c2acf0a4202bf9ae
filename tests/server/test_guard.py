"""Who may ask, from where, how much and how often: each bound is tried from outside, over a real connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from facemood import EmotionRecognizer
from facemood.server import ServerOptions
from facemood.server.limits import is_loopback
from tests.server.conftest import Running, Upload, running

TOKEN = "correct horse"


@pytest.fixture(scope="module")
def locked(recognizer: EmotionRecognizer) -> Iterator[Running]:
    """A server that asks for a token and that any name leads to, with small bounds."""
    options = ServerOptions(token=TOKEN, hosts=(), max_upload=20_000, max_video=40_000, rate=100_000, max_images=2)
    with running(recognizer, options) as found:
        yield found


def check_problem(answer: httpx.Response, status: int, word: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert word in problem["detail"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "169.254.169.254"])
def test_a_foreign_name_that_leads_here_is_refused(server: Running, host: str) -> None:
    with server.client(Host=host) as client:
        check_problem(client.get("/"), 421, "this server is not")
        assert client.post("/v1/analyze").status_code == 421
    with pytest.raises(InvalidStatus):  # websockets adds a host of its own, so here are two
        server.live(Host=host or "x")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:8000"])
def test_names_of_this_machine_are_let_in(server: Running, host: str) -> None:
    with server.client(Host=host) as client:
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
def test_pages_of_other_sites_may_do_nothing(server: Running, origin: str) -> None:
    with server.client(Origin=origin) as client:
        check_problem(client.post("/v1/analyze"), 403, "another site")
        check_problem(client.delete("/v1/videos/x"), 403, "another site")
    with pytest.raises(InvalidStatus) as refused:
        server.live(Origin=origin)
    assert refused.value.response.status_code == 403


def test_the_servers_own_page_may(server: Running) -> None:
    with server.client(Origin=server.address) as client:
        assert client.post("/v1/analyze").status_code == 422
    with server.live(Origin=server.address) as socket:
        assert '"hello"' in str(socket.recv())


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/v1/models", "/metrics", "/app/server/static/page.js"]
)
def test_without_the_token_nothing_is_told(locked: Running, path: str) -> None:
    with locked.client() as client:
        check_problem(client.get(path), 401, "token")
        wrong = client.get(path, headers={"Authorization": "Bearer wrong"})
        check_problem(wrong, 401, "token")
        assert wrong.headers["www-authenticate"] == "Bearer"


def test_the_token_is_shown_in_a_header_or_a_cookie(locked: Running) -> None:
    with locked.client(Authorization=f"Bearer {TOKEN}") as client:
        assert client.get("/v1/models").status_code == 200
    with locked.client() as client:
        assert client.get("/healthz").status_code == 200
        check_problem(client.get("/?token=wrong"), 401, "token")
        check_problem(client.get(f"/v1/models?token={TOKEN}"), 401, "token")  # addresses are logged and remembered
        answer = client.get("/", params={"token": TOKEN})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert client.get("/").status_code == 200


def test_a_live_connection_needs_the_token_too(locked: Running) -> None:
    with pytest.raises(InvalidStatus) as refused:
        locked.live()
    assert refused.value.response.status_code == 401
    with locked.live(Authorization=f"Bearer {TOKEN}") as socket:
        assert '"hello"' in str(socket.recv())


def test_a_large_upload_is_refused_whatever_its_header_says(locked: Running) -> None:
    def drip() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        for _ in range(30):
            yield bytes(1000)

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    with locked.client(Authorization=f"Bearer {TOKEN}") as client:
        check_problem(client.post("/v1/analyze", files={"image": bytes(30_000)}), 413, "too large")
        check_problem(client.post("/v1/analyze", content=drip(), headers=kind), 413, "too large")
        check_problem(client.post("/v1/videos", files={"video": bytes(50_000)}), 413, "too large")
        assert client.post("/v1/videos", files={"video": bytes(30_000)}).status_code == 415
        many = client.post("/v1/analyze", files=[("image", bytes(10))] * 3)
        check_problem(many, 422, "1 to 2")


def test_who_asks_too_often_is_told_to_wait(recognizer: EmotionRecognizer) -> None:
    with running(recognizer, ServerOptions(rate=20)) as found, found.client() as client:
        answers = [client.get("/healthz") for _ in range(8)]
        assert {answer.status_code for answer in answers[:4]} == {200}
        check_problem(answers[-1], 429, "too many")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3


def test_files_of_the_page_are_counted_apart(recognizer: EmotionRecognizer) -> None:
    file = "/app/server/static/colours.js"
    with running(recognizer, ServerOptions(rate=20)) as found, found.client() as client:
        assert {client.get(file).status_code for _ in range(60)} == {200}
        assert client.get("/v1/models").status_code == 200
        assert 429 in {client.get(file).status_code for _ in range(300)}
        assert client.get("/v1/models").status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/app/server/static/page.js", "/v1/settings", "/nothing", "/v1/videos/none"]
)
def test_every_answer_carries_the_policy(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_a_failure_of_the_server_says_nothing_of_its_inside(recognizer: EmotionRecognizer) -> None:
    def fail() -> None:
        raise RuntimeError("a secret place")

    with running(recognizer) as found, found.client() as client:
        found.app.add_api_route("/fail", fail)
        answer = client.get("/fail")
        check_problem(answer, 500, "the server failed")
        assert "secret" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/app/server/static/../app.py", "/app/server/static/%2e%2e/app.py", "/app/server/static/..%2fapp.py"]
)
def test_nothing_beside_the_page_is_given_out(server: Running, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert raw.recv(4096).startswith(b"HTTP/1.1 404")


def test_names_of_files_stay_in_answers(analyze: Upload, astronaut: Path) -> None:
    answer = analyze(("../../../../tmp/evil<script>.png", astronaut.read_bytes()))
    assert answer.json()["results"][0]["source"] == "evil<script>.png"
    assert answer.headers["content-type"] == "application/json"


def test_loopback_is_told_apart() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"]))
    assert not any(map(is_loopback, ["0.0.0.0", "::", "192.168.1.2", "example.org", "localhost.example.org", ""]))


def test_bounds_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="max_pixels must be 1 or more"):
        ServerOptions(max_pixels=0)
