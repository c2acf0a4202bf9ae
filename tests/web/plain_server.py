"""A plain web server for a folder under a sub-path, as many hosts are: no special headers, nothing packed."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

BASE = "/some/where/"
"""The path at which the folder is served."""


class PlainServer(http.server.ThreadingHTTPServer):
    """Serves a folder.

    Args:
        folder: The folder.

    Attributes:
        asked: The paths that were asked for, in order.
        posted: Bodies of POST requests.
        offline: Whether nothing is answered any more.
        special: Headers that come with each file; none at first.
        bare: Files whose path has this in it come without them; none at first.
    """

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.folder, self.offline = folder, False
        self.special: dict[str, str] = {}
        self.bare: str | None = None
        self.asked: list[str] = []
        self.posted: SimpleQueue[bytes] = SimpleQueue()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        """The address of the folder."""
        return f"http://127.0.0.1:{self.server_port}{BASE}"


class _Handler(http.server.SimpleHTTPRequestHandler):
    server: PlainServer

    def __init__(self, request: Any, client: Any, server: PlainServer) -> None:
        super().__init__(request, client, server, directory=str(server.folder))

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.offline:
            self.close_connection = True
        elif self.path.startswith(BASE):
            super().do_GET()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.server.posted.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def end_headers(self) -> None:
        if self.server.bare is None or self.server.bare not in self.path:
            for name, value in self.server.special.items():
                self.send_header(name, value)
        super().end_headers()

    def translate_path(self, path: str) -> str:
        return super().translate_path("/" + path.removeprefix(BASE))

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def serve_folder(folder: Path) -> Iterator[PlainServer]:
    """Serve a folder until the block ends."""
    with PlainServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
