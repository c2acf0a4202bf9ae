"""The live protocol: pictures come over a WebSocket, and what was read of them goes back. See docs/server.md."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from facemood.explain import add_maps, can_map
from facemood.results import Result
from facemood.schema import Frame
from facemood.server.engine import Engine
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem, problem_of, require_maps
from facemood.server.prometheus import Metrics
from facemood.server.rates import TokenBucket
from facemood.server.uploads import decode_picture
from facemood.table import SCHEMA, columns_for
from facemood.tracking import SMOOTH, VideoOptions

PROTOCOL = 1
"""Version of the live protocol."""

TOO_LARGE, TOO_MANY, BUSY = 1009, 1008, 1013
"""Why a connection is closed, in numbers of RFC 6455."""

PATIENCE = 8.0
"""Seconds for which a person who is not seen keeps the track ID. It is long because a slow client sends few frames."""

LONGEST_SMOOTH = 10.0
"""Seconds over which a client may have readings smoothed at most."""


class _Sent(NamedTuple):
    """A picture as it came.

    Attributes:
        number: Its place among the pictures of its connection, from 0.
        data: The file's bytes.
        came: When, in seconds of the monotonic clock.
    """

    number: int
    data: bytes
    came: float


class Connection:
    """One client's live reading, from its first picture to its last.

    Only the newest picture waits: it replaces the one before. It is decoded when the engine reads it; until then a
    newer one may still replace it. So a client that is too fast loses pictures, and neither memory nor delay grows.

    Args:
        socket: The WebSocket, accepted.
        engine: What reads.
        options: The bounds.
        metrics: Where it is counted.
    """

    socket: WebSocket
    engine: Engine
    options: ServerOptions
    metrics: Metrics

    def __init__(self, socket: WebSocket, engine: Engine, options: ServerOptions, metrics: Metrics) -> None:
        self.socket, self.engine, self.options, self.metrics = socket, engine, options, metrics
        self._slot: deque[_Sent] = deque(maxlen=1)
        self._came = asyncio.Event()
        self._count = 0
        self._current: _Sent | None = None
        self._bucket = TokenBucket(options.frame_rate, 2 * options.frame_rate)
        self._mapped = False
        self._restart(SMOOTH)

    async def run(self) -> None:
        """Greet, read and answer, until the client leaves or is told to."""
        await self.socket.send_json(greeting(self.engine, self.options))
        answering = asyncio.create_task(self._answer_all())
        try:
            await self._listen()
        except WebSocketDisconnect:
            pass
        finally:
            answering.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await answering

    async def _listen(self) -> None:
        """Take in what comes."""
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (data := message.get("bytes")) is not None:
                if not self._bucket.take():
                    await self.socket.close(TOO_MANY, f"expected at most {self.options.frame_rate} pictures a second")
                    return
                self._put(data)
            else:
                await self._obey(message.get("text") or "")

    def _put(self, data: bytes) -> None:
        """Let a picture wait, in place of the one that waited."""
        if self._slot:
            self.metrics.count("facemood_frames_dropped_total")
        self._slot.append(_Sent(self._count, data, time.monotonic()))
        self._count += 1
        self._came.set()

    async def _obey(self, text: str) -> None:
        """Change a setting; what is no setting is complained of."""
        try:
            told = json.loads(text)
            if "map" in told:
                self._show_maps(told["map"])
            else:
                self._smooth_over(float(told["smooth"]))
        except Problem as problem:
            await self._complain(problem)
        except (ValueError, KeyError, TypeError, RecursionError):
            await self._complain(Problem(400, 'expected a setting such as {"smooth": 0.3} or {"map": true}'))

    def _smooth_over(self, seconds: float) -> None:
        """Smooth predictions over so many seconds, in a new scene with new track IDs."""
        if not 0 <= seconds <= LONGEST_SMOOTH:
            raise Problem(400, f"smooth must be 0 to {LONGEST_SMOOTH:g} seconds, but is {seconds:g}")
        self._restart(seconds)

    def _show_maps(self, wanted: object) -> None:
        """Send with each face where the network found its label, or no longer."""
        if not isinstance(wanted, bool):
            raise Problem(400, f"map must be true or false, but is {wanted!r}")
        if wanted:
            require_maps(self.engine.recognizer)
        self._mapped = wanted

    def _restart(self, smooth: float) -> None:
        """Start a new scene: forget the people and their expressions."""
        self._scene = self.engine.recognizer.pipeline.track(VideoOptions(smooth=smooth, patience=PATIENCE))
        self._began = time.monotonic()

    async def _answer_all(self) -> None:
        """Have the newest picture read, answer, and again."""
        while True:
            await self._came.wait()
            self._came.clear()
            if not self._slot:  # the request before took it already
                continue
            self._current = None
            try:
                (result,) = await asyncio.wrap_future(self.engine.read(self._take, self._scene))
                if self._mapped:
                    result = await asyncio.to_thread(add_maps, self.engine.recognizer.pipeline, result)
            except Exception as error:  # the connection goes on with the next picture
                await self._complain(problem_of(error), self._current)
                continue
            await self._tell(result)

    def _take(self) -> Sequence[Frame]:
        """Decode the newest picture; the engine calls this in its thread when it reads the request."""
        self._current = sent = self._slot.pop()
        image = decode_picture(sent.data, max_pixels=self.options.max_frame_pixels)
        return [Frame(image, source="live", index=sent.number, timestamp=max(0.0, sent.came - self._began))]

    async def _tell(self, result: Result) -> None:
        """Send what was read."""
        self.metrics.count("facemood_frames_total")
        self.metrics.count("facemood_faces_total", len(result))
        await self.socket.send_text(json.dumps({"type": "result", **result.to_dict()}, ensure_ascii=False))
        if self._current is not None:
            self.metrics.observe(time.monotonic() - self._current.came)

    async def _complain(self, problem: Problem, sent: _Sent | None = None) -> None:
        """Send what is wrong with a picture or a setting."""
        number = None if sent is None else sent.number
        await self.socket.send_json({"type": "problem", "frame": number, "problem": problem.body()})


def greeting(engine: Engine, options: ServerOptions) -> dict[str, Any]:
    """Return the first message of a connection: what reads, and what may be sent."""
    recognizer = engine.recognizer
    video = VideoOptions()
    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "info": {**recognizer.info(), **video.info()},
        "schema": SCHEMA,
        "columns": [{"name": one.name, "path": one.path} for one in columns_for(recognizer.labels, video.variants)],
        "max_bytes": options.max_frame,
        "max_pixels": options.max_frame_pixels,
        "frame_rate": options.frame_rate,
        "maps": can_map(recognizer.pipeline),
    }
