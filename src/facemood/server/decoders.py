"""Decodes images in two separate processes: one for small images, one for large ones."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from facemood.isolation.bounds import ImageBounds
from facemood.isolation.decode_process import DeadlineError, DecodeProcess
from facemood.schema import Image
from facemood.server.limits import ServerOptions
from facemood.server.niceness import NICENESS
from facemood.server.problems import Problem
from facemood.server.prometheus import Metrics

T = TypeVar("T")

QUICK_PIXELS = 1_000_000
"""Pixels, as decoding work counts them, up to which an image is small: 1280 x 720 is, and it is decoded in 10 ms."""

QUICK_SECONDS = 2.0
"""Seconds after which an image that should be quick goes to the process for large ones."""


class Decoders:
    """Decodes the images of clients. Small images never wait for large ones.

    Args:
        options: The limits.
        metrics: Receives the decoding times.
    """

    options: ServerOptions
    metrics: Metrics

    def __init__(self, options: ServerOptions, metrics: Metrics) -> None:
        self.options, self.metrics = options, metrics
        self._quick = _Decoder(options.decode_memory)
        self._large = _Decoder(options.decode_memory, niceness=NICENESS)

    async def start(self) -> None:
        """Start the process for small images, so that the first image does not wait for it."""
        await self._quick.start()

    async def decode_small(self, data: bytes, bounds: ImageBounds, then: Callable[[Image], Future[T]]) -> T | None:
        """Decode a small image, and pass it on.

        Args:
            data: The file's bytes.
            bounds: The limits of the image.
            then: Receives the image, (H, W, 3) uint8 BGR, in the thread that waited for it. So the engine can
                start without a detour through the event loop.

        Returns:
            The result of `then`; None if the image is not small: use `decode_large`.

        Raises:
            SourceError: It is no image, damaged, or above a limit.
        """
        quick = min(QUICK_SECONDS, self.options.decode_seconds)
        bounds = dataclasses.replace(bounds, quick=QUICK_PIXELS)
        try:
            return await asyncio.wrap_future(self._quick.decode(data, bounds, quick, then, self._note))
        except DeadlineError:
            return None

    async def decode_large(self, data: bytes, bounds: ImageBounds, then: Callable[[Image], Future[T]]) -> T:
        """Decode an image of any size within `ServerOptions.decode_seconds`; otherwise as `decode_small`."""
        seconds = self.options.decode_seconds
        found = await asyncio.wrap_future(self._large.decode(data, bounds, seconds, then, self._note))
        if found is None:
            raise RuntimeError("an image was measured only")
        return found

    @property
    def kills(self) -> int:
        """Number of processes that were killed or crashed."""
        return self._quick.process.kills + self._large.process.kills

    def close(self) -> None:
        """End the processes."""
        self._quick.close()
        self._large.close()

    def _note(self, seconds: float) -> None:
        """Note how long an image was decoded."""
        self.metrics.observe(seconds, name="facemood_decode_seconds")


class _Decoder:
    """A decoding process, and the thread that waits for it."""

    def __init__(self, memory: int, *, niceness: int = 0) -> None:
        self.process = DecodeProcess(memory=memory, niceness=niceness)
        self._thread = ThreadPoolExecutor(1, "facemood-decode")

    async def start(self) -> None:
        """Start the process."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self.process.start)

    def decode(
        self,
        data: bytes,
        bounds: ImageBounds,
        seconds: float,
        then: Callable[[Image], Future[T]],
        note: Callable[[float], None],
    ) -> Future[T | None]:
        """Decode an image and pass it on; the answer is the result of `then`, or None if the image is not quick."""
        answer: Future[T | None] = Future()

        def call() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                image = self._timed(data, bounds, seconds, note)
                if isinstance(image, tuple):
                    answer.set_result(None)
                else:
                    then(image).add_done_callback(lambda done: _pass_on(done, answer))
            except Exception as error:  # the client's own trouble; the thread must live on
                answer.set_exception(error)

        self._thread.submit(call)
        return answer

    def _timed(
        self, data: bytes, bounds: ImageBounds, seconds: float, note: Callable[[float], None]
    ) -> Image | tuple[int, int]:
        """Decode an image, and note how long that took."""
        began = time.monotonic()
        try:
            return self.process.decode(data, bounds, seconds=seconds)
        finally:
            note(time.monotonic() - began)

    def close(self) -> None:
        """End the process and the thread."""
        self.process.close()
        self._thread.shutdown(cancel_futures=True)


def _pass_on(done: Future[T], answer: Future[T | None]) -> None:
    """Give the outcome of one future to another."""
    if done.cancelled():
        answer.set_exception(Problem(503, "the server ends; ask again later", {"Retry-After": "10"}))
    elif error := done.exception():
        answer.set_exception(error)
    else:
        answer.set_result(done.result())
