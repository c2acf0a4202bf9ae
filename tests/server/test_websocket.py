"""The live protocol as clients speak it."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from facemood import EmotionRecognizer
from facemood.schema import Image
from facemood.server import ServerOptions
from facemood.table import columns_for
from tests.moving_faces import read_photo
from tests.server.conftest import Running, running


def jpeg(image: Image) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture(scope="module")
def face() -> bytes:
    return jpeg(read_photo("astronaut.png"))


@pytest.fixture(scope="module")
def blank() -> bytes:
    return jpeg(np.full((120, 160, 3), 128, np.uint8))


@pytest.fixture
def socket(server: Running) -> Iterator[ClientConnection]:
    with server.live() as socket:
        assert hear(socket)["type"] == "hello"
        yield socket


def hear(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(socket.recv(timeout=60)))


def test_it_greets_with_what_reads_and_what_may_be_sent(server: Running, recognizer: EmotionRecognizer) -> None:
    with server.live() as socket:
        hello = hear(socket)
    assert hello["protocol"] == 1
    assert hello["info"]["model"] == recognizer.card.name
    expected = columns_for(recognizer.labels, ("raw",))
    assert hello["columns"] == [{"name": one.name, "path": list(one.path)} for one in expected]
    assert hello["schema"] == 1
    assert hello["max_pixels"] == server.service.options.max_frame_pixels


def test_a_picture_is_answered_with_what_the_library_reads(
    socket: ClientConnection, face: bytes, recognizer: EmotionRecognizer
) -> None:
    socket.send(face)
    answer = hear(socket)
    expected = recognizer.analyze_image(face).faces[0]
    (told,) = answer["faces"]
    assert (answer["type"], answer["frame"], answer["size"]) == ("result", 0, [512, 512])
    assert told["emotion"] == told["display_label"] == expected.emotion
    assert told["track_id"] == 1
    np.testing.assert_allclose(list(told["raw_emotions"].values()), expected.probabilities, atol=2e-4)
    np.testing.assert_allclose(told["box"], expected.box, atol=0.1)


def test_a_person_keeps_the_number_until_it_begins_anew(socket: ClientConnection, face: bytes, blank: bytes) -> None:
    numbers = []
    for picture in (face, face, blank, blank, face):
        socket.send(picture)
        numbers.append([one["track_id"] for one in hear(socket)["faces"]])
        time.sleep(0.4)  # slow clients have slow readings, and people must be known again
    assert numbers == [[1], [1], [], [], [1]]
    socket.send('{"smooth": 0}')
    socket.send(blank)
    assert hear(socket)["timestamp"] < 0.4


def test_the_newest_picture_wins(socket: ClientConnection, blank: bytes) -> None:
    for _ in range(30):
        socket.send(blank)
    answered: list[int] = []
    while not answered or answered[-1] < 29:
        answer = hear(socket)
        assert answer["type"] == "result"
        answered.append(answer["frame"])
    time.sleep(0.3)
    socket.send(b"")
    assert hear(socket)["frame"] == 30  # and nothing else was said in between
    assert answered == sorted(set(answered))
    assert len(answered) < 30


def test_a_bad_picture_ends_nothing(socket: ClientConnection, blank: bytes) -> None:
    socket.send(b"no picture")
    problem = hear(socket)
    assert (problem["type"], problem["frame"], problem["problem"]["status"]) == ("problem", 0, 415)
    socket.send(blank)
    assert hear(socket)["frame"] == 1


def test_a_bomb_is_refused(socket: ClientConnection) -> None:
    file = io.BytesIO()
    Pillow.new("L", (4000, 4000)).save(file, "PNG")
    assert len(file.getvalue()) < 50_000
    socket.send(file.getvalue())
    assert hear(socket)["problem"]["status"] == 413


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "{}",
        "[]",
        "null",
        '{"smooth": "soft"}',
        '{"smooth": "0.3"}',
        '{"smooth": -1}',
        '{"smooth": 1e9}',
        '{"smooth": NaN}',
        '{"smooth": true}',
        '{"smooth": null}',
        '{"smooth": [1]}',
        f'{{"smooth": {"9" * 400}}}',
    ],
)
def test_an_unknown_setting_is_a_problem(socket: ClientConnection, text: str) -> None:
    socket.send(text)
    assert hear(socket)["problem"]["status"] == 400


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=40), st.binary(max_size=200), st.recursive(st.none(), st.lists).map(json.dumps)))
def test_whatever_comes_the_connection_goes_on(socket: ClientConnection, message: str | bytes) -> None:
    socket.send(message)
    assert hear(socket)["type"] == "problem"


def test_too_large_too_many_and_too_fast_are_turned_away(recognizer: EmotionRecognizer, blank: bytes) -> None:
    options = ServerOptions(connections=2, max_frame=5000, frame_rate=5)
    with running(recognizer, options) as found, found.live() as first, found.live() as second:
        assert hear(first)["max_bytes"] == 5000
        hear(second)
        with found.live() as third, pytest.raises(ConnectionClosed) as closed:
            third.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        first.send(bytes(6000))
        with pytest.raises(ConnectionClosed, match="1009"):
            first.recv(timeout=30)
        with pytest.raises(ConnectionClosed, match="1008"):
            for _ in range(40):
                second.send(blank)
                second.recv(timeout=30)
        with found.live() as again:
            assert hear(again)["type"] == "hello"


def test_clients_get_equal_shares(server: Running, face: bytes) -> None:
    runs = server.service.engine.runs
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(server.live()) for _ in range(6)]
        for socket in sockets:
            hear(socket)
            socket.send(face)
        for _ in range(5):  # who waits for nobody else's answer would be heard out of turn
            for socket in sockets:
                assert hear(socket)["type"] == "result"
                socket.send(face)
    assert server.service.engine.runs - runs < 36  # frames of several clients were read together


def test_a_client_who_leaves_in_the_middle_leaves_nothing_behind(server: Running, face: bytes) -> None:
    for _ in range(3):
        with server.live() as socket:
            socket.send(face)
    ends = time.monotonic() + 30
    while server.service.connections and time.monotonic() < ends:
        time.sleep(0.05)
    assert server.service.connections == 0
