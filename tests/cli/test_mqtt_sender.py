"""``facemood live --on-change mqtt://``: a real broker on the loopback address gets each change."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from facemood import Result
from facemood.cli import change_senders
from facemood.cli.change_senders import MqttSender
from facemood.cli.on_change import ChangeReaction
from tests.test_expression_changes import shown

LABELS = ("happy", "sad", "happy", "fear")

PATIENCE = 30.0
"""Seconds after which what was waited for counts as missing; a busy machine is slow."""

mqtt = pytest.importorskip("paho.mqtt.client", reason="needs the extra mqtt")


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wait_for(found: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < ends
        time.sleep(0.02)


@contextlib.contextmanager
def broker_at(port: int, folder: Path, *, settings: str = "allow_anonymous true") -> Iterator[None]:
    """Run Mosquitto on a port of the loopback address, until the block ends; skip where it is not installed."""
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
    if program is None:
        pytest.skip("needs the broker Mosquitto (apt-get install mosquitto)")
    file = folder / f"{port}.conf"
    settings += "\nuser root" if os.geteuid() == 0 else ""  # otherwise it could not read files of root
    file.write_text(f"listener {port} 127.0.0.1\npersistence false\n{settings}\n")
    with subprocess.Popen([program, "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            wait_for(lambda: _listens(port))
            yield
        finally:
            running.terminate()
            running.wait(10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def subscribed(port: int, topic: str, login: tuple[str, str] | None = None) -> Iterator[list[Any]]:
    """A client that listens to a topic, with the messages that it has heard."""
    heard: list[Any] = []
    ready: list[bool] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _, __, message: heard.append(message)
    client.on_subscribe = lambda *_: ready.append(True)
    if login:
        client.username_pw_set(*login)
    client.connect("127.0.0.1", port)
    client.subscribe(topic, qos=1)
    client.loop_start()
    try:
        wait_for(lambda: bool(ready))
        yield heard
    finally:
        client.disconnect()
        client.loop_stop()


def tell(react: ChangeReaction, place: int, label: str) -> None:
    react(Result("camera:0", place, place / 10, faces=(shown(1, label),)))


def test_a_topic_gets_each_change(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with broker_at(port, tmp_path), subscribed(port, "home/#") as heard:
        with ChangeReaction(f"mqtt://127.0.0.1:{port}/home/living%20room") as react:
            for place, label in enumerate(LABELS):
                tell(react, place, label)
        wait_for(lambda: len(heard) == len(LABELS))
    told = [json.loads(message.payload) for message in heard]
    assert [(one["before"], one["label"]) for one in told] == list(zip(("", *LABELS), LABELS, strict=False))
    assert {(message.topic, message.qos, message.retain) for message in heard} == {("home/living room", 1, False)}
    assert capfd.readouterr().err == ""


def test_a_connection_that_is_lost_is_opened_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with ChangeReaction(f"mqtt://127.0.0.1:{port}/faces") as react:
        for place, label in enumerate(LABELS[:2]):
            with broker_at(port, tmp_path), subscribed(port, "faces") as heard:
                tell(react, place, label)
                wait_for(lambda heard=heard: len(heard) == 1)  # type: ignore[misc]
                assert json.loads(heard[0].payload)["label"] == label
    assert capfd.readouterr().err == ""


def test_user_and_password_are_given_and_not_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    words = tmp_path / "words"
    if (tool := shutil.which("mosquitto_passwd")) is None:
        pytest.skip("needs the broker Mosquitto (apt-get install mosquitto)")
    subprocess.run([tool, "-b", "-c", str(words), "anna", "s3cret/word"], check=True, capture_output=True)
    secured = f"allow_anonymous false\npassword_file {words}"
    with broker_at(port, tmp_path, settings=secured), subscribed(port, "faces", ("anna", "s3cret/word")) as heard:
        for secret in ("s3cret%2Fword", "wrong"):
            with ChangeReaction(f"mqtt://anna:{secret}@127.0.0.1:{port}/faces") as react:
                tell(react, 0, "happy")
        wait_for(lambda: len(heard) == 1)
    told = capfd.readouterr().err
    assert "refused the connection: Not authorized" in " ".join(told.split())
    assert "anna" not in told
    assert "wrong" not in told


def test_a_broker_that_is_not_there_is_told_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(change_senders, "CONNECT", 1.0)
    with ChangeReaction(f"mqtt://127.0.0.1:{free_port()}/faces") as react:
        for place, label in enumerate(LABELS):
            tell(react, place, label)
    assert capfd.readouterr().err.count("--on-change: mqtt://127.0.0.1:") == 1


def test_no_connection_is_opened_before_a_change() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        with ChangeReaction(f"mqtt://127.0.0.1:{server.getsockname()[1]}/faces"), pytest.raises(TimeoutError):
            server.accept()


def test_the_client_is_not_loaded_unless_it_is_asked_for() -> None:
    code = "import sys; import facemood.cli.on_change, facemood.cli.live_command; print('paho' in str(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    "address",
    [
        "mqtt://192.168.1.20", "mqtt://192.168.1.20/", "mqtt:///faces", "mqtt://host/home/+", "mqtts://host/%23",
        "mqtt://host:port/faces", "mqtt://anna:secret@host/a?b",
        "mqtt://host/home/#", "mqtt://host/home/faces#1", "mqtt://anna:secret@host/#", "mqtt://anna:secret@[x/faces",
    ],
)  # fmt: skip
def test_what_is_no_address_of_a_topic_is_told_at_once(address: str) -> None:
    with pytest.raises(typer.BadParameter, match="no address of a topic") as told:
        MqttSender(address)
    assert "secret" not in str(told.value)
