"""The document has the code's table of limits, and each limit is tried at its edge over a real connection."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from facemood import EmotionRecognizer
from facemood.schema import Frame
from facemood.server import ServerOptions
from facemood.server.limits import limits_table, list_limits, parse_limits
from tests.conftest import ROOT
from tests.server.attacks import motion_jpeg, photo, png, scans_jpeg
from tests.server.conftest import Running, running

SMALL = ServerOptions(
    max_upload=60_000, max_images=3, max_parts=5, max_pixels=10_000, max_side=200, max_aspect=50, max_scans=4,
    max_video=400_000, max_video_pixels=320 * 240, video_seconds=2, video_frames=30, rate=100_000,
)  # fmt: skip
"""A server with limits that tests reach."""


@pytest.fixture(scope="module")
def small(recognizer: EmotionRecognizer) -> Iterator[Running]:
    with running(recognizer, SMALL) as found:
        yield found


@pytest.fixture
def client(small: Running) -> Iterator[httpx.Client]:
    with small.client() as found:
        yield found


def check(answer: httpx.Response, status: int, words: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert re.search(words, answer.json()["detail"])


def test_the_document_has_the_table_of_the_code() -> None:
    assert limits_table() in (ROOT / "docs" / "server.md").read_text()


def test_each_limit_is_described() -> None:
    for limit in list_limits():
        assert limit.default > 0
        assert limit.unit
        assert limit.meaning
        assert re.fullmatch(r"\d{3}|close \d{4}|closed|deleted", limit.refusal)


@pytest.mark.parametrize("name", [limit.name for limit in list_limits()])
def test_no_limit_may_be_zero(name: str) -> None:
    zero: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be"):
        ServerOptions(**zero)
    assert getattr(ServerOptions(**{**zero, name: 1}), name) == 1


def test_limits_are_read_from_the_command_line() -> None:
    assert ServerOptions(**parse_limits(["videos=2", "head_seconds=0.5"])).head_seconds == 0.5
    for wrong, words in (
        ("film=2", "no limit 'film'; expected NAME=VALUE with one of max_upload"),
        ("videos=x", "number"),
    ):
        with pytest.raises(ValueError, match=words):
            parse_limits([wrong])


@pytest.mark.parametrize(
    ("inside", "outside", "words"),
    [
        (png(100, 100), png(101, 100), "101 x 100 pixels; expected at most 10,000"),
        (png(200, 10), png(201, 10), "201 x 10 pixels; expected at most 200 a side"),
        (png(10, 200), png(10, 201), "10 x 201 pixels; expected at most 200 a side"),
        (png(150, 3), png(151, 3), "expected one side to be at most 50 times the other"),
        (scans_jpeg(64, 48, 4), scans_jpeg(64, 48, 5), "5 scans; expected at most 4"),
    ],
    ids=["pixels", "width", "height", "aspect", "scans"],
)
def test_pictures(client: httpx.Client, small: Running, inside: bytes, outside: bytes, words: str) -> None:
    assert client.post("/v1/analyze", files={"image": inside}).status_code == 200
    check(client.post("/v1/analyze", files={"image": outside}), 413, words)
    with small.live() as socket:
        socket.recv()
        socket.send(scans_jpeg(64, 48, 5))
        assert '"status": 413' in str(socket.recv(timeout=30))


def test_bytes_pictures_and_parts_of_a_request(client: httpx.Client) -> None:
    def form(count: int, other: int = 0, size: int = 10) -> httpx.Response:
        files = [("other", ("a", b"x"))] * other + [("image", ("a", png(1, 1) + bytes(size)))] * count
        return client.post("/v1/analyze", files=files)

    assert form(3).status_code == 200
    check(form(4), 422, "1 to 3")
    assert form(1, other=4).status_code == 200
    check(form(1, other=5), 413, "more than 5 parts")
    assert (
        client.post("/v1/analyze", content=png(1, 1) + bytes(60_000 - len(png(1, 1))), headers=RAW).status_code == 200
    )
    check(client.post("/v1/analyze", content=bytes(60_001), headers=RAW), 413, "too large; expected at most 0.06 MB")


RAW = {"Content-Type": "image/png"}


def test_videos(client: httpx.Client) -> None:
    def outcome(video: bytes) -> tuple[int, str]:
        answer = client.post("/v1/videos", files={"video": video})
        if answer.status_code != 202:
            return answer.status_code, answer.json()["detail"]
        job, ends = answer.json(), time.monotonic() + 60
        while job["state"] in ("waiting", "reading") and time.monotonic() < ends:
            time.sleep(0.05)
            job = client.get(answer.headers["location"]).json()
        client.delete(answer.headers["location"])
        return (200, "") if job["state"] == "done" else (job["problem"]["status"], job["problem"]["detail"])

    assert outcome(motion_jpeg([(320, 240)] * 4)) == (200, "")
    status, words = outcome(motion_jpeg([(320, 240)] * 4 + [(336, 240)]))
    assert (status, "336 x 240 pixels; expected at most 76,800" in words) == (413, True)
    assert outcome(motion_jpeg([(64, 48)] * 20, rate=10)) == (200, "")
    status, words = outcome(motion_jpeg([(64, 48)] * 21, rate=10))
    assert (status, words) == (413, "the video is longer than 2 seconds; cut it into parts")
    assert outcome(motion_jpeg([(64, 48)] * 30)) == (200, "")
    status, words = outcome(motion_jpeg([(64, 48)] * 31))
    assert (status, "more than 30 frames" in words) == (413, True)
    assert outcome(bytes(400_001))[0] == 413


def test_the_time_of_decoding(recognizer: EmotionRecognizer) -> None:
    slow = png(6300, 6300, colour=2)
    with running(recognizer, ServerOptions(decode_seconds=0.2)) as found, found.client() as client:
        check(client.post("/v1/analyze", files={"image": slow}), 413, r"longer than 0\.2 seconds")
        assert client.post("/v1/analyze", files={"image": photo()}).status_code == 200
        assert "facemood_decoders_killed_total 1" in client.get("/metrics").text


def test_the_memory_of_decoding(recognizer: EmotionRecognizer) -> None:
    with running(recognizer, ServerOptions(decode_memory=100_000_000)) as found, found.client() as client:
        answer = client.post("/v1/analyze", files={"image": png(6300, 6300, colour=2)})
        assert answer.status_code in (413, 422)
        assert client.post("/v1/analyze", files={"image": photo()}).status_code == 200


def test_bytes_and_pixels_of_a_live_picture(recognizer: EmotionRecognizer) -> None:
    data = photo()
    options = ServerOptions(max_frame=len(data) + 10, max_frame_pixels=640 * 480)
    with running(recognizer, options) as found, found.live() as socket:
        socket.recv(timeout=30)
        socket.send(data + bytes(10))
        assert '"result"' in str(socket.recv(timeout=30))
        socket.send(png(641, 480))
        assert "641 x 480 pixels; expected at most 307,200" in str(socket.recv(timeout=30))
        socket.send(data + bytes(11))
        with pytest.raises(ConnectionClosed, match="1009"):
            socket.recv(timeout=30)


@contextlib.contextmanager
def held(server: Running) -> Iterator[None]:
    """Keep the engine from reading small pictures as long as the block lasts."""
    busy, free = threading.Event(), threading.Event()

    def take() -> list[Frame]:
        busy.set()
        free.wait(30)
        return []

    server.service.engine.read(take, server.service.engine.photos())
    assert busy.wait(10)
    try:
        yield
    finally:
        free.set()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (ServerOptions(waiting=1), "too much is being read"),
        (ServerOptions(upload_memory=150_000), "too many images arrive"),
    ],
)
def test_pictures_that_wait(options: ServerOptions, words: str, recognizer: EmotionRecognizer) -> None:
    data = photo()  # of some 100 kB
    with running(recognizer, options) as found, found.client() as client, ThreadPoolExecutor(1) as pool:
        with held(found):
            first = pool.submit(httpx.post, f"{found.address}/v1/analyze", files={"image": data}, timeout=60)
            ends = time.monotonic() + 10
            while not found.service.engine.waiting and time.monotonic() < ends:
                time.sleep(0.02)
            check(client.post("/v1/analyze", files={"image": data}), 503, words)
        assert first.result().status_code == 200
        assert client.post("/v1/analyze", files={"image": data}).status_code == 200


@pytest.mark.parametrize(
    ("limits", "outcomes"),
    [
        ({"step_seconds": 0.05}, {("failed", 413)}),
        ({"video_memory": 50_000_000}, {("failed", 413), ("failed", 422), ("done", 2)}),  # or the frame is left out
    ],
)
def test_time_and_memory_of_a_videos_frame(
    limits: dict[str, Any], outcomes: set[tuple[str, int]], recognizer: EmotionRecognizer
) -> None:
    video = motion_jpeg([(320, 240)] * 2 + [(7000, 7000)])
    with running(recognizer, ServerOptions(max_video_pixels=50_000_000, **limits)) as found, found.client() as client:
        address = client.post("/v1/videos", files={"video": video}).headers["location"]
        ends = time.monotonic() + 60
        while (job := client.get(address).json())["state"] in ("waiting", "reading") and time.monotonic() < ends:
            time.sleep(0.05)
        assert (job["state"], job["problem"]["status"] if job["problem"] else job["frames_done"]) in outcomes
        assert str(found.service.videos.folder.path) not in str(job["problem"])
        assert client.post("/v1/analyze", files={"image": photo()}).status_code == 200
