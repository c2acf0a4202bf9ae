"""The parts of a running server together."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from starlette.requests import HTTPConnection

from facemood.explain import add_maps
from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.schema import Frame
from facemood.server.engine import Engine
from facemood.server.limits import ServerOptions
from facemood.server.prometheus import Labels, Metrics
from facemood.server.uploads import decode_picture
from facemood.server.video_jobs import Videos


class Service:
    """What the routes use.

    Args:
        recognizer: What reads.
        options: The bounds.
    """

    recognizer: EmotionRecognizer
    options: ServerOptions
    metrics: Metrics
    connections: int

    def __init__(self, recognizer: EmotionRecognizer, options: ServerOptions) -> None:
        self.recognizer, self.options, self.metrics = recognizer, options, Metrics()
        self.engine: Engine = Engine(recognizer, waiting=options.waiting + options.connections)
        self.videos: Videos = Videos(self.engine, options)
        self.connections = 0

    async def read_picture(self, data: bytes, name: str, *, maps: bool = False) -> Result:
        """Read one uploaded picture, and with maps where in each face the label was found.

        Raises:
            FacemoodError: It cannot be read.
            Problem: It is too large, or too many wait.
        """

        def take() -> list[Frame]:
            return [Frame(decode_picture(data, max_pixels=self.options.max_pixels), source=name)]

        (result,) = await asyncio.wrap_future(self.engine.read(take, self.engine.photos()))
        self.metrics.count("facemood_faces_total", len(result))
        return await asyncio.to_thread(add_maps, self.recognizer.pipeline, result) if maps else result

    @contextlib.contextmanager
    def connected(self) -> Iterator[bool]:
        """Count a live connection while it lasts; gives whether there is room for it."""
        self.connections += 1
        try:
            yield self.connections <= self.options.connections
        finally:
            self.connections -= 1

    def figures(self) -> str:
        """Return the server's figures for Prometheus."""
        now: dict[tuple[str, Labels], float] = {
            ("facemood_videos", (("state", state),)): count for state, count in self.videos.states().items()
        }
        now["facemood_connections", ()] = self.connections
        now["facemood_waiting", ()] = self.engine.waiting
        return self.metrics.text(now)

    def close(self) -> None:
        """Stop everything, and delete what was uploaded."""
        self.videos.close()
        self.engine.close()


def service_of(connection: HTTPConnection) -> Service:
    """Return the service of the application that a request came to."""
    service: Service = connection.app.state.service
    return service
