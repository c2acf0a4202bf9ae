"""Clients that do nothing, or little: they are cut off in time, and until then shut nobody out."""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed

from facemood import EmotionRecognizer
from facemood.server import ServerOptions
from facemood.server.bounded_log import BURST
from tests.server.attacks import HANDSHAKE, frame, photo
from tests.server.conftest import Running, running

HALF_HEAD = b"POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\n"

IMPATIENT = ServerOptions(
    head_seconds=0.5, body_seconds=0.5, body_rate=1_000_000, live_idle=0.6, connections=6, http_connections=20,
    uploads=4, rate=100_000, max_setting=100,
)  # fmt: skip
"""A server that waits for nobody."""


@pytest.fixture(scope="module")
def impatient(recognizer: EmotionRecognizer) -> Iterator[Running]:
    with running(recognizer, IMPATIENT) as found:
        yield found


@contextlib.contextmanager
def open_many(server: Running, count: int, begin: bytes) -> Iterator[list[socket.socket]]:
    """Open connections, and send a beginning on each."""
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(count):
            one = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            with contextlib.suppress(OSError):
                one.sendall(begin)
            found.append(one)
        yield found


def time_to_end(one: socket.socket) -> float:
    """Read what comes until the other side ends the connection; return how long that took."""
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while one.recv(65536):
            pass
    return time.monotonic() - began


def test_half_heads_have_a_deadline_and_shut_nobody_out(impatient: Running) -> None:
    with open_many(impatient, 60, HALF_HEAD) as held, impatient.client() as client:
        assert client.get("/healthz").status_code == 200
        assert time_to_end(held[-1]) < 2
        assert max(map(time_to_end, held)) < 1


def test_a_second_head_on_the_same_connection_has_a_deadline_too(impatient: Running) -> None:
    with open_many(impatient, 1, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as (one,):
        assert b"200 OK" in one.recv(4096)
        one.sendall(b"GET /healthz HTT")
        assert time_to_end(one) < 2


def read_all(one: socket.socket) -> bytes:
    """Read what comes until the other side ends the connection."""
    found = b""
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            found += data
    return found


def upload_head(length: int, path: str = "/v1/analyze") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f'Content-Length: {length}\r\n\r\n--x\r\nContent-Disposition: form-data; name="image"\r\n\r\n'
    ).encode()


def test_a_body_that_comes_too_slowly_is_refused(impatient: Running) -> None:
    with open_many(impatient, 1, upload_head(1_000_000)) as (one,):
        answer = read_all(one)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"too slowly" in answer


def test_a_body_that_drips_is_refused_although_it_never_pauses(impatient: Running) -> None:
    with open_many(impatient, 1, upload_head(1_000_000)) as (one,):
        ends = time.monotonic() + 10
        one.settimeout(0.02)
        answer = b""
        while not answer and time.monotonic() < ends:
            with contextlib.suppress(TimeoutError):
                one.sendall(b"a")
                answer = one.recv(65536)
        assert answer.startswith(b"HTTP/1.1 408")


def test_slow_uploads_make_room_for_a_quick_one(recognizer: EmotionRecognizer) -> None:
    options = ServerOptions(uploads=4, body_seconds=30, rate=100_000)
    with running(recognizer, options) as found, open_many(found, 4, upload_head(1_000_000)) as held:
        with found.client() as client:
            time.sleep(0.2)
            assert client.post("/v1/analyze", files={"image": photo()}).status_code == 503  # they may be quick yet
            time.sleep(1.0)
            assert client.post("/v1/analyze", files={"image": photo()}).status_code == 200
        assert b"503" in held[0].recv(65536)[:20]


def test_a_refused_upload_is_told_why_although_it_is_large(impatient: Running) -> None:
    with impatient.client(Origin="http://evil.example") as client:
        answer = client.post("/v1/analyze", files={"image": bytes(1_500_000)})
        assert answer.status_code == 403


def test_idle_live_connections_are_closed(impatient: Running) -> None:
    with impatient.live() as one:
        one.recv(timeout=30)
        began = time.monotonic()
        with pytest.raises(ConnectionClosed, match="no image came for"):
            one.recv(timeout=30)
        assert time.monotonic() - began > 0.4
    ends = time.monotonic() + 5
    while impatient.service.connections and time.monotonic() < ends:
        time.sleep(0.02)
    assert impatient.service.connections == 0


def test_settings_do_not_keep_a_connection_open(impatient: Running) -> None:
    with impatient.live() as one, pytest.raises(ConnectionClosed, match="no image came for"):
        one.recv(timeout=30)
        for _ in range(50):
            one.send('{"smooth": 0.3}')
            time.sleep(0.05)
        one.recv(timeout=30)


def test_idle_live_connections_make_room(recognizer: EmotionRecognizer) -> None:
    options = ServerOptions(connections=3, rate=100_000)
    with running(recognizer, options) as found, open_many(found, 3, HANDSHAKE) as held:
        for one in held:
            one.recv(4096)
        time.sleep(1.1)
        with found.live() as live:
            live.recv(timeout=30)
            live.send(photo())
            assert '"result"' in str(live.recv(timeout=30))
            assert found.service.connections == 3
            assert struct.pack(">H", 1013) in read_all(held[0])


def test_live_settings_are_limited_in_size_and_rate(impatient: Running) -> None:
    with impatient.live() as one:
        one.recv(timeout=30)
        one.send('{"smooth": 0}' + " " * 87)
        one.send('{"smooth": 0}' + " " * 88)
        with pytest.raises(ConnectionClosed, match="1009"):
            one.recv(timeout=30)
    with impatient.live() as one:
        one.recv(timeout=30)
        with pytest.raises(ConnectionClosed, match="1008"):
            for _ in range(1000):
                one.send('{"smooth": 0}')
            one.recv(timeout=30)


@pytest.mark.parametrize("number", ["9" * 80, "1" + "0" * 80, "-" + "9" * 80, "1e400", "NaN", "Infinity"])
def test_strange_numbers_are_a_problem(impatient: Running, number: str) -> None:
    with impatient.live() as one:
        one.recv(timeout=30)
        one.send(f'{{"smooth": {number}}}')
        assert '"status": 400' in str(one.recv(timeout=30))


@pytest.mark.parametrize(
    "data",
    [frame(b'{"smooth": \xff}'), b"\x01\x82" + bytes(4) + b"\xc3(" + b"\x80\x80" + bytes(4)],
    ids=["whole", "in pieces"],
)
def test_text_that_is_not_utf8_ends_the_connection_and_is_not_logged(
    impatient: Running, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "uvicorn.error"):
        for _ in range(5):
            with open_many(impatient, 1, HANDSHAKE) as (one,):
                received = one.recv(65536)
                one.sendall(data)
                with contextlib.suppress(OSError):
                    while piece := one.recv(65536):
                        received += piece
            assert received.endswith(b"\x88\x02\x03\xef")  # closed, 1007
    assert caplog.records == []
    with impatient.client() as client:
        assert client.get("/healthz").status_code == 200


def test_requests_that_are_none_cannot_fill_the_log(impatient: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(4 * BURST):
            with open_many(impatient, 1, b"NONSENSE\r\n\r\n") as (one,):
                assert one.recv(4096).startswith(b"HTTP/1.1 400 ")
                time_to_end(one)
    assert 1 <= len(caplog.records) <= BURST + 2
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize(
    "data",
    [
        frame(b'{"smooth":1}') * 20_000,
        frame(b"p" * 100, kind=9) * 2000,
        b"\x01\x80" + bytes(4) + (b"\x00\x80" + bytes(4)) * 9000,
    ],
    ids=["settings", "pings", "pieces"],
)
def test_a_flood_of_small_messages_is_cut_off(impatient: Running, data: bytes) -> None:
    with open_many(impatient, 1, HANDSHAKE) as (one,), impatient.client() as client:
        one.recv(4096)
        with contextlib.suppress(OSError):
            one.sendall(data)
        began = time.monotonic()
        assert client.get("/healthz").status_code == 200
        assert time.monotonic() - began < 10
        assert time_to_end(one) < 20
