"""Videos that are uploaded: read, told, cancelled, refused, forgotten."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.isolation.bounds import UnknownFormatError
from facemood.isolation.sent_video import check_format
from facemood.server import ServerOptions
from facemood.server.problems import problem_of
from tests.moving_faces import read_photo
from tests.server.attacks import motion_jpeg, photo
from tests.server.conftest import Running, running
from tests.videos import make_video, numbered_images

FRAMES = 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    photo = read_photo("astronaut.png")[0:256, 64:384]
    path = tmp_path_factory.mktemp("video") / "talk.mp4"
    return make_video(path, [photo] * FRAMES, fps=10, audio_seconds=1.2)


@pytest.fixture(scope="module")
def sideways_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, turned by a quarter, and nothing in the file says so."""
    photo = np.ascontiguousarray(np.rot90(read_photo("astronaut.png")[0:256, 64:384]))
    return make_video(tmp_path_factory.mktemp("video") / "sideways.mp4", [photo] * FRAMES, fps=10)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "long.avi"
    return make_video(path, numbered_images(50, (640, 480)) * 8, fps=25, codec="mjpeg")


@pytest.fixture
def quick(recognizer: EmotionRecognizer) -> Iterator[Running]:
    """A server that keeps two videos, and each for a second."""
    with running(recognizer, ServerOptions(videos=2, keep=1)) as found:
        yield found


def send(client: httpx.Client, video: Path, query: str = "") -> httpx.Response:
    return client.post(f"/v1/videos{query}", files={"video": ("../../my video.mp4", video.read_bytes())})


def follow(client: httpx.Client, job: dict[str, Any], state: str = "done") -> dict[str, Any]:
    ends = time.monotonic() + 90
    while job["state"] in ("waiting", "reading") and time.monotonic() < ends:
        time.sleep(0.1)
        job = client.get(f"/v1/videos/{job['id']}").json()
    assert job["state"] == state, job
    return job


def test_a_video_on_its_side_is_read(client: httpx.Client, sideways_clip: Path) -> None:
    job = follow(client, send(client, sideways_clip).json())
    rows = list(csv.DictReader(io.StringIO(client.get(job["results"]["table.csv"]).text)))
    assert [row["emotion"] for row in rows] == ["happy"] * FRAMES
    assert job["frames_done"] == job["frames_total"] == FRAMES
    client.delete(f"/v1/videos/{job['id']}")


def test_a_video_is_read_and_its_results_are_given_out(client: httpx.Client, server: Running, clip: Path) -> None:
    answer = send(client, clip, "?annotated=1")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/videos/{answer.json()['id']}"
    job = follow(client, answer.json())
    assert (job["frames_done"], job["frames_total"], job["problem"]) == (FRAMES, FRAMES, None)
    files = {name: client.get(address) for name, address in job["results"].items()}
    assert sorted(files) == ["annotated.mp4", "report.html", "result.json", "table.csv", "table.parquet"]
    assert all(file.headers["content-disposition"].startswith("attachment") for file in files.values())
    rows = list(csv.DictReader(io.StringIO(files["table.csv"].text)))
    assert [row["emotion"] for row in rows] == ["happy"] * FRAMES
    assert {row["source"] for row in rows} == {"video"}
    assert {row["track_id"] for row in rows} == {"1"}
    assert len(files["result.json"].json()["results"]) == FRAMES
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra data brings it")
    assert parquet.read_table(io.BytesIO(files["table.parquet"].content)).num_rows == FRAMES
    with av.open(io.BytesIO(files["annotated.mp4"].content), "r") as video:
        assert len(video.streams.audio) == 1
        assert len(list(video.decode(video=0))) == FRAMES
    told = " ".join([json.dumps(job), *(files[name].text for name in ("table.csv", "result.json", "report.html"))])
    assert str(server.service.videos.folder.path) not in told
    assert client.delete(f"/v1/videos/{job['id']}").status_code == 204
    assert client.get(f"/v1/videos/{job['id']}").status_code == 404


def refuse_to_open(*arguments: Any, **options: Any) -> None:
    raise AssertionError(f"FFmpeg opens {arguments} in the server's process")


def test_the_server_itself_never_opens_an_upload(
    client: httpx.Client, server: Running, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading it, drawing it and copying its sound take other processes: FFmpeg opens nothing here."""
    monkeypatch.setattr(av, "open", refuse_to_open)
    job = follow(client, send(client, clip, "?annotated=1").json())
    assert "annotated.mp4" in job["results"]
    client.delete(f"/v1/videos/{job['id']}")


def damaged(path: Path) -> Path:
    """A video with noise in the middle of its frames and its sound."""
    face = read_photo("astronaut.png")[0:256, 64:384]
    make_video(path, [face] * FRAMES, fps=10, audio_seconds=1.2, index_first=True)
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 3, 2 * len(data) // 3, 7):
        data[place] ^= 0x5A
    path.write_bytes(data)
    return path


def with_huge_sound(path: Path) -> Path:
    """A video of a second with a minute of uncompressed sound."""
    return make_video(path.with_suffix(".mkv"), numbered_images(25), audio_seconds=60, audio_codec="pcm_s16le")


def growing(path: Path) -> Path:
    """A video whose later frames have 64 million pixels."""
    path.write_bytes(motion_jpeg([(320, 240)] * 4 + [(8000, 8000)] * 2))
    return path


@pytest.mark.parametrize(
    ("make", "states"), [(damaged, {"done", "failed"}), (with_huge_sound, {"done"}), (growing, {"failed"})]
)
def test_hostile_videos_are_drawn_or_refused_and_others_go_on(
    client: httpx.Client,
    server: Running,
    make: Callable[[Path], Path],
    states: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    video = make(tmp_path / "hostile.mp4")
    monkeypatch.setattr(av, "open", refuse_to_open)
    found = send(client, video, "?annotated=1").json()
    with server.live() as socket:
        socket.recv(timeout=30)
        while found["state"] in ("waiting", "reading"):
            socket.send(photo())
            assert json.loads(socket.recv(timeout=30))["type"] == "result"
            found = client.get(f"/v1/videos/{found['id']}").json()
    assert found["state"] in states, found
    if found["state"] == "failed":
        assert found["problem"]["status"] in (413, 422)
        assert "AssertionError" not in str(found)
        assert str(server.service.videos.folder.path) not in str(found)
    client.delete(f"/v1/videos/{found['id']}")


def test_a_process_that_dies_while_it_writes_costs_only_its_video(
    client: httpx.Client, server: Running, long_clip: Path, clip: Path
) -> None:
    found = send(client, long_clip, "?annotated=1").json()
    while not client.get(f"/v1/videos/{found['id']}").json()["frames_done"]:
        time.sleep(0.05)
    writer = server.service.videos.get(found["id"]).writer
    assert writer is not None
    assert writer._process is not None
    os.kill(writer._process.pid, signal.SIGKILL)
    job = follow(client, found, "failed")
    assert job["problem"]["status"] == 422
    assert "ended the decoder" in job["problem"]["detail"]
    assert str(server.service.videos.folder.path) not in str(job)
    after = follow(client, send(client, clip).json())
    assert after["frames_done"] == FRAMES
    for name in (job["id"], after["id"]):
        client.delete(f"/v1/videos/{name}")


def test_the_upload_is_gone_when_it_is_read_and_its_name_never_reaches_the_disk(
    client: httpx.Client, server: Running, clip: Path
) -> None:
    job = follow(client, send(client, clip, "?every=0.5").json())
    assert (job["frames_done"], job["frames_total"]) == (3, 3)
    files = [path for path in server.service.videos.folder.path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if "upload" in path.name or "my" in path.name]
    client.delete(f"/v1/videos/{job['id']}")
    assert [path for path in server.service.videos.folder.path.rglob("*") if path.is_file()] == []


def test_a_video_is_cancelled_while_it_is_read(client: httpx.Client, server: Running, long_clip: Path) -> None:
    job = send(client, long_clip).json()
    while not client.get(f"/v1/videos/{job['id']}").json()["frames_done"]:
        time.sleep(0.05)
    assert client.get(f"/v1/videos/{job['id']}/table.csv").status_code == 409
    assert client.delete(f"/v1/videos/{job['id']}").status_code == 204
    ends = time.monotonic() + 30
    while any(server.service.videos.folder.path.iterdir()) and time.monotonic() < ends:
        time.sleep(0.05)
    assert list(server.service.videos.folder.path.iterdir()) == []


def test_live_pictures_go_on_while_a_video_is_read(client: httpx.Client, server: Running, long_clip: Path) -> None:
    job = send(client, long_clip).json()
    with server.live() as socket:
        socket.recv(timeout=30)
        for _ in range(5):
            socket.send(Path("examples/photos/grace_hopper.jpg").read_bytes())
            assert "neutral" in str(socket.recv(timeout=30))
    assert client.get(f"/v1/videos/{job['id']}").json()["state"] == "reading"
    client.delete(f"/v1/videos/{job['id']}")


def test_results_are_forgotten_and_there_is_room_for_only_so_many(quick: Running, clip: Path) -> None:
    with quick.client() as client:
        jobs = [send(client, clip, "?every=1").json() for _ in range(2)]
        refused = send(client, clip)
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        for job in jobs:
            follow(client, job)
        time.sleep(1.2)
        assert [client.get(f"/v1/videos/{job['id']}").status_code for job in jobs] == [404, 404]
        assert list(quick.service.videos.folder.path.iterdir()) == []


def test_nothing_is_left_when_the_server_ends(recognizer: EmotionRecognizer, long_clip: Path) -> None:
    with running(recognizer) as found:
        folder = found.service.videos.folder.path
        assert folder.stat().st_mode & 0o077 == 0
        with found.client() as client:
            send(client, long_clip)
    assert not folder.exists()


LEADING_ELSEWHERE = {
    "hls": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
    "concat": b"ffconcat version 1.0\nfile 'http://127.0.0.1:{port}/a.mp4'\n",
    "sdp": b"v=0\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "sdp after other words": b"GIF=1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "text": b"dear sir, ",
    "nothing": b"",
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("kind", LEADING_ELSEWHERE)
def test_what_leads_elsewhere_is_not_opened(kind: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.2)
        text = LEADING_ELSEWHERE[kind].replace(b"{port}", str(trap.getsockname()[1]).encode())
        (tmp_path / "upload").write_bytes(text)
        with pytest.raises(UnknownFormatError) as refused:
            check_format(tmp_path / "upload")
        assert problem_of(refused.value).status == 415
        with pytest.raises(TimeoutError):
            trap.accept()


@pytest.mark.parametrize(
    ("ending", "codec"),
    [
        (".mp4", "libx264"),
        (".mkv", "libx264"),
        (".webm", "libvpx-vp9"),
        (".avi", "mjpeg"),
        (".gif", "gif"),
        (".ts", "libx264"),
        (".mov", "libx264"),
        (".flv", "flv1"),
    ],
)
def test_videos_of_many_kinds_are_let_in(ending: str, codec: str, tmp_path: Path) -> None:
    video = make_video(tmp_path / f"video{ending}", numbered_images(5), fps=25, codec=codec)
    check_format(video.rename(tmp_path / "upload"))


def test_a_video_that_breaks_off_is_read_so_far_or_told(client: httpx.Client, clip: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.mp4"
    part.write_bytes(clip.read_bytes()[: clip.stat().st_size // 3])
    answer = send(client, part)
    assert answer.status_code == 415 or follow(client, answer.json(), "failed")["problem"]["status"] == 422


@pytest.mark.parametrize("query", ["?every=0", "?every=-1", "?every=nan", "?every=often", "?annotated=maybe"])
def test_strange_wishes_are_refused(client: httpx.Client, clip: Path, query: str) -> None:
    answer = send(client, clip, query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_results_that_are_not_there(client: httpx.Client, clip: Path) -> None:
    assert client.get("/v1/videos/nothing").status_code == 404
    assert client.delete("/v1/videos/nothing").status_code == 404
    job = follow(client, send(client, clip, "?every=1").json())
    for name in ("upload", "annotated.mp4", "..%2f..%2fetc%2fpasswd", ".table.csv.lock"):
        assert client.get(f"/v1/videos/{job['id']}/{name}").status_code == 404
    client.delete(f"/v1/videos/{job['id']}")
