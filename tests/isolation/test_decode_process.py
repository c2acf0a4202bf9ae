"""The decoding process as its owner sees it: what it gives, and what becomes of one that is late, or dies."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facemood.errors import ImageError, LimitError, OutputError, SourceError, VideoError
from facemood.isolation.bounds import ImageBounds, UnknownFormatError, VideoBounds
from facemood.isolation.decode_process import DeadlineError, DecodeProcess
from facemood.isolation.decode_worker import Worker
from facemood.sources import load_image, read_video
from tests.conftest import PHOTOS
from tests.server.attacks import motion_jpeg, photo, png
from tests.videos import make_video, numbered_images

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="memory is limited by the system on Linux alone")

LARGE = png(6300, 6300, colour=2)
"""It takes about a second to decode, and 500 MB."""


@pytest.fixture(scope="module")
def process() -> Iterator[DecodeProcess]:
    with DecodeProcess(memory=1_000_000_000) as process:
        process.start()
        yield process


def running(process: DecodeProcess) -> subprocess.Popen[bytes]:
    assert process._process is not None
    return process._process


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg"])
def test_it_decodes_what_the_library_decodes(process: DecodeProcess, name: str) -> None:
    data = (PHOTOS / name).read_bytes()
    image = process.decode(data, ImageBounds(), seconds=30)
    np.testing.assert_array_equal(image, load_image(data))


def test_errors_arrive_as_they_were(process: DecodeProcess) -> None:
    whole = (PHOTOS / "astronaut.png").read_bytes()
    before = process.kills
    for data, kind in ((b"", ImageError), (whole[:2000], ImageError), (b"no picture", UnknownFormatError)):
        with pytest.raises(kind):
            process.decode(data, ImageBounds(), seconds=30)
    with pytest.raises(LimitError, match="expected at most 10 in all"):
        process.decode(whole, ImageBounds(pixels=10), seconds=30)
    assert process.kills == before
    assert process.decode(photo(), ImageBounds(quick=1000), seconds=30) == (640, 480)


def test_a_late_process_is_killed_and_the_next_call_has_another() -> None:
    with DecodeProcess(memory=2_000_000_000) as process:
        process.start()
        first, began = running(process).pid, time.monotonic()
        with pytest.raises(DeadlineError, match=r"longer than 0\.1 seconds"):
            process.decode(LARGE, ImageBounds(), seconds=0.1)
        assert time.monotonic() - began < 10
        image = process.decode(photo(), ImageBounds(), seconds=30)
        assert isinstance(image, np.ndarray)
        assert (process.kills, image.shape) == (1, (480, 640, 3))
        assert running(process).pid != first


def test_a_process_that_dies_costs_its_own_call() -> None:
    with DecodeProcess(memory=2_000_000_000) as process:
        process.start()
        threading.Timer(0.1, os.kill, (running(process).pid, signal.SIGKILL)).start()
        with pytest.raises(SourceError, match="ended the decoder"):
            process.decode(LARGE, ImageBounds(), seconds=30)
        assert isinstance(process.decode(photo(), ImageBounds(), seconds=30), np.ndarray)


@LINUX
def test_memory_is_limited() -> None:
    with DecodeProcess(memory=100_000_000) as process:
        with pytest.raises(SourceError):
            process.decode(LARGE, ImageBounds(), seconds=30)
        peak = int(Path(f"/proc/{running(process).pid}/status").read_text().split("VmHWM:")[1].split()[0])
        assert peak < 250_000  # kB
        assert isinstance(process.decode(photo(), ImageBounds(), seconds=30), np.ndarray)


def test_closing_ends_a_call_at_once() -> None:
    process = DecodeProcess(memory=2_000_000_000)
    process.start()
    child = running(process)
    threading.Timer(0.1, process.close).start()
    began = time.monotonic()
    with pytest.raises(SourceError, match="closed"):
        process.decode(LARGE, ImageBounds(), seconds=30)
    assert time.monotonic() - began < 10
    assert child.wait(10) != 0
    with pytest.raises(SourceError, match="closed"):
        process.decode(photo(), ImageBounds(), seconds=30)


def test_it_ends_with_its_owner() -> None:
    code = (
        "from facemood.isolation.decode_process import DecodeProcess\n"
        "process = DecodeProcess(memory=10**9); process.start(); print(process._process.pid, flush=True)\n"
        "import os; os._exit(0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    ends = time.monotonic() + 20
    while time.monotonic() < ends and _lives(int(found.stdout)):
        time.sleep(0.05)
    assert not _lives(int(found.stdout))


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("every", [None, 3, 0.25])
def test_videos_are_read_as_the_library_reads_them(process: DecodeProcess, every: float | None, tmp_path: Path) -> None:
    video = make_video(tmp_path / "numbers.mp4", numbered_images(12, (64, 48)), fps=10, codec="libx264")
    known = process.open_video(video, VideoBounds(), every=every, seconds=30)
    expected = list(read_video(video, every=every))
    assert known == {"size": [64, 48], "frames": len(expected)}
    for frame in expected:
        found = process.next_frame(seconds=30)
        assert found is not None
        assert (found.index, found.timestamp) == (frame.index, frame.timestamp)
        assert found.video_end == frame.video_end == pytest.approx(1.2)
        np.testing.assert_array_equal(found.image, frame.image)
    assert process.next_frame(seconds=30) is None


def test_a_video_whose_frames_grow_is_refused_where_they_do(process: DecodeProcess, tmp_path: Path) -> None:
    video = tmp_path / "grow.avi"
    video.write_bytes(motion_jpeg([(320, 240)] * 3 + [(640, 480)] + [(656, 480)]))
    process.open_video(video, VideoBounds(pixels=640 * 480), every=None, seconds=30)
    sizes = [frame.size for _ in range(4) if (frame := process.next_frame(seconds=30))]
    assert sizes == [(320, 240)] * 3 + [(640, 480)]
    with pytest.raises(LimitError, match="656 x 480 pixels; expected at most 307,200"):
        process.next_frame(seconds=30)


def test_a_video_that_is_stretched_beyond_the_bound_is_refused(process: DecodeProcess, tmp_path: Path) -> None:
    video = make_video(tmp_path / "wide.mp4", numbered_images(2, (64, 48)), fps=10, aspect=Fraction(4))
    with pytest.raises(LimitError, match="256 x 48 pixels"):
        process.open_video(video, VideoBounds(pixels=255 * 48), every=None, seconds=30)
    assert process.open_video(video, VideoBounds(pixels=256 * 48), every=None, seconds=30)["size"] == [256, 48]


def test_long_videos_are_refused(process: DecodeProcess, tmp_path: Path) -> None:
    video = make_video(tmp_path / "long.mp4", numbered_images(20, (64, 48)), fps=10, codec="libx264")
    process.open_video(video, VideoBounds(seconds=2.0), every=None, seconds=30)
    with pytest.raises(LimitError, match=r"longer than 1\.9 seconds"):
        process.open_video(video, VideoBounds(seconds=1.9), every=None, seconds=30)
    process.open_video(video, VideoBounds(frames=10), every=None, seconds=30)
    for _ in range(10):
        assert process.next_frame(seconds=30) is not None
    with pytest.raises(LimitError, match="more than 10 frames"):
        process.next_frame(seconds=30)


def test_what_is_no_video_is_refused(process: DecodeProcess, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1/a.ts\n")
    with pytest.raises(UnknownFormatError):
        process.check_video(tmp_path / "list", seconds=30)
    video = make_video(tmp_path / "v.mp4", numbered_images(5, (64, 48)), fps=10, codec="libx264")
    process.check_video(video, seconds=30)
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:-200])
    with pytest.raises((UnknownFormatError, VideoError)):
        process.check_video(tmp_path / "cut.mp4", seconds=30)
        process.open_video(tmp_path / "cut.mp4", VideoBounds(), every=None, seconds=30)
        process.next_frame(seconds=30)


def test_an_annotated_video_is_written_with_the_sound_of_its_source(process: DecodeProcess, tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", numbered_images(10, (64, 48)), fps=10, audio_seconds=1.0)
    written = tmp_path / "drawn.mp4"
    process.begin_annotated(written, seconds=30)
    for frame in read_video(str(source)):
        assert frame.timestamp is not None
        process.add_annotated(255 - frame.image, frame.timestamp, source, seconds=30)
    assert not written.exists()
    process.finish_annotated(seconds=30)
    with av.open(str(written)) as video:
        assert len(video.streams.audio) == 1
        assert video.duration == pytest.approx(1_000_000, abs=60_000)
    frames = zip(read_video(str(source)), read_video(str(written)), strict=True)
    assert max(np.abs(255 - one.image.mean() - other.image.mean()) for one, other in frames) < 8


def test_an_annotated_video_that_cannot_be_written_is_told(process: DecodeProcess, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"drawn\.mp4"):
        process.begin_annotated(tmp_path / "file" / "drawn.mp4", seconds=30)
    with DecodeProcess(memory=1_000_000_000) as other:
        other.start()
        with pytest.raises(SourceError, match="no annotated video was begun"):
            other.finish_annotated(seconds=30)


def test_a_process_that_died_between_two_frames_does_not_end_the_video(tmp_path: Path) -> None:
    """A new process knows nothing of the video; to it, the video would have ended."""
    video = make_video(tmp_path / "v.mp4", numbered_images(5, (64, 48)), fps=10)
    with DecodeProcess(memory=1_000_000_000) as other:
        other.open_video(video, VideoBounds(), every=None, seconds=30)
        assert other.next_frame(seconds=30) is not None
        os.kill(running(other).pid, signal.SIGKILL)
        running(other).wait()
        with pytest.raises(SourceError, match="ended the decoder"):
            other.next_frame(seconds=30)
        assert other.kills == 1
        with pytest.raises(SourceError, match="ended the decoder"):
            other.finish_annotated(seconds=30)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs signals that stop a process")
def test_finishing_an_annotated_video_has_a_deadline(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", numbered_images(2, (64, 48)), fps=10, audio_seconds=0.2)
    with DecodeProcess(memory=1_000_000_000) as other:
        other.begin_annotated(tmp_path / "drawn.mp4", seconds=30)
        other.add_annotated(numbered_images(1, (64, 48))[0], 0.0, source, seconds=30)
        os.kill(running(other).pid, signal.SIGSTOP)
        with pytest.raises(DeadlineError, match=r"longer than 0\.2 seconds"):
            other.finish_annotated(seconds=0.2)
    assert not (tmp_path / "drawn.mp4").exists()


def test_a_full_disk_is_sent_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    full = OutputError("drawn.mp4: cannot be written")
    full.__cause__ = OSError(errno.ENOSPC, "no space left on device")
    with io.FileIO(os.devnull) as source, io.FileIO(os.devnull, "w") as target:
        worker = Worker(source, target)
        monkeypatch.setattr(worker, "_begun", lambda: (_ for _ in ()).throw(full))
        head, _ = worker._answer({"do": "finish"}, np.empty(0, np.uint8))
    assert (head["error"], head["errno"]) == ("OutputError", errno.ENOSPC)
