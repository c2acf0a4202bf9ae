"""A server as users run it, on a port of its own, with the recognizer that all tests share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.sync.client import ClientConnection, connect

from facemood import EmotionRecognizer
from facemood.cli.serve_command import listen, server_settings
from facemood.server import ServerOptions, create_app
from facemood.server.service import Service


@dataclass(frozen=True)
class Running:
    """A server that runs."""

    app: FastAPI
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def service(self) -> Service:
        service: Service = self.app.state.service
        return service

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.address, headers=headers, timeout=60)

    def live(self, **headers: str) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.port}/v1/live", additional_headers=headers, open_timeout=30)


@contextlib.contextmanager
def running(
    recognizer: EmotionRecognizer,
    options: ServerOptions | None = None,
    *,
    proxies: Sequence[str] = (),
    root_path: str = "",
) -> Iterator[Running]:
    """Run a server in a thread until the block ends."""
    options = options or ServerOptions()
    app = create_app(recognizer, options)
    bound = listen("127.0.0.1", 0)
    settings = server_settings(options, None, None, proxies=proxies, root_path=root_path)
    server = uvicorn.Server(uvicorn.Config(app, **settings))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        found = Running(app, bound.getsockname()[1])
        with found.client() as client:  # the port is open already, so the first answer comes when the server is ready
            assert client.get("/healthz").status_code == 200
        yield found
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@pytest.fixture(scope="session")
def server(recognizer: EmotionRecognizer) -> Iterator[Running]:
    with running(recognizer) as found:
        yield found


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    with server.client() as found:
        yield found


Upload = Callable[..., httpx.Response]


@pytest.fixture
def analyze(client: httpx.Client) -> Upload:
    """Send pictures: paths, or pairs of a name and bytes."""

    def send(*pictures: Path | tuple[str, bytes], query: str = "") -> httpx.Response:
        parts = [(item.name, item.read_bytes()) if isinstance(item, Path) else item for item in pictures]
        return client.post(f"/v1/analyze{query}", files=[("image", part) for part in parts])

    return send
