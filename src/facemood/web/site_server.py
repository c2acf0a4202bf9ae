"""Show a static site on this machine, as a plain web server does."""

from __future__ import annotations

import http.server
from http import HTTPStatus
from pathlib import Path
from typing import Any

from facemood.errors import FacemoodError
from facemood.web.static_site import POLICY

HOST = "127.0.0.1"
"""Where the site is shown: only this machine can reach it."""

KINDS = {
    ".css": "text/css; charset=utf-8",
    ".gz": "application/octet-stream",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".xz": "application/octet-stream",
}
"""Media types by suffix, whatever the system says of them: a module of another type does not run."""


class SiteServer(http.server.ThreadingHTTPServer):
    """Serves a folder at a path.

    Args:
        folder: The folder.
        base: The path, such as ``"/faces"``.
        port: The port; 0 takes any that is free.

    Raises:
        FacemoodError: The port is in use.
    """

    daemon_threads = True

    folder: Path
    base: str

    def __init__(self, folder: Path, *, base: str = "", port: int = 0) -> None:
        self.folder, self.base = folder, base.rstrip("/") + "/"
        try:
            super().__init__((HOST, port), _SiteHandler)
        except OSError as error:
            raise FacemoodError(
                f"cannot listen at {HOST}:{port} ({error.strerror or error}); "
                "choose another port with --port, or 0 for any"
            ) from error

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{HOST}:{self.server_port}{self.base}"


class _SiteHandler(http.server.SimpleHTTPRequestHandler):
    """Answers with a file below the folder of a `SiteServer`."""

    server: SiteServer
    extensions_map = KINDS

    def __init__(self, request: Any, client: Any, server: SiteServer) -> None:
        super().__init__(request, client, server, directory=str(server.folder))

    def send_head(self) -> Any:
        """Refuse what does not lie below the path, and folders: they are not listed."""
        if not self.path.startswith(self.server.base) or (self.path.endswith("/") and self.path != self.server.base):
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def translate_path(self, path: str) -> str:
        """Return the file of an address."""
        return super().translate_path("/" + path.removeprefix(self.server.base))

    def end_headers(self) -> None:
        """Add the policy of the page, which holds for its workers too, and ask browsers to look for newer files."""
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep no log."""
