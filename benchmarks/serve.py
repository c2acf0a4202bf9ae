"""Load a server with many live clients for a while: ``python benchmarks/serve.py -o benchmarks/serve.json``.

Each client sends an image of 640x480 with one face several times per second over a WebSocket, and waits for the answer
before the next one, as the page does. The server is a separate process, started as users start it; its resident
memory is read while it runs (Linux).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
from machine import describe_machine
from measure import facemood_command
from websockets.asyncio.client import connect

from facemood.sources import load_image

PHOTO = Path(__file__).parents[1] / "examples" / "photos" / "astronaut.png"
WARM = 0.25
"""Share of the time, 0..1, during which caches fill and memory is not counted."""


@dataclass
class Client:
    """The measurements of one client.

    Attributes:
        delays: Milliseconds from each image to its answer.
        late: How often the answer came after the next image should have been sent.
    """

    delays: list[float] = field(default_factory=list)
    late: int = 0


def main() -> None:
    """Read the options, measure, print the figures and write them."""
    parser = argparse.ArgumentParser(description="Load a server with live clients.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the JSON file")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--rate", type=float, default=5.0, help="images per second of each client")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    machine = describe_machine()
    command = [facemood_command(), "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        try:
            port = port_of(server)
            figures = asyncio.run(load(port, server.pid, options.clients, options.rate, options.seconds))
        finally:
            server.terminate()
    figures = {**machine, **figures}
    options.output.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def port_of(server: subprocess.Popen[str]) -> int:
    """Return the port that the server says it listens at.

    Raises:
        RuntimeError: It did not start.
    """
    line = server.stderr.readline() if server.stderr else ""
    found = re.search(r":(\d+)/", line)
    if found is None:
        raise RuntimeError(f"the server did not start: {line}")
    return int(found[1])


async def load(port: int, process: int, count: int, rate: float, seconds: float) -> dict[str, Any]:
    """Let clients send images for some seconds; return their delays and the server's memory."""
    image = make_image()
    clients = [Client() for _ in range(count)]
    ends = time.perf_counter() + seconds
    watching = asyncio.create_task(watch_memory(process, ends))
    await asyncio.gather(*(send_images(client, port, image, rate, ends) for client in clients))
    memory = await watching
    return {"clients": count, "rate": rate, "seconds": seconds, **summary(clients, seconds), **growth(memory)}


async def send_images(client: Client, port: int, image: bytes, rate: float, ends: float) -> None:
    """Send images at a rate until a time, each after the answer to the last."""
    async with connect(f"ws://127.0.0.1:{port}/v1/live", open_timeout=60) as socket:
        await socket.recv()
        due = time.perf_counter()
        while time.perf_counter() < ends:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            await socket.send(image)
            answer = json.loads(await socket.recv())
            if answer["type"] != "result" or len(answer["faces"]) != 1:
                raise RuntimeError(f"expected one face, but got {answer}")
            now = time.perf_counter()
            client.delays.append(1000 * (now - sent))
            client.late += now > due + 1 / rate
            due = max(due + 1 / rate, now)


async def watch_memory(process: int, ends: float) -> list[float]:
    """Return a process's resident memory in MB, twice a second until a time."""
    found = []
    while time.perf_counter() < ends:
        status = Path(f"/proc/{process}/status").read_text()
        found.append(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) * 1024 / 1e6)
        await asyncio.sleep(0.5)
    return found


def summary(clients: list[Client], seconds: float) -> dict[str, float]:
    """Return how quickly and how evenly the clients were answered."""
    delays = sorted(delay for client in clients for delay in client.delays)
    counts = [len(client.delays) for client in clients]
    medians = [statistics.median(client.delays) for client in clients]
    return {
        "answers a second": sum(counts) / seconds,
        "median ms": statistics.median(delays),
        "95th percentile ms": delays[round(0.95 * (len(delays) - 1))],
        "slowest ms": delays[-1],
        "answers of the last client": min(counts),
        "answers of the first client": max(counts),
        "median ms of the quickest client": min(medians),
        "median ms of the slowest client": max(medians),
        "late answers": sum(client.late for client in clients),
    }


def growth(memory: list[float]) -> dict[str, float]:
    """Return the memory after the caches have filled, at the end, and by how much a straight line rises in between."""
    warm = memory[round(WARM * len(memory)) :]
    slope = statistics.linear_regression(range(len(warm)), warm).slope * 2 * 60
    return {"settled MB": warm[0], "end MB": warm[-1], "peak MB": max(memory), "growth MB a minute": slope}


def make_image() -> bytes:
    """Return a JPEG of 640x480 with one face."""
    photo = load_image(PHOTO)
    wide = cv2.copyMakeBorder(photo[:480], 0, 0, 64, 64, cv2.BORDER_REPLICATE)
    return bytes(cv2.imencode(".jpg", wide)[1])


if __name__ == "__main__":
    main()
