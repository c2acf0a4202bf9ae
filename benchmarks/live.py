"""Measure what the decoding process costs a live image: ``python benchmarks/live.py -o benchmarks/live.json``.

Two servers run at the same time: one as users start it, and one that decodes in a thread of its own process. One client
sends an image to the one, waits for the answer, and sends it to the other, so that both meet the same load of the
machine. The ratio of the median delays is the cost of the process; the CPU time of each server and its children is read
before and after (Linux).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import typer
from machine import describe_machine
from serve import make_image, port_of
from websockets.asyncio.client import ClientConnection, connect

from facemood.cli.serve_command import serve
from facemood.isolation.bounds import ImageBounds
from facemood.isolation.sent_image import decode_sent_image
from facemood.schema import Image
from facemood.server import service
from facemood.server.decoders import Decoders

T = TypeVar("T")

WARM = 50
"""Images to each server before the measurement."""

INSIDE = "--decode-inside"
"""Starts the server that decodes in its own process."""

TICKS = os.sysconf("SC_CLK_TCK")
"""Ticks per second of a process's CPU time."""


class InsideDecoders(Decoders):
    """Decodes small images in a thread of the server's process, as a server without isolation would."""

    async def start(self) -> None:
        """Start the thread."""
        self.thread = ThreadPoolExecutor(1)

    async def decode_small(self, data: bytes, bounds: ImageBounds, then: Callable[[Image], Future[T]]) -> T | None:
        """Decode an image, and pass it on from the same thread."""

        def work() -> Future[T]:
            image = decode_sent_image(data, bounds)
            if isinstance(image, tuple):
                raise TypeError("expected an image that is decoded at once")
            return then(image)

        answer = await asyncio.wrap_future(self.thread.submit(work))
        return await asyncio.wrap_future(answer)

    def close(self) -> None:
        """End the thread."""
        self.thread.shutdown()
        super().close()


def main() -> None:
    """Read the options, measure, print the figures and write them."""
    parser = argparse.ArgumentParser(description="Measure what the decoding process costs a live image.")
    parser.add_argument("-o", "--output", type=Path, help="the JSON file")
    parser.add_argument("--frames", type=int, default=2000, help="images to each server")
    parser.add_argument("--rate", type=float, default=0.0, help="images per second to each server; 0 sends at once")
    options = parser.parse_args()
    machine = describe_machine()
    with start_server(inside=False) as process, start_server(inside=True) as thread:
        figures = asyncio.run(compare(process, thread, options.frames, options.rate))
    found = {**machine, "frames": options.frames, "rate": options.rate, **figures}
    print(json.dumps(found, indent=1))
    if options.output:
        options.output.write_text(json.dumps(found, indent=1) + "\n")


@contextlib.contextmanager
def start_server(*, inside: bool) -> Iterator[tuple[int, int]]:
    """Start a server, and yield its port and its process."""
    command = [sys.executable, __file__, *([INSIDE] if inside else []), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            yield port_of(server), server.pid
        finally:
            server.terminate()


async def compare(process: tuple[int, int], thread: tuple[int, int], frames: int, rate: float) -> dict[str, Any]:
    """Send images to both servers in turn; return the median delays, the CPU time per image, and their ratios."""
    image, delays = make_image(), ([], [])  # type: tuple[bytes, tuple[list[float], list[float]]]
    async with connected(process[0]) as first, connected(thread[0]) as second:
        for _ in range(WARM):
            await ask(first, image)
            await ask(second, image)
        before = [cpu_seconds(pid) for _, pid in (process, thread)]
        for number in range(frames):
            began = time.perf_counter()
            for which, socket in [(0, first), (1, second)][:: 1 if number % 2 else -1]:
                delays[which].append(await ask(socket, image))
            if rate:
                await asyncio.sleep(max(0.0, began + 1 / rate - time.perf_counter()))
        spent = [
            1000 * (cpu_seconds(pid) - old) / frames for (_, pid), old in zip((process, thread), before, strict=True)
        ]
    median = [statistics.median(one) for one in delays]
    return {
        "process ms": median[0],
        "inside ms": median[1],
        "ratio": median[0] / median[1],
        "process cpu ms": spent[0],
        "inside cpu ms": spent[1],
        "cpu ratio": spent[0] / spent[1],
    }


@contextlib.asynccontextmanager
async def connected(port: int) -> Any:
    """Open a live connection."""
    async with connect(f"ws://127.0.0.1:{port}/v1/live", open_timeout=60) as socket:
        await socket.recv()
        yield socket


async def ask(socket: ClientConnection, image: bytes) -> float:
    """Send an image, and return the milliseconds until its answer."""
    sent = time.perf_counter()
    await socket.send(image)
    answer = json.loads(await socket.recv())
    if answer["type"] != "result" or len(answer["faces"]) != 1:
        raise RuntimeError(f"expected one face, but got {answer}")
    return 1000 * (time.perf_counter() - sent)


def cpu_seconds(process: int) -> float:
    """Return the CPU time of a process and its children in seconds (Linux)."""
    pids = [process]
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        pids += [int(pid) for pid in task.read_text().split()]
    times = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in pids]
    return sum(int(user) + int(system) for user, system in times) / TICKS


if __name__ == "__main__":
    if "--port" not in sys.argv:
        main()
    else:
        if INSIDE in sys.argv:
            sys.argv.remove(INSIDE)
            vars(service)["Decoders"] = InsideDecoders
        typer.run(serve)
