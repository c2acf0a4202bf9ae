"""WebKitGTK's MiniBrowser on a display of its own, driven over WebDriver: the engine of Safari, as Linux has it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.driven_page import PATIENCE, DrivenPage, running

DRIVER = "WebKitWebDriver"

BROWSERS = "/usr/lib/*/webkit*gtk-4.*/MiniBrowser"
"""Where Debian has it."""

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key by which WebDriver names an element."""


class WebKitPage(DrivenPage):
    """The one page of a MiniBrowser.

    Args:
        port: Where the driver listens.
        browser: The browser's program.
    """

    def __init__(self, port: int, browser: Path) -> None:
        self._place = f"http://127.0.0.1:{port}/session"
        options = {"binary": str(browser), "args": ["--automation"]}
        told = self.send("", capabilities={"alwaysMatch": {"webkitgtk:browserOptions": options}})
        self.version = told["capabilities"]["browserVersion"]
        self._place += f"/{told['sessionId']}"
        self.send("/timeouts", script=int(1000 * PATIENCE))

    def send(self, command: str, *, method: str = "POST", **parameters: Any) -> Any:
        """Send a command and return its value."""
        body = json.dumps(parameters).encode() if method == "POST" else None
        request = urllib.request.Request(self._place + command, body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{command}: {error.read().decode()}") from error

    def run(self, script: str) -> Any:
        """Return the value of an expression, or of the promise that it is."""
        code = (
            "const done = arguments[0]; Promise.resolve().then(() => (" + script + "))"
            ".then((value) => done({ value: value ?? null }), (error) => done({ error: String(error) }));"
        )
        answer = self.send("/execute/async", script=code, args=[])
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def go_to(self, address: str) -> None:
        """Go to an address."""
        self.send("/url", url=address)

    def choose(self, name: str, *files: Path) -> None:
        """Choose files in the file input of a name; the driver wants to see it."""
        self.run(f"document.getElementById({name!r}).hidden = false")
        element = self.send("/element", using="css selector", value=f"#{name}")[ELEMENT]
        self.send(f"/element/{element}/value", text="\n".join(str(file) for file in files))
        self.run(f"document.getElementById({name!r}).hidden = true")


@contextlib.contextmanager
def open_webkit(folder: Path) -> Iterator[WebKitPage]:
    """Start MiniBrowser with its files in a folder; skip where there is none."""
    browser = next(iter(sorted(Path("/").glob(BROWSERS.lstrip("/")))), None)
    if browser is None or shutil.which(DRIVER) is None or shutil.which("Xvfb") is None:
        pytest.skip("needs WebKitGTK's MiniBrowser and driver (webkit2gtk-driver), and Xvfb")
    with _display() as display, _driver(folder, display) as port:
        page = WebKitPage(port, browser)
        try:
            yield page
        finally:
            page.send("", method="DELETE")


@contextlib.contextmanager
def _display() -> Iterator[str]:
    """Start a display that nobody sees, and yield its name."""
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
    with running(command, pass_fds=[write]), os.fdopen(read) as told:
        os.close(write)
        yield f":{told.readline().strip()}"


@contextlib.contextmanager
def _driver(folder: Path, display: str) -> Iterator[int]:
    """Start the driver, and yield its port once it listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    environment = {
        **os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "DISPLAY": display,
        "GDK_BACKEND": "x11", "LIBGL_ALWAYS_SOFTWARE": "1", "WEBKIT_DISABLE_DMABUF_RENDERER": "1",
    }  # fmt: skip
    with running([DRIVER, f"--port={port}"], env=environment):
        _wait_for(port)
        yield port


def _wait_for(port: int) -> None:
    """Wait until the driver listens."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise AssertionError(f"{DRIVER} did not start within {PATIENCE:g} s")
