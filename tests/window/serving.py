"""A local HTTP server: the videos in a folder, and motion JPEG as of a camera, which ends or is endless."""

from __future__ import annotations

import contextlib
import functools
import http.server
import itertools
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2

from facemood.schema import Image


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and images as network cameras do: /camera ends after the last image, /endless repeats them."""

    def __init__(self, *words: object, pictures: Sequence[bytes], **options: object) -> None:
        self.pictures = pictures
        super().__init__(*words, **options)  # type: ignore[arg-type]

    def log_message(self, *words: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        if self.path == "/camera":
            self.send_pictures(self.pictures, pause=0)
        elif self.path == "/endless":
            self.send_pictures(itertools.cycle(self.pictures), pause=0.02)
        else:
            super().do_GET()

    def send_pictures(self, pictures: Iterable[bytes], *, pause: float) -> None:
        """Send images one after the other, until the last one or until the client disconnects."""
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        with contextlib.suppress(OSError):
            for data in pictures:
                head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
                time.sleep(pause)


@contextlib.contextmanager
def serve(folder: Path, pictures: Iterable[Image]) -> Iterator[str]:
    """Serve the files of a folder and images (H, W, 3) uint8 BGR, and yield the address."""
    encoded = [cv2.imencode(".jpg", picture)[1].tobytes() for picture in pictures]
    handler = functools.partial(Handler, directory=str(folder), pictures=encoded)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
