"""The parts of a running server together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from starlette.requests import HTTPConnection

from facemood.isolation.bounds import ImageBounds
from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.schema import Frame, Image
from facemood.server.client_places import Places
from facemood.server.decoders import QUICK_PIXELS, Decoders
from facemood.server.engine import Engine
from facemood.server.limits import ServerOptions
from facemood.server.niceness import give_way
from facemood.server.prometheus import Labels, Metrics
from facemood.server.turns import Turns
from facemood.server.video_jobs import Videos
from facemood.tracking.scene import Scene

TOGETHER = 8
"""Small images that are decoded or analyzed at the same time. Others wait undecoded."""

PATIENCE = 3.0
"""Seconds for which the end of the server waits for the images that are analyzed at that moment."""

FRESH = 1.0
"""Seconds of silence after which a live connection may lose its place to a new one, if all places are taken."""

Answer = TypeVar("Answer")


class Service:
    """What the routes use.

    Args:
        recognizer: What reads.
        options: The limits.
        metrics: Where it is counted.

    Attributes:
        ended: Whether it was closed and all its work has ended.
    """

    ended: bool = False
    recognizer: EmotionRecognizer
    options: ServerOptions
    metrics: Metrics
    engine: Engine
    decoders: Decoders
    videos: Videos
    pictures: Places
    live: Places

    def __init__(self, recognizer: EmotionRecognizer, options: ServerOptions, metrics: Metrics) -> None:
        self.recognizer, self.options, self.metrics = recognizer, options, metrics
        self.engine = Engine(recognizer, max_waiting=TOGETHER + 2 + options.videos)
        self.decoders = Decoders(options, metrics)
        self.videos = Videos(self.engine, options)
        self.pictures = Places(options.waiting, full="too much is being read already; ask again in a moment")
        self.live = Places(options.connections, full="there are too many connections; try again later", silence=FRESH)
        self._small, self._large = Turns(TOGETHER), Turns(1)
        self._giving_way = ThreadPoolExecutor(1, "facemood-large-answers", initializer=give_way)

    async def read(
        self,
        client: str,
        choose: Callable[[], bytes],
        bounds: ImageBounds,
        scene: Scene,
        *,
        frame: Callable[[Image], Frame],
        then: Callable[[Result], Awaitable[Answer]],
    ) -> Answer:
        """Decode an image, analyze it, and make an answer from the result.

        Small images never wait for large ones. Waiting images are not decoded, so their memory is limited.

        Args:
            client: The address of the client. Clients have turns in rounds.
            choose: Returns the file's bytes when the turn has come.
            bounds: The limits of the image.
            scene: The scene of the image.
            frame: Makes a frame from the image.
            then: Makes the answer from the result; what it keeps of the image takes memory.

        Raises:
            SourceError: It is no image, damaged, or above a bound.
            Problem: Too many wait (503).
        """
        async with self._small.take(client):
            data = choose()
            read = await self.decoders.decode_small(data, bounds, lambda image: self._read(frame(image), scene))
            if read is not None:
                return await self._finish(read, then)
        async with self._large.take(client):
            read = await self.decoders.decode_large(
                data, bounds, lambda image: self._read(frame(image), scene, large=True)
            )
            return await self._finish(read, then)

    async def work_on(self, result: Result, work: Callable[[Result], Answer]) -> Answer:
        """Work on a result in a thread, on that of a large image in one that gives way to small images."""
        if result.size[0] * result.size[1] > QUICK_PIXELS:
            return await asyncio.get_running_loop().run_in_executor(self._giving_way, work, result)
        return await asyncio.to_thread(work, result)

    def _read(self, frame: Frame, scene: Scene, *, large: bool = False) -> Future[list[Result]]:
        """Ask the engine to read a frame."""
        return self.engine.read(lambda: [frame], scene, large=large)

    async def _finish(self, read: list[Result], then: Callable[[Result], Awaitable[Answer]]) -> Answer:
        """Make the answer, once the frame was read."""
        self.metrics.count("facemood_faces_total", len(read[0]))
        return await then(read[0])

    @property
    def connections(self) -> int:
        """Number of open live connections."""
        return self.live.taken

    def figures(self) -> str:
        """Return the server's figures for Prometheus."""
        now: dict[tuple[str, Labels], float] = {
            ("facemood_videos", (("state", state),)): count for state, count in self.videos.states().items()
        }
        now["facemood_connections", ()] = self.connections
        now["facemood_waiting", ()] = self.engine.waiting + self._small.waiting + self._large.waiting
        now["facemood_oldest_waiting_seconds", ()] = max(self.engine.oldest, self._small.oldest, self._large.oldest)
        now["facemood_decoders_killed_total", ()] = self.decoders.kills
        now["facemood_resident_bytes", ()] = resident_bytes()
        now["facemood_disk_free_bytes", ()] = self.videos.folder.free()
        return self.metrics.text(now)

    def close(self, *, patience: float = PATIENCE) -> bool:
        """Stop everything, and delete what was uploaded.

        Decoding processes are killed. The images that are analyzed at this moment are waited for, but not long.

        Args:
            patience: Seconds to wait.

        Returns:
            Whether all work has ended. If not, a thread still works on an image, and the interpreter would wait for it.
        """
        self.engine.stop()
        self.decoders.close()
        self.videos.stop()
        self._giving_way.shutdown(wait=False, cancel_futures=True)
        waiting = threading.Thread(target=self._join, name="facemood-ending", daemon=True)
        waiting.start()
        waiting.join(patience)
        self.videos.close()
        self.ended = not waiting.is_alive()
        return self.ended

    def _join(self) -> None:
        """Wait until all threads have ended."""
        self._giving_way.shutdown()
        self.videos.join()
        self.engine.close()


def resident_bytes() -> float:
    """Return the resident memory of this process in bytes; 0 if the system is not Linux.

    Example:
        >>> resident_bytes() >= 0
        True
    """
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * 4096.0


def service_of(connection: HTTPConnection) -> Service:
    """Return the service of the application that a request came to."""
    service: Service = connection.app.state.service
    return service
