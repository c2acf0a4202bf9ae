"""A headless Chromium, driven over its DevTools protocol, so that the page is tested as people use it."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from facemood.schema import Image
from tests.moving_faces import camera_picture

NAMES = ("chromium", "chromium-browser", "google-chrome")

OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--mute-audio",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "--autoplay-policy=no-user-gesture-required",
]

CAMERA = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
"""A video plays as the camera, and nobody is asked for leave."""

ASKING = ("Network.requestWillBeSent", "Network.webSocketCreated")

PATIENCE = 60.0
"""Seconds after which what was waited for counts as missing; a busy machine is slow."""


class Page:
    """One page of the browser.

    Args:
        socket: The page's DevTools WebSocket.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer; events that come before it are kept."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") != number:
                self.events.append(message)
                continue
            assert "error" not in message, f"{method}: {message['error']}"
            return dict(message["result"])

    def run(self, script: str) -> Any:
        """Return the value of an expression, or of the promise that it is."""
        how = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = self.send("Runtime.evaluate", expression=script, **how)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, address: str) -> None:
        """Go to an address, and wait until the page says that it is ready."""
        self.send("Page.navigate", url=address)
        self.wait("document.body && document.body.dataset.ready")

    def wait(self, script: str) -> Any:
        """Wait until an expression is true, and return its value."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            with contextlib.suppress(AssertionError):  # the page may be on its way to another
                if value := self.run(script):
                    return value
            time.sleep(0.03)
        shown = self.run("document.body.innerText")
        raise AssertionError(f"waited {PATIENCE:g} s for {script}; the page shows: {shown}; {self.troubles()}")

    def wait_for(self, event: str, fits: Callable[[dict[str, Any]], bool], count: int) -> None:
        """Wait until so many events of a name that fit have come."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            self.run("0")
            if sum(one.get("method") == event and fits(one["params"]) for one in self.events) >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"waited {PATIENCE:g} s for {count} of {event}")

    def click(self, name: str) -> None:
        """Click on the element of a name, as a user does."""
        self.run(f"document.getElementById({name!r}).click()")

    def text(self, name: str) -> str:
        """Return the text of the element of a name."""
        return str(self.run(f"document.getElementById({name!r}).innerText"))

    def choose(self, name: str, *files: Path) -> None:
        """Choose files in the file input of a name."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=f"#{name}")["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def download(self, links: str, folder: Path) -> dict[str, bytes]:
        """Click on links and return what they saved in a folder, by the last part of each name."""
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)
        for number in range(self.run(f"document.querySelectorAll({links!r}).length")):
            self.run(f"document.querySelectorAll({links!r})[{number}].click()")
            self.wait_for("Browser.downloadProgress", lambda told: told["state"] == "completed", number + 1)
        return {file.name.split("-")[-1]: file.read_bytes() for file in folder.iterdir()}

    def drop(self, file: Path, kind: str) -> None:
        """Drop a file onto the page, as the file manager does."""
        data = base64.b64encode(file.read_bytes()).decode()
        self.run(
            f"""(() => {{
              const bytes = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
              const transfer = new DataTransfer();
              transfer.items.add(new File([bytes], "{file.name}", {{ type: "{kind}" }}));
              dispatchEvent(new DragEvent("drop", {{ dataTransfer: transfer, cancelable: true }}));
            }})()"""
        )

    def resize(self, width: int, height: int, *, dark: bool = False, still: bool = False) -> None:
        """Give the page a size and a colour scheme."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        if still:
            features.append({"name": "prefers-reduced-motion", "value": "reduce"})
        self.send("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, *, whole: bool = False) -> bytes:
        """Return what is to be seen as PNG, or the whole page."""
        return base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def troubles(self) -> list[str]:
        """Return what the page complained of: exceptions, and what its policy refused."""
        self.run("0")
        thrown = [
            event["params"]["exceptionDetails"].get("exception", {}).get("description", "an exception")
            for event in self.events
            if event.get("method") == "Runtime.exceptionThrown"
        ]
        logged = [
            f"{event['params']['entry']['text']} {event['params']['entry'].get('url', '')}"
            for event in self.events
            if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error"
        ]
        return thrown + logged

    def addresses(self) -> set[str]:
        """Return whom the page asked for something: schemes and hosts of all requests."""
        self.run("0")
        asked = [event["params"] for event in self.events if event.get("method") in ASKING]
        found = [part["request"]["url"] if "request" in part else part["url"] for part in asked]
        return {url.split("/")[2] for url in found if not url.startswith(("data:", "blob:"))}

    def messages(self, direction: str) -> list[Any]:
        """Return what went over WebSockets, "Sent" or "Received": bytes, or texts."""
        self.run("0")
        frames = [
            event["params"]["response"]
            for event in self.events
            if event.get("method") == f"Network.webSocketFrame{direction}"
        ]
        return [
            base64.b64decode(frame["payloadData"]) if frame["opcode"] == 2 else frame["payloadData"] for frame in frames
        ]


class Browser:
    """A running Chromium."""

    def __init__(self, port: int) -> None:
        self.port = port

    @contextlib.contextmanager
    def page(self) -> Iterator[Page]:
        """Open an empty page, until the block ends."""
        place = f"http://127.0.0.1:{self.port}/json"
        request = urllib.request.Request(f"{place}/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            told = json.load(answer)
        with connect(told["webSocketDebuggerUrl"], max_size=None, ping_interval=None) as socket:
            yield Page(socket)
        urllib.request.urlopen(f"{place}/close/{told['id']}", timeout=PATIENCE).close()

    def renderers(self) -> dict[int, float]:
        """Return the numbers of the processes that run pages, and the CPU seconds that each has used."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/version", timeout=PATIENCE) as answer:
            address = json.load(answer)["webSocketDebuggerUrl"]
        with connect(address, max_size=None) as socket:
            socket.send(json.dumps({"id": 1, "method": "SystemInfo.getProcessInfo"}))
            told = json.loads(socket.recv(timeout=PATIENCE))["result"]["processInfo"]
        return {process["id"]: process["cpuTime"] for process in told if process["type"] == "renderer"}

    def renderer_memory(self) -> int:
        """Return the resident bytes of the processes that run pages; skip where the system does not tell."""
        files = [Path("/proc", str(process), "status") for process in self.renderers()]
        if not all(file.is_file() for file in files):
            pytest.skip("needs Linux, which tells the memory of a process in a file")
        lines = [line for file in files for line in file.read_text().splitlines() if line.startswith("VmRSS:")]
        return sum(1024 * int(line.split()[1]) for line in lines)


@contextlib.contextmanager
def open_browser(folder: Path, camera: Path | None = None, options: tuple[str, ...] = ()) -> Iterator[Browser]:
    """Start Chromium with a profile in a folder; skip where there is none.

    Args:
        folder: Where it keeps what it must.
        camera: A y4m video that plays as its camera; None leaves it without one.
        options: More of its options.
    """
    name = next(filter(None, map(shutil.which, NAMES)), None)
    if name is None:
        pytest.skip("needs Chromium, which is not installed")
    profile = folder / "profile"
    command = [name, *OPTIONS, *options, f"--user-data-dir={profile}", "about:blank"]
    if camera is not None:
        command += [*CAMERA, f"--use-file-for-fake-video-capture={camera}"]
    environment = {**os.environ, "HOME": str(folder)}
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
    ) as process:
        try:
            yield Browser(_until(lambda: _port_of(profile)))
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def write_y4m(path: Path, images: list[Image], *, rate: int = 10) -> Path:
    """Write pictures (H, W, 3) uint8 BGR of one even size as the raw video that Chromium's camera plays."""
    import cv2

    height, width = images[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{rate}:1 Ip A1:1 C420mpeg2\n".encode())
        for image in images:
            file.write(b"FRAME\n" + cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def portrait_camera(folder: Path) -> Path:
    """Write the video of a camera that sees a face, into a folder."""
    return write_y4m(folder / "camera.y4m", [camera_picture()] * 5)


def _port_of(profile: Path) -> int | None:
    """Return the port that Chromium wrote down, once it did."""
    file = profile / "DevToolsActivePort"
    lines = file.read_text().splitlines() if file.exists() else []
    return int(lines[0]) if lines else None


def _until(found: Callable[[], int | None]) -> int:
    """Wait until something is there."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if (value := found()) is not None:
            return value
        time.sleep(0.1)
    raise AssertionError(f"Chromium did not start within {PATIENCE:g} s")
