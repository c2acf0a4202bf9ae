"""Streams from a local server: videos and motion JPEG over HTTP, MPEG over UDP."""

import socket
import threading
import time
from collections.abc import Iterator

import av
import pytest
from hypothesis import given
from hypothesis import strategies as some

from facemood.errors import SourceError
from facemood.sources.live import open_live
from facemood.sources.live.network_stream import public_name
from tests.videos import make_sound, make_video, noisy_images, number_of, numbered_image, numbered_images
from tests.window.serving import serve

COUNT = 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with videos."""
    folder = tmp_path_factory.mktemp("videos")
    make_video(folder / "numbers.mp4", numbered_images(COUNT), fps=50)
    make_video(folder / "long.mp4", noisy_images(30, (320, 240)))
    make_sound(folder / "sound.mp3", 0.2, "libmp3lame")
    (folder / "text.mp4").write_text("no video")
    with serve(folder, numbered_images(COUNT)) as address:
        yield address


def test_a_video_is_played_at_its_own_pace_to_its_end(server: str) -> None:
    with open_live(f"{server}/numbers.mp4") as source:
        seen = [(number_of(frame.image), frame.timestamp or 0.0) for frame in source]
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == COUNT - 1
    assert len(numbers) + source.dropped == COUNT
    first, last = seen[0], seen[-1]
    assert last[1] - first[1] > 0.9 * (last[0] - first[0]) / 50 - 0.1


def test_a_stream_that_stops_is_reopened_and_then_lost(server: str) -> None:
    seen: list[int] = []
    source = open_live(f"{server}/camera", waits=(0.0,))
    with pytest.raises(SourceError, match="/camera: it went away and did not come back after 1 tries"):
        for frame in source:
            seen.append(number_of(frame.image))  # noqa: PERF401 - what came before the error counts
    assert seen[-1] == COUNT - 1
    assert len(seen) + source.dropped == 2 * COUNT


def test_a_server_without_range_requests_is_an_error_at_once(server: str) -> None:
    """The index is at the end of the file, and this server supports no range requests."""
    with pytest.raises(SourceError, match="gives no frames .* save it and read the file"):
        open_live(f"{server}/long.mp4")


@pytest.mark.parametrize(
    ("path", "message"),
    [("nothing.mp4", "404"), ("text.mp4", "no video"), ("sound.mp3", "only sound")],
)
def test_an_address_without_video_is_an_error(server: str, path: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_live(f"{server}/{path}")


def test_the_error_for_a_missing_server_hides_the_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match=rf"rtsp://127.0.0.1:{port}/1: .*[Rr]efused") as caught:
        open_live(f"rtsp://anna:secret@127.0.0.1:{port}/1")
    assert "secret" not in str(caught.value)


def test_frames_do_not_contain_the_password(server: str) -> None:
    with open_live(f"{server.replace('//', '//anna:secret@')}/numbers.mp4") as source:
        assert next(source).source == f"{server}/numbers.mp4"


WORDS = some.text("abcdefghij.-0123456789", min_size=1)


@given(scheme=some.sampled_from(["rtsp", "http"]), user=WORDS, password=WORDS, host=WORDS, path=WORDS)
def test_a_public_name_has_neither_user_nor_password(
    scheme: str, user: str, password: str, host: str, path: str
) -> None:
    address = f"{scheme}://{host}/{path}@{path}"
    assert public_name(f"{scheme}://{user}:{password}@{host}/{path}@{path}") == address
    assert public_name(address) == address
    assert public_name("camera:0") == "camera:0"


@pytest.mark.slow
def test_a_udp_stream_is_read_live_and_lost_when_it_stops() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        address = f"udp://127.0.0.1:{free.getsockname()[1]}"
    stop = threading.Event()
    sender = threading.Thread(target=broadcast, args=(address, stop))
    sender.start()
    try:
        with open_live(address, waits=()) as source:
            numbers = [number_of(next(source).image) for _ in range(5)]
    finally:
        stop.set()
        sender.join()
    assert numbers == sorted(set(numbers))


def broadcast(address: str, stop: threading.Event) -> None:
    """Send numbered frames, 25 per second, until the event is set."""
    with av.open(address, "w", format="mpegts") as video:
        stream = video.add_stream("mpeg2video", rate=25, options={"g": "5"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(250):
            video.mux(stream.encode(av.VideoFrame.from_ndarray(numbered_image(number), format="bgr24")))
            time.sleep(0.04)
            if stop.is_set():
                return
