import http.server
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from facemood.errors import VideoError
from facemood.sources import container
from facemood.sources.container import open_container, video_stream
from facemood.sources.video import probe_video, read_video
from tests.videos import (
    RATE,
    add_tone,
    make_sound,
    make_video,
    noisy_images,
    number_of,
    numbered_image,
    numbered_images,
)

NOISE = np.random.default_rng(5).bytes(5000)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.mp4", b"", "the file is empty"),
        ("notes.mp4", b"This is a text.\n" * 50, "this is no video"),
        ("noise.mkv", NOISE, "this is no video"),
        ("table.csv", b"a,b\n1,2\n", "this is no video"),
    ],
)
def test_other_files_are_refused_with_what_was_expected(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(VideoError, match=f"{name}: {message}; expected|{name}: {message} that.*expected"):
        probe_video(tmp_path / name)
    with pytest.raises(VideoError, match=message):
        next(read_video(tmp_path / name))


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="none.mp4: there is no such file"):
        open_container(tmp_path / "none.mp4")
    with pytest.raises(VideoError, match="it is a folder"):
        open_container(tmp_path)


def test_an_address_without_an_answer_is_an_error() -> None:
    with pytest.raises(VideoError, match="check the address and the network"):
        open_container("tcp://127.0.0.1:9", timeout=5)
    with pytest.raises(VideoError, match="expected a video or the address of one"):
        open_container("nothing:at-all")


def test_a_local_playlist_opens_no_network_address(tmp_path: Path) -> None:
    asked = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        lines = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:{server.server_port}/a.ts\n"
        (tmp_path / "list.m3u8").write_text(lines + "#EXT-X-ENDLIST\n")
        with pytest.raises(VideoError, match=r"list\.m3u8"):
            list(read_video(tmp_path / "list.m3u8"))
        server.shutdown()
        thread.join()
    assert asked == []


def test_a_missing_index_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mp4", noisy_images(20)).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        VideoError, match=r"its index \(the moov atom\) is missing.*copy it again, or rebuild the index"
    ):
        probe_video(tmp_path / "cut.mp4")


@pytest.mark.parametrize(("name", "codec"), [("sound.mp3", "libmp3lame"), ("sound.m4a", "aac")])
def test_a_file_of_sound_is_no_video(tmp_path: Path, name: str, codec: str) -> None:
    with pytest.raises(VideoError, match=f"{name}: it has only sound; expected a video"):
        probe_video(make_sound(tmp_path / name, 0.5, codec))


def test_a_cover_image_is_no_video_stream(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mp4"), "w") as song:
        tone = song.add_stream("aac", rate=RATE)
        cover: Any = song.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt, cover.disposition = 64, 48, "yuvj420p", Disposition.attached_pic.value
        song.start_encoding()
        picture = av.VideoFrame.from_ndarray(numbered_image(3), format="bgr24")
        song.mux([*cover.encode(picture), *cover.encode(None)])
        add_tone(song, tone, 0.5)
    with pytest.raises(VideoError, match="it has only sound"):
        probe_video(tmp_path / "song.mp4")


def test_a_video_without_a_frame_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="it has no video stream; expected a video with at least one frame"):
        next(read_video(make_video(tmp_path / "none.mp4", [])))
    with pytest.raises(VideoError, match="it ends before its first frame"):
        next(read_video(make_video(tmp_path / "none.mkv", [])))


def test_a_colon_in_a_name_is_no_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_video(Path("plain.mp4"), numbered_images(3)).rename("12:30:05.mp4")
    assert [frame.source for frame in read_video("12:30:05.mp4")] == ["12:30:05.mp4"] * 3


def test_metadata_in_another_encoding_do_not_stop_reading(tmp_path: Path) -> None:
    path = make_video(tmp_path / "titled.mp4", numbered_images(2), title="TITLE")
    path.write_bytes(path.read_bytes().replace(b"TITLE", "Ü ÄÖ".encode("latin-1") + b"!"))
    assert len(list(read_video(path))) == 2


@pytest.mark.parametrize(("aspect", "width"), [(Fraction(16, 11), 93), (Fraction(8, 9), 57), (Fraction(201, 200), 64)])
def test_pixels_become_square(tmp_path: Path, aspect: Fraction, width: int) -> None:
    path = make_video(tmp_path / "wide.mp4", numbered_images(7)[6:], aspect=aspect)
    (frame,) = read_video(path)
    assert probe_video(path).size == frame.size == (width, 48)
    assert number_of(frame.image) == 6


@pytest.mark.parametrize("aspect", [Fraction(500), Fraction(1, 500)])
def test_pixels_of_absurd_shape_are_taken_for_square(tmp_path: Path, aspect: Fraction) -> None:
    path = make_video(tmp_path / "odd.mp4", numbered_images(7)[6:], aspect=aspect)
    (frame,) = read_video(path)
    assert frame.size == (64, 48)


def test_large_frames_are_downsampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_PIXELS", 64 * 48 // 3)
    (frame,) = read_video(make_video(tmp_path / "large.mp4", numbered_images(7)[6:]))
    assert frame.size == (32, 24)
    assert number_of(frame.image) == 6


def test_colours_are_converted_correctly(tmp_path: Path) -> None:
    plain = np.full((48, 64, 3), (40, 90, 200), np.uint8)
    (frame,) = read_video(make_video(tmp_path / "red.mp4", [plain]))
    np.testing.assert_allclose(frame.image, plain, atol=6)


def test_options_are_passed_to_ffmpeg(tmp_path: Path) -> None:
    path = make_video(tmp_path / "raw.h264", numbered_images(5))
    with open_container(path, options={"framerate": "50"}) as container:
        assert video_stream(container, str(path)).average_rate == 50
