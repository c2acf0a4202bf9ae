"""``facemood serve`` as users start it: a process of its own, that is asked over HTTP and ended with Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.cli.serve_command import address_of, choose_options, listen, serve
from facemood.errors import FacemoodError
from tests.cli.conftest import START, started

ENDLESS = (
    "import threading; from facemood.pipeline import Pipeline; "
    "Pipeline.read = lambda *_, **__: [threading.Event().wait()]; "
)
"""A process that starts with this never gets done with an image."""


@contextlib.contextmanager
def server(*arguments: str, before: str = "") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the server with one thread; gives the address that it prints."""
    with started("serve", "--threads", "1", *arguments, before=before) as running:
        yield running


def status_of(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def test_the_options_have_the_defaults_of_the_recognizer() -> None:
    command, library = (inspect.signature(part).parameters for part in (serve, EmotionRecognizer.__init__))
    shared = [name for name in library if name in command]
    usual = {"model", "head", "detector", "min_face", "max_faces", "views", "prior", "device", "threads"}
    assert usual | {"orientation", "precision", "valence"} == set(shared)
    assert {name: command[name].default for name in shared} == {name: library[name].default for name in shared}


@pytest.mark.parametrize("words", [["--token", "a long secret of mine"], ["--host", "0.0.0.0"]])
def test_an_address_with_a_token_is_not_given_to_another_program(words: list[str]) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    command = [sys.executable, "-c", START, "serve", "--port", "0", "--open", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "leave --open out" in " ".join(done.stderr.split())


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_it_prints_its_address_and_serves_there_until_it_is_interrupted(number: str) -> None:
    with server() as (address, process):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        with urllib.request.urlopen(f"{address}healthz", timeout=60) as answer:
            assert json.load(answer)["status"] == "ok"
        assert status_of(address) == 200
        process.send_signal(getattr(signal, number))
        out, words = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in words


@pytest.mark.parametrize(("before", "size", "number"), [("", 6000, "SIGINT"), (ENDLESS, 1200, "SIGTERM")])
def test_it_ends_while_an_image_is_read(before: str, size: int, number: str) -> None:
    image = cv2.imencode(".png", np.full((size, size), 128, np.uint8))[1].tobytes()
    with server(before=before) as (address, process):
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(post, f"{address}v1/analyze", image)
            while not (asked.done() or figure(address, "facemood_decode_seconds_count")):
                time.sleep(0.05)
            process.send_signal(getattr(signal, number))
            assert process.wait(120) == 0
        assert "Fatal" not in process.communicate(timeout=60)[1]


def post(address: str, image: bytes) -> None:
    """Send an image to be read, whatever the answer is, if there is one."""
    with contextlib.suppress(httpx.HTTPError):
        httpx.post(address, content=image, headers={"Content-Type": "image/png"}, timeout=120)


def figure(address: str, name: str) -> float:
    """Return a figure of the server's metrics; 0 if it is not there yet."""
    with urllib.request.urlopen(f"{address}metrics", timeout=60) as answer:
        found = re.search(rf"^{name}\S* (\S+)$", answer.read().decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_with_a_token_the_printed_address_opens_the_page() -> None:
    with server("--host", "0.0.0.0") as (address, _):
        port, token = re.fullmatch(r"http://[^/]+:(\d+)/\?token=(\S{20,})", address).groups()  # type: ignore[union-attr]
        assert status_of(f"http://127.0.0.1:{port}/v1/models") == 401
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(f"http://127.0.0.1:{port}/?token={token}", timeout=60) as page:
            assert b"What does this face show?" in page.read()


def test_other_machines_always_need_a_token() -> None:
    first, second = choose_options("0.0.0.0", "", []), choose_options("192.168.1.5", "", [])
    assert len(first.token) >= 24
    assert first.token != second.token
    assert choose_options("::", "a token of one's own", []).token == "a token of one's own"
    with pytest.raises(FacemoodError, match="expected 16 or more"):
        choose_options("::", "mine", [])


def test_this_machine_needs_none_but_must_be_called_by_its_name() -> None:
    options = choose_options("127.0.0.1", "", ["Faces.Example"])
    assert options.token == ""
    assert "localhost" in options.hosts
    assert "faces.example" in options.hosts
    assert choose_options("localhost", "mine", []).token == "mine"


def test_a_port_in_use_is_told() -> None:
    with listen("127.0.0.1", 0) as bound, pytest.raises(FacemoodError, match="choose another port with --port"):
        listen("127.0.0.1", bound.getsockname()[1])


def test_an_answer_is_sent_at_once() -> None:
    """An answer has two parts: the second one does not wait until the client has confirmed the first."""
    found = []

    async def ask() -> None:
        def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            found.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        with listen("127.0.0.1", 0) as bound:
            async with await asyncio.start_server(accept, sock=bound):
                reader, writer = await asyncio.open_connection(*bound.getsockname())
                await reader.read()
                writer.close()

    asyncio.run(ask())
    assert len(found) == 1
    assert found[0]


def test_an_address_of_elsewhere_is_told() -> None:
    with pytest.raises(FacemoodError, match=r"cannot listen at 192\.0\.2\.1"):
        listen("192.0.2.1", 0)


def test_addresses_can_be_opened() -> None:
    with listen("127.0.0.1", 0) as bound:
        assert address_of(bound, "https", "t").endswith("/?token=t")
    if socket.has_ipv6:
        with contextlib.suppress(FacemoodError), listen("::1", 0) as bound:
            assert address_of(bound, "http", "").startswith("http://[::1]:")


def test_the_page_is_in_the_package() -> None:
    import facemood.server

    names = {file.name for file in (Path(facemood.server.__file__).parent / "static").iterdir()}
    assert {"index.html", "api.html", "page.css", "page.js", "worker.js", "icon.svg"} <= names
