"""The live protocol: images come over a WebSocket, and what was read of them goes back. See docs/server.md."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from facemood.explain import add_maps, can_map
from facemood.results import Result
from facemood.schema import Frame, Image
from facemood.server.client_places import ClientPlace
from facemood.server.clients import client_of
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem, problem_of, require_maps
from facemood.server.prometheus import Metrics
from facemood.server.rates import TokenBucket
from facemood.table import SCHEMA, columns_for
from facemood.tracking import SMOOTH, Scene, VideoOptions

if TYPE_CHECKING:
    from facemood.recognizer import EmotionRecognizer
    from facemood.server.service import Service

PROTOCOL = 1
"""Version of the live protocol."""

DONE, TOO_LARGE, TOO_MANY, BUSY = 1000, 1009, 1008, 1013
"""Why a connection is closed, in numbers of RFC 6455."""

SETTING_BURST = 6
"""Seconds' worth of settings that may come at once."""

CLOSING = 10.0
"""Seconds within which a client must have read what it was sent before, once the connection is to be closed."""

PATIENCE = 8.0
"""Seconds for which a person who is not seen keeps the track ID. It is long because a slow client sends few frames."""

LONGEST_SMOOTH = 10.0
"""Seconds over which a client may have readings smoothed at most."""


class _Sent(NamedTuple):
    """An image as it came.

    Attributes:
        number: Its place among the images of its connection, from 0.
        data: The file's bytes.
        came: When, in seconds of the monotonic clock.
    """

    number: int
    data: bytes
    came: float


class Connection:
    """One client's live reading, from its first image to its last.

    Only the newest image waits: it replaces the one before. It is decoded when the client's turn comes; until then a
    newer one may still replace it. So a client that is too fast loses images, and neither memory nor delay grows.

    Args:
        socket: The WebSocket, accepted.
        service: The parts of the server.
    """

    socket: WebSocket
    service: Service
    options: ServerOptions
    metrics: Metrics
    client: str

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self.socket, self.service = socket, service
        self.options, self.metrics, self.client = service.options, service.metrics, client_of(socket.scope)
        self._slot: deque[_Sent] = deque(maxlen=1)
        self._came = asyncio.Event()
        self._count = 0
        self._current: _Sent | None = None
        self._pictures = TokenBucket(self.options.frame_rate, 2 * self.options.frame_rate)
        self._settings = TokenBucket(self.options.setting_rate, SETTING_BURST * self.options.setting_rate)
        self._mapped = False
        self._end_of: tuple[int, str] | None = None
        self._scene: Scene | None = None
        self._silence: asyncio.TimerHandle
        self._listening: asyncio.Task[None] | None = None
        self._restart(SMOOTH)

    async def run(self, place: ClientPlace) -> None:
        """Greet, read and answer, until the client leaves or the server closes the connection.

        Args:
            place: What the connection holds among all of them.
        """
        await self.socket.send_json(greeting(self.service.recognizer, self.options))
        answering = asyncio.create_task(self._answer_all(place))
        self._listening = asyncio.create_task(self._listen(place))
        self._watch_silence(place)
        try:
            await self._listening
        except WebSocketDisconnect:
            pass
        except asyncio.CancelledError:
            if self._end_of is None:
                raise
            await self._close(*self._end_of)
        finally:
            answering.cancel()
            self._silence.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await answering

    def leave(self) -> None:
        """Make room for another connection."""
        self._end(BUSY, "other clients need this connection, which was silent; open another")

    def _end(self, code: int, reason: str) -> None:
        """Let the connection end."""
        self._end_of = code, reason
        if self._listening is not None:
            self._listening.cancel()

    async def _listen(self, place: ClientPlace) -> None:
        """Take in what comes."""
        while True:
            message = await self.socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            refused = await self._take_in(message.get("bytes"), message.get("text") or "", place)
            if refused:
                await self._close(*refused)
                return

    def _watch_silence(self, place: ClientPlace) -> None:
        """End the connection if no image came for long, or look again when that could be."""
        left = place.since + self.options.live_idle - place.places.clock()
        if left > 0:
            self._silence = asyncio.get_running_loop().call_later(left, self._watch_silence, place)
        else:
            self._end(DONE, f"no image came for {self.options.live_idle:g} seconds")

    async def _take_in(self, data: bytes | None, text: str, place: ClientPlace) -> tuple[int, str] | None:
        """Take in an image or a setting; return why the connection is closed, if it is."""
        if data is not None:
            place.touch()
            if not self._pictures.take():
                return TOO_MANY, f"expected at most {self.options.frame_rate} images a second"
            self._put(data)
        elif len(text) > self.options.max_setting:
            return TOO_LARGE, f"expected a setting of at most {self.options.max_setting} bytes"
        elif not self._settings.take():
            return TOO_MANY, f"expected at most {self.options.setting_rate} settings a second"
        else:
            await self._apply_settings(text)
        return None

    def _put(self, data: bytes) -> None:
        """Let an image wait, in place of the one that waited."""
        if self._slot:
            self.metrics.count("facemood_frames_dropped_total")
        self._slot.append(_Sent(self._count, data, time.monotonic()))
        self._count += 1
        self._came.set()

    async def _apply_settings(self, text: str) -> None:
        """Change a setting; what is no setting is complained of."""
        try:
            settings = json.loads(text)
            if "map" in settings:
                self._show_maps(settings["map"])
            else:
                self._smooth_over(settings["smooth"])
        except Problem as problem:
            await self._send_problem(problem)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            await self._send_problem(Problem(400, 'expected a setting such as {"smooth": 0.3} or {"map": true}'))

    def _smooth_over(self, seconds: object) -> None:
        """Smooth predictions over so many seconds, in a new scene with new track IDs."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise Problem(400, f"smooth must be a number of seconds, but is {seconds!r}")
        if not 0 <= seconds <= LONGEST_SMOOTH:
            raise Problem(400, f"smooth must be 0 to {LONGEST_SMOOTH:g} seconds, but is {seconds:g}")
        self._restart(float(seconds))

    def _show_maps(self, wanted: object) -> None:
        """Send with each face where the network found its label, or no longer."""
        if not isinstance(wanted, bool):
            raise Problem(400, f"map must be true or false, but is {wanted!r}")
        if wanted:
            require_maps(self.service.recognizer)
        self._mapped = wanted

    def _restart(self, smooth: float) -> None:
        """Start a new scene: forget the people and their expressions."""
        self._smooth, self._scene = smooth, None
        self._began = time.monotonic()

    async def _answer_all(self, place: ClientPlace) -> None:
        """Have the newest image read, answer, and again."""
        while True:
            await self._came.wait()
            self._came.clear()
            if not self._slot:  # the request before took it already
                continue
            self._current = None
            place.busy = True
            try:
                text = await self._read()
            except Exception as error:  # the connection goes on with the next image
                problem = problem_of(error)
                self.metrics.refuse(problem.status)
                await self._send_problem(problem, self._current)
                continue
            finally:
                place.touch()
                place.busy = False
            await self._send_result(text)

    async def _read(self) -> str:
        """Have the newest image read, and return what is sent of it."""
        if self._scene is None:
            options = VideoOptions(smooth=self._smooth, patience=PATIENCE)
            self._scene = self.service.recognizer.pipeline.track(options)
        return await self.service.read(
            self.client,
            self._choose,
            self.options.frame(),
            self._scene,
            frame=self._frame,
            then=self._text_of,
        )

    def _choose(self) -> bytes:
        """Take the newest image, now that the turn has come."""
        self._current = sent = self._slot.pop()
        return sent.data

    def _frame(self, image: Image) -> Frame:
        """Return the decoded image with its number and its time."""
        sent = self._current or _Sent(0, b"", self._began)
        return Frame(image, source="live", index=sent.number, timestamp=max(0.0, sent.came - self._began))

    async def _text_of(self, result: Result) -> str:
        """Return a result as JSON, with maps if the client wants them."""
        if self._mapped:
            result = await self.service.work_on(result, partial(add_maps, self.service.recognizer.pipeline))
        return json.dumps({"type": "result", **result.to_dict()}, ensure_ascii=False)

    async def _send_result(self, text: str) -> None:
        """Send what was read."""
        self.metrics.count("facemood_frames_total")
        await self.socket.send_text(text)
        if self._current is not None:
            self.metrics.observe(time.monotonic() - self._current.came)

    async def _send_problem(self, problem: Problem, sent: _Sent | None = None) -> None:
        """Send what is wrong with an image or a setting."""
        number = None if sent is None else sent.number
        await self.socket.send_text(json.dumps({"type": "problem", "frame": number, "problem": problem.body()}))

    async def _close(self, code: int, reason: str) -> None:
        """Close the connection, and count why."""
        self.metrics.count("facemood_refusals_total", reason=f"close {code}")
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, asyncio.TimeoutError):
            await asyncio.wait_for(self.socket.close(code, reason), CLOSING)


def greeting(recognizer: EmotionRecognizer, options: ServerOptions) -> dict[str, Any]:
    """Return the first message of a connection: what reads, and what may be sent."""
    video, measures = VideoOptions(patience=PATIENCE), recognizer.pipeline.derived.measures
    columns = columns_for(recognizer.labels, video.variants, measures=measures)
    return {
        "type": "hello",
        "protocol": PROTOCOL,
        "info": {**recognizer.info(), **video.info()},
        "schema": SCHEMA,
        "columns": [{"name": one.name, "path": one.path} for one in columns],
        "max_bytes": options.max_frame,
        "max_pixels": options.max_frame_pixels,
        "frame_rate": options.frame_rate,
        "maps": can_map(recognizer.pipeline),
    }
