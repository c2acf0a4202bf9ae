from __future__ import annotations

import logging

import pytest

from facemood import EmotionRecognizer
from facemood.server import ServerOptions
from tests.server.conftest import running

TOKEN = "a token of sixteen or more"


@pytest.mark.parametrize("asked", [True, False])
def test_each_request_is_logged_where_that_is_asked_for(
    asked: bool, recognizer: EmotionRecognizer, caplog: pytest.LogCaptureFixture
) -> None:
    options = ServerOptions(token=TOKEN, access_log=asked)
    with caplog.at_level(logging.INFO, "facemood.access"), running(recognizer, options) as found:
        with found.client() as client:
            client.get("/", params={"token": TOKEN})
            client.get("/nothing%0aforged 127.0.0.1")
        with found.live(Authorization=f"Bearer {TOKEN}") as socket:
            socket.recv(timeout=30)
    lines = [record.getMessage() for record in caplog.records if record.name == "facemood.access"]
    assert not any(TOKEN in line or "\n" in line for line in lines)
    if asked:
        assert any(line.startswith("127.0.0.1 GET / 303 ") for line in lines)
        assert any(line.startswith("127.0.0.1 GET /nothing\\nforged 127.0.0.1 404 ") for line in lines)
        assert any(line.startswith("127.0.0.1 WEBSOCKET /v1/live 101 ") for line in lines)
    else:
        assert lines == []
