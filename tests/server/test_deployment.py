"""Behind a proxy, and watched: root path, trusted proxies, health, figures."""

from __future__ import annotations

import errno
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from facemood import EmotionRecognizer
from facemood.errors import OutputError
from facemood.schema import Frame
from facemood.server import ServerOptions
from facemood.server.problems import problem_of
from tests.server.attacks import motion_jpeg, photo, png
from tests.server.conftest import Running, running


@pytest.fixture(scope="module")
def behind(recognizer: EmotionRecognizer) -> Iterator[Running]:
    """A server behind a proxy at 127.0.0.1 that strips the path /faces."""
    options = ServerOptions(token="a token of sixteen or more", hosts=("faces.example", "127.0.0.1"))
    with running(recognizer, options, proxies=["127.0.0.1"], root_path="/faces") as found:
        yield found


def through_proxy(server: Running, client: str = "192.0.2.7", **headers: str) -> httpx.Client:
    known = {"Host": "faces.example", "X-Forwarded-For": client, "X-Forwarded-Proto": "https"}
    return server.client(**{**known, "Authorization": "Bearer a token of sixteen or more", **headers})


def test_addresses_have_the_path_of_the_proxy(behind: Running) -> None:
    with through_proxy(behind) as client:
        answer = client.post("/v1/videos", files={"video": motion_jpeg([(64, 48)] * 2)})
        address = answer.headers["location"]
        assert address == f"/faces/v1/videos/{answer.json()['id']}"
        job, ends = answer.json(), time.monotonic() + 60
        while job["state"] != "done" and time.monotonic() < ends:
            time.sleep(0.05)
            job = client.get(address.removeprefix("/faces")).json()
        assert job["results"]["table.csv"] == f"{address}/table.csv"
        client.delete(address.removeprefix("/faces"))
        page = client.get("/", params={"token": "a token of sixteen or more"})
        assert page.headers["location"] == "/faces/"
        assert "Path=/faces/;" in page.headers["set-cookie"]
        assert "Secure" in page.headers["set-cookie"]  # because the proxy says that its side is https
        assert client.get("/").status_code == client.get("/app/server/static/page.js").status_code == 200


def test_the_page_asks_for_nothing_by_a_path_from_the_root(behind: Running) -> None:
    with through_proxy(behind) as client:
        for path in ("/", "/docs"):
            assert re.findall(r'(?:href|src)="/', client.get(path).text) == []


def test_the_clients_of_a_proxy_are_told_apart(recognizer: EmotionRecognizer) -> None:
    def ask(server: Running, said: str, times: int = 1) -> list[int]:
        with server.client(**{"X-Forwarded-For": said}) as client:
            return [client.get("/healthz").status_code for _ in range(times)]

    with running(recognizer, ServerOptions(rate=20), proxies=["127.0.0.0/8"]) as found:
        assert ask(found, "192.0.2.50", 30)[-1] == 429
        assert ask(found, "192.0.2.51") == [200]
        assert ask(found, "192.0.2.99, 192.0.2.50") == [429]  # what the client itself says does not count


def test_what_others_say_of_clients_does_not_count(recognizer: EmotionRecognizer) -> None:
    for proxies in ([], ["192.0.2.1"]):
        with running(recognizer, ServerOptions(rate=20), proxies=proxies) as found:
            codes = set()
            for number in range(20):
                with found.client(**{"X-Forwarded-For": f"192.0.2.{number}"}) as client:
                    codes.add(client.get("/healthz").status_code)
            assert 429 in codes


@pytest.mark.parametrize(("origin", "status"), [("https://faces.example", 422), ("http://faces.example", 403)])
def test_the_scheme_of_the_origin_counts(behind: Running, origin: str, status: int) -> None:
    with through_proxy(behind, Origin=origin) as client:
        assert client.post("/v1/analyze").status_code == status


@pytest.mark.parametrize("scheme", ["https", "chrome-extension", "ws", "HTTPS"])
def test_another_scheme_is_another_site(server: Running, scheme: str) -> None:
    origin = f"{scheme}://127.0.0.1:{server.port}"
    with server.client(Origin=origin) as client:
        assert client.post("/v1/analyze").status_code == 403
    with pytest.raises(InvalidStatus):
        connect(f"ws://127.0.0.1:{server.port}/v1/live", additional_headers={"Origin": origin})


def test_pages_of_other_sites_get_nothing_and_take_nothing_of_the_rate(recognizer: EmotionRecognizer) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    with running(recognizer, ServerOptions(rate=20)) as found, found.client() as client:
        for headers in (foreign, {**foreign, "Sec-Fetch-Site": "same-site"}, {**foreign, "Sec-Fetch-Mode": "navigate"}):
            assert {client.get("/healthz", headers=headers).status_code for _ in range(30)} == {403}
        assert {
            client.post("/v1/analyze", headers={"Origin": "http://evil.example"}).status_code for _ in range(30)
        } == {403}
        link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
        assert client.get("/", headers=link).status_code == 200
        assert client.get("/", headers={"Sec-Fetch-Site": "none"}).status_code == 200


def test_health_fails_while_reading_stands_still(recognizer: EmotionRecognizer) -> None:
    stuck, free = threading.Event(), threading.Event()

    def take() -> list[Frame]:
        stuck.set()
        free.wait(30)
        return []

    with running(recognizer, ServerOptions(stall=0.2)) as found, found.client() as client:
        found.service.engine.read(take, found.service.engine.photos())
        assert stuck.wait(10)
        time.sleep(0.3)
        answer = client.get("/healthz")
        assert (answer.status_code, answer.json()["detail"]) == (503, "reading stands still; restart the server")
        free.set()
        time.sleep(0.1)
        assert client.get("/healthz").status_code == 200


def test_figures_tell_refusals_delays_memory_and_disk(client: httpx.Client) -> None:
    client.post("/v1/analyze", files={"image": photo()})
    client.post("/v1/analyze", files={"image": png(1, 20_001)})
    figures = dict(re.findall(r"^(facemood_\S+) (\S+)$", client.get("/metrics").text, re.M))
    assert float(figures['facemood_refusals_total{reason="size"}']) >= 1
    assert float(figures["facemood_decode_seconds_count"]) >= 2
    assert float(figures["facemood_oldest_waiting_seconds"]) >= 0
    assert float(figures["facemood_resident_bytes"]) > 5e7
    assert float(figures["facemood_disk_free_bytes"]) > 0


def test_a_full_disk_is_507(monkeypatch: pytest.MonkeyPatch, server: Running, tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert problem_of(full).status == 507
    try:
        raise OutputError("table.csv: cannot be written") from full
    except OutputError as error:
        assert problem_of(error).status == 507
    monkeypatch.setattr(server.service.videos.folder, "free", lambda: 1000)
    with server.client() as client:
        answer = client.post("/v1/videos", files={"video": bytes(2000)})
        assert (answer.status_code, "no room for this video" in answer.json()["detail"]) == (507, True)
        assert client.post("/v1/analyze", files={"image": photo()}).status_code == 200
        monkeypatch.undo()
        assert client.post("/v1/videos", files={"video": bytes(2000)}).status_code == 415


def test_videos_are_read_side_by_side_and_a_deleted_one_frees_its_place_at_once(recognizer: EmotionRecognizer) -> None:
    long, short = motion_jpeg([(320, 240)] * 4000), motion_jpeg([(64, 48)] * 6)
    with running(recognizer, ServerOptions(videos=2)) as found, found.client() as client:
        first = client.post("/v1/videos", files={"video": long}).headers["location"]
        second = client.post("/v1/videos", files={"video": short}).headers["location"]
        ends = time.monotonic() + 30
        while client.get(second).json()["state"] != "done" and time.monotonic() < ends:
            time.sleep(0.05)
        assert (client.get(first).json()["state"], client.get(second).json()["state"]) == ("reading", "done")
        assert client.post("/v1/videos", files={"video": short}).status_code == 503
        began = time.monotonic()
        assert client.delete(first).status_code == 204
        third = client.post("/v1/videos", files={"video": short})
        assert third.status_code == 202
        while client.get(third.headers["location"]).json()["state"] != "done" and time.monotonic() < ends:
            time.sleep(0.02)
        assert time.monotonic() - began < 10


def test_a_video_has_its_place_before_its_bytes(recognizer: EmotionRecognizer) -> None:
    head = (
        b"POST /v1/videos HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        b'Content-Length: 900000\r\n\r\n--x\r\nContent-Disposition: form-data; name="video"; filename="a"\r\n\r\n'
    )
    with running(recognizer, ServerOptions(videos=1, body_seconds=1)) as found, found.client() as client:
        with socket.create_connection(("127.0.0.1", found.port)) as slow:
            slow.sendall(head)
            ends = time.monotonic() + 10
            while not found.service.videos.states()["waiting"] and time.monotonic() < ends:
                time.sleep(0.02)
            assert client.post("/v1/videos", files={"video": bytes(1000)}).status_code == 503
            assert slow.recv(4096).startswith(b"HTTP/1.1 408")
        assert client.post("/v1/videos", files={"video": bytes(1000)}).status_code == 415
        assert list(found.service.videos.folder.path.iterdir()) == []
