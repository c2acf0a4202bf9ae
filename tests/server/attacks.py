"""Attacks on a server, and the clients beside them whose delay is measured. Everything stays on this machine.

``python -m tests.server.attacks NAME PORT SECONDS`` runs one attack from the address 127.0.0.2.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import httpx
import numpy as np
from websockets.asyncio.client import connect

from facemood.sources import load_image

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "astronaut.png"

HERE, THERE = "127.0.0.1", "127.0.0.2"
"""The addresses of the clients, and of the attacker."""

BEGUN = "the attack begins"
"""What the process of an attack writes when it has made its files."""

PAUSE = 0.2
"""Seconds between the pictures of the live client, and of the one that posts photos."""


def photo(width: int = 640, height: int = 480) -> bytes:
    """Return a JPEG with one face."""
    image = load_image(PHOTO)
    return bytes(cv2.imencode(".jpg", cv2.resize(image[:480], (width, height)))[1])


def png(width: int, height: int, *, colour: int = 0, bits: int = 8) -> bytes:
    """Return a black PNG of any size in few bytes.

    Args:
        width: In pixels.
        height: In pixels.
        colour: PNG's number for grey (0), RGB (2), palette (3) or RGBA (6).
        bits: Of a channel.
    """
    row = bytes(1 + (width * {0: 1, 2: 3, 3: 1, 6: 4}[colour] * bits + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join([packer.compress(row) for _ in range(height)] + [packer.flush()])

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    palette = chunk(b"PLTE", bytes(3) + b"\xff\xff\xff") if colour == 3 else b""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + palette + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def scans_jpeg(width: int, height: int, scans: int) -> bytes:
    """Return a grey progressive JPEG of so many scans: one of mean values, and others that hold nothing."""
    blocks = ((width + 7) // 8) * ((height + 7) // 8)
    head = b"\xff\xd8\xff\xdb\x00\x43\x00" + bytes([1] * 64)
    head += b"\xff\xc2" + struct.pack(">HBHHB", 11, 8, height, width, 1) + bytes([1, 0x11, 0])
    head += b"\xff\xc4" + struct.pack(">H", 20) + b"\x00" + bytes([1] + [0] * 15) + b"\x00"
    head += b"\xff\xc4" + struct.pack(">H", 21) + b"\x10" + bytes([1, 1] + [0] * 14) + bytes([0xE0, 0x00])
    runs = -(-blocks // (1 << 14))
    empty = _scan(1, 63, "0" + "0" * 14 if runs == 1 else ("0" + "0" * 14) * runs)
    return head + _scan(0, 0, "0" * blocks) + empty * (scans - 1) + b"\xff\xd9"


def _scan(first: int, last: int, bits: str) -> bytes:
    """Return one scan of a JPEG."""
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")
    return b"\xff\xda" + struct.pack(">HB", 8, 1) + bytes([1, 0, first, last, 0]) + data


def motion_jpeg(sizes: list[tuple[int, int]], *, rate: int = 25) -> bytes:
    """Return an AVI of black frames, each a JPEG of its own size."""
    file = io.BytesIO()
    known: dict[tuple[int, int], bytes] = {}
    with av.open(file, "w", format="avi") as video:
        stream = video.add_stream("mjpeg", rate=rate)
        stream.width, stream.height = sizes[0]
        stream.pix_fmt = "yuvj420p"
        for number, (width, height) in enumerate(sizes):
            if (width, height) not in known:
                known[width, height] = bytes(cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))[1])
            packet = av.Packet(known[width, height])
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base, packet.is_keyframe = Fraction(1, rate), True
            video.mux(packet)
    return file.getvalue()


class Attacker:
    """What attacks need: the server's address, and when to end.

    Args:
        port: The server's.
        seconds: How long the attack lasts.
        address: Where it comes from.
    """

    def __init__(self, port: int, seconds: float, address: str = THERE) -> None:
        self.port, self.seconds, self.address = port, seconds, address
        self.url = f"http://{HERE}:{port}"
        self._ends: float | None = None
        self._lock = threading.Lock()

    @property
    def goes_on(self) -> bool:
        """Whether the attack is to go on; it begins when this is asked for the first time."""
        with self._lock:
            if self._ends is None:
                self._ends = time.monotonic() + self.seconds
                sys.stdout.write(f"{BEGUN}\n")
                sys.stdout.flush()
        return time.monotonic() < self._ends

    def client(self) -> httpx.Client:
        """Return a client that asks from the attacker's address."""
        return httpx.Client(transport=httpx.HTTPTransport(local_address=self.address), base_url=self.url, timeout=60)

    def connect(self) -> socket.socket:
        """Open a bare connection."""
        found = socket.create_connection((HERE, self.port), source_address=(self.address, 0))
        found.settimeout(2)
        return found

    def post(self, count: int, *pictures: bytes) -> None:
        """Post pictures again and again, several requests at the same time."""

        def repeat() -> None:
            with self.client() as client:
                while self.goes_on:
                    with contextlib.suppress(httpx.HTTPError):
                        client.post("/v1/analyze", files=[("image", one) for one in pictures])

        self.together(repeat, count)

    def together(self, work: Callable[[], None], count: int) -> None:
        """Do the same several times at the same time."""
        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def hold(self, count: int, begin: bytes, drip: bytes) -> None:
        """Keep connections open, send a little on each now and then, and open lost ones again."""
        held: list[socket.socket] = []
        while self.goes_on:
            while len(held) < count:
                with contextlib.suppress(OSError):
                    held.append(self.connect())
                    held[-1].sendall(begin)
            time.sleep(0.5)
            for one in list(held):
                try:
                    one.sendall(drip)
                except OSError:
                    held.remove(one)
        for one in held:
            one.close()


def thin_picture(attacker: Attacker) -> None:
    """A PNG of 40,000,000 x 1 pixels, 38 kB."""
    attacker.post(2, png(40_000_000, 1))


def many_scans(attacker: Attacker) -> None:
    """A JPEG of 12,000 scans."""
    attacker.post(2, scans_jpeg(2900, 2900, 12_000))


def allowed_scans(attacker: Attacker) -> None:
    """Small JPEGs of as many scans as are allowed."""
    attacker.post(4, scans_jpeg(1000, 990, 100))


def bombs(attacker: Attacker) -> None:
    """Three requests of 16 one-bit PNGs of 40 million pixels, 79 kB each."""
    attacker.post(3, *[png(6320, 6320, colour=3, bits=1)] * 16)


def large_pictures(attacker: Attacker) -> None:
    """PNGs of 40 million pixels in colour, drawn and sent back."""
    data = png(6320, 6320, colour=2)

    def repeat() -> None:
        with attacker.client() as client:
            while attacker.goes_on:
                with contextlib.suppress(httpx.HTTPError):
                    client.post("/v1/analyze?annotated=1", files={"image": data})

    attacker.together(repeat, 3)


def growing_video(attacker: Attacker) -> None:
    """A video whose frames grow to 64 million pixels."""
    _upload(attacker, motion_jpeg([(640, 480)] * 20 + [(8000, 8000)] * 20))


def long_video(attacker: Attacker) -> None:
    """A video of 45,000 frames."""
    _upload(attacker, motion_jpeg([(320, 240)] * 45_000))


def _upload(attacker: Attacker, video: bytes) -> None:
    """Send a video as often as there is room, and delete it at the end."""
    with attacker.client() as client:
        found = []
        while attacker.goes_on:
            answer = client.post("/v1/videos", files={"video": video})
            if answer.status_code == 202:
                found.append(answer.headers["location"])
            time.sleep(0.5)
        for address in found:
            client.delete(address)


def slow_heads(attacker: Attacker) -> None:
    """300 connections with half a head."""
    attacker.hold(300, b"POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"X: y\r\n")


def slow_bodies(attacker: Attacker) -> None:
    """100 uploads that send a byte now and then."""
    attacker.hold(100, _upload_head("/v1/analyze", 30_000_000), b"a")


def slow_videos(attacker: Attacker) -> None:
    """20 videos that send a byte now and then."""
    attacker.hold(20, _upload_head("/v1/videos", 1_900_000_000), b"a")


def _upload_head(path: str, length: int) -> bytes:
    """Return the beginning of an upload."""
    field = "video" if "videos" in path else "image"
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f'Content-Length: {length}\r\n\r\n--x\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'
    ).encode()


def many_parts(attacker: Attacker) -> None:
    """Forms of 200 parts of 100 kB."""
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + bytes(100_000) + b"\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    with attacker.client() as client:
        while attacker.goes_on:
            with contextlib.suppress(httpx.HTTPError):
                client.post("/v1/analyze", content=part * 200, headers=kind)


HANDSHAKE = (
    b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def idle_sockets(attacker: Attacker) -> None:
    """70 live connections that send no picture."""
    attacker.hold(70, HANDSHAKE, b"")


def frame(data: bytes, *, kind: int = 1) -> bytes:
    """Return a message of a WebSocket as a client sends it: text is 1, bytes are 2."""
    size = len(data)
    head = bytes([0x80 | kind])
    if size < 126:
        head += bytes([0x80 | size])
    else:
        head += bytes([0xFE]) + struct.pack(">H", size) if size < 65536 else bytes([0xFF]) + struct.pack(">Q", size)
    return head + bytes(4) + data


def setting_flood(attacker: Attacker) -> None:
    """Live settings as fast as they go, answers unread."""
    _flood(attacker, frame(b'{"smooth": 1}') * 100)


def long_settings(attacker: Attacker) -> None:
    """Live settings of 4 MB."""
    _flood(attacker, frame(b"[" + b'{"a":1},' * 440_000 + b"1]"))


def _flood(attacker: Attacker, data: bytes) -> None:
    """Send the same over a live connection, and over another when it is closed."""
    while attacker.goes_on:
        with contextlib.suppress(OSError), attacker.connect() as one:
            one.sendall(HANDSHAKE)
            one.recv(4096)
            while attacker.goes_on:
                one.sendall(data)
        time.sleep(0.05)


def live_bombs(attacker: Attacker) -> None:
    """Live pictures of 8 million pixels and 100 scans."""
    data = scans_jpeg(2900, 2900, 100)

    async def send() -> None:
        with contextlib.suppress(Exception):
            async with connect(f"ws://{HERE}:{attacker.port}/v1/live", local_addr=(attacker.address, 0)) as one:
                await one.recv()
                while attacker.goes_on:
                    await one.send(data)
                    await one.recv()

    async def all_of_them() -> None:
        await asyncio.gather(*(send() for _ in range(4)))

    asyncio.run(all_of_them())


def wrong_tokens(attacker: Attacker) -> None:
    """Guesses at the token."""
    with attacker.client() as client:
        number = 0
        while attacker.goes_on:
            number += 1
            client.get("/v1/models", headers={"Authorization": f"Bearer {number}"})


def list_of_models(attacker: Attacker) -> None:
    """Requests for the list of models, as many as are allowed."""
    with attacker.client() as client:
        while attacker.goes_on:
            client.get("/v1/models")


def foreign_page(attacker: Attacker) -> None:
    """A page of another site that asks for pictures from here."""
    with attacker.client() as client:
        while attacker.goes_on:
            client.get("/healthz", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})


TOKENS = {wrong_tokens.__name__: "token-of-the-attacked-server"}
"""Attacks on a server that asks for a token, and that token; other attacks are on servers without one."""

ATTACKS: dict[str, Callable[[Attacker], None]] = {
    one.__name__: one
    for one in (
        thin_picture, many_scans, allowed_scans, bombs, large_pictures, live_bombs, growing_video, long_video,
        slow_heads, slow_bodies, slow_videos, many_parts, idle_sockets, setting_flood, long_settings, wrong_tokens,
        list_of_models, foreign_page,
    )
}  # fmt: skip
"""Each attack by its name."""


async def watch(port: int, seconds: float, token: str = "") -> tuple[list[float], list[float]]:
    """Be two clients, one live and one that posts photos; return the milliseconds of each one's answers.

    Args:
        port: The server's.
        seconds: How long.
        token: What the server asks for.
    """
    shown = {"Authorization": f"Bearer {token}"} if token else {}
    ends, data = time.monotonic() + seconds, photo()
    live, posts = list[float](), list[float]()

    async def be_live() -> None:
        async with connect(f"ws://{HERE}:{port}/v1/live", open_timeout=30, additional_headers=shown) as one:
            await one.recv()
            while time.monotonic() < ends:
                sent = time.monotonic()
                await one.send(data)
                answer = json.loads(await asyncio.wait_for(one.recv(), 60))
                if answer["type"] != "result":
                    raise RuntimeError(f"expected a result, but got {answer}")
                live.append(1000 * (time.monotonic() - sent))
                await asyncio.sleep(max(0.0, sent + PAUSE - time.monotonic()))

    async def post() -> None:
        async with httpx.AsyncClient(base_url=f"http://{HERE}:{port}", headers=shown, timeout=60) as client:
            while time.monotonic() < ends:
                sent = time.monotonic()
                answer = await client.post("/v1/analyze", files={"image": data})
                answer.raise_for_status()
                posts.append(1000 * (time.monotonic() - sent))
                await asyncio.sleep(max(0.0, sent + PAUSE - time.monotonic()))

    await asyncio.gather(be_live(), post())
    return live, posts


def medians(delays: tuple[list[float], list[float]]) -> tuple[float, float]:
    """Return the median delay of the live client, and of the one that posts photos, in milliseconds."""
    return statistics.median(delays[0]), statistics.median(delays[1])


def memory_of(process: int) -> float:
    """Return the resident memory of a process and of those that it started, in MB (Linux)."""
    return sum(map(_resident, [process, *_children(process)]))


def _children(process: int) -> list[int]:
    """Return the processes that a process started."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(number) for number in task.read_text().split()]
    return found


def _resident(process: int) -> float:
    """Return a process's resident memory in MB; 0 where it has ended."""
    try:
        found = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0.0
    return int(found[0]) * 1024 / 1e6 if found else 0.0


def wait_for(attacker: subprocess.Popen[str]) -> None:
    """Wait until the process of an attack has begun with it."""
    if attacker.stdout is None or attacker.stdout.readline().strip() != BEGUN:
        raise RuntimeError("the attack did not begin")


if __name__ == "__main__":
    ATTACKS[sys.argv[1]](Attacker(int(sys.argv[2]), float(sys.argv[3])))
