"""A headless Firefox, driven over WebDriver BiDi, so that the static site is tested in it as people use it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.web.driven_page import PATIENCE, DrivenPage, running

NAMES = ("firefox-esr", "firefox")

PREFERENCES = """
user_pref("media.navigator.streams.fake", true);
user_pref("media.navigator.permission.disabled", true);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.normandy.enabled", false);
"""
"""Moving colours play as the camera, and nobody is asked for leave."""


class FirefoxPage(DrivenPage):
    """The one page of a Firefox.

    Args:
        socket: The browser's BiDi WebSocket, with a session.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.send("session.new", capabilities={})
        self._context = self.send("browsingContext.getTree")["contexts"][0]["context"]

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == number:
                assert message["type"] == "success", f"{method}: {message}"
                return dict(message["result"])

    def evaluate(self, script: str) -> dict[str, Any]:
        """Return what an expression is, or the promise that it is, as BiDi tells it."""
        target = {"context": self._context}
        answer = self.send("script.evaluate", expression=script, target=target, awaitPromise=True, userActivation=True)
        assert answer["type"] == "success", answer
        return dict(answer["result"])

    def run(self, script: str) -> Any:
        return self.evaluate(script).get("value")

    def go_to(self, address: str) -> None:
        """Go to an address, and wait until it is loaded."""
        self.send("browsingContext.navigate", context=self._context, url=address, wait="complete")

    def choose(self, name: str, *files: Path) -> None:
        """Choose files in the file input of a name."""
        element = self.evaluate(f"document.getElementById({name!r})")["sharedId"]
        names = [str(file) for file in files]
        self.send("input.setFiles", context=self._context, element={"sharedId": element}, files=names)


@contextlib.contextmanager
def open_firefox(folder: Path) -> Iterator[FirefoxPage]:
    """Start Firefox with a profile in a folder; skip where there is none."""
    name = next(filter(None, map(shutil.which, NAMES)), None)
    if name is None:
        pytest.skip("needs Firefox, which is not installed")
    profile = folder / "firefox"
    profile.mkdir()
    (profile / "user.js").write_text(PREFERENCES)
    command = [name, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile), "about:blank"]
    environment = {**os.environ, "HOME": str(folder)}
    with running(command, stderr=subprocess.PIPE, env=environment) as lines:
        assert lines is not None
        with connect(f"{_address_in(lines)}/session", max_size=None, ping_interval=None) as socket:
            yield FirefoxPage(socket)


def _address_in(lines: IO[str]) -> str:
    """Wait for the address that Firefox tells; what it says is read on, so that it never waits for a reader."""
    found: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        with contextlib.suppress(ValueError):  # closed while this reads on
            for line in lines:
                for address in re.findall(r"BiDi listening on (ws://\S+)", line):
                    found.put(address)

    threading.Thread(target=read, daemon=True).start()
    try:
        return found.get(timeout=PATIENCE)
    except Empty:
        raise AssertionError(f"Firefox did not start within {PATIENCE:g} s") from None
