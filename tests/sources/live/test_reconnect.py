"""Live sources on OpenCV captures: a video plays the camera, which is lost when the video ends."""

import gc
import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from facemood.errors import SourceError
from facemood.schema import Image
from facemood.sources.live import Feed, LiveSource
from tests.videos import make_video, number_of, numbered_image, numbered_images

COUNT = 12


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_video(tmp_path_factory.mktemp("videos") / "numbers.mp4", numbered_images(COUNT))


class Stepped:
    """A device that gives the images that the test puts in; None means that the device is lost."""

    def __init__(self) -> None:
        self.pictures: queue.Queue[Image | Exception | None] = queue.Queue()
        self.read_so_far = 0
        self.released = False

    def read(self) -> tuple[bool, Image | None]:
        self.read_so_far += 1
        picture = self.pictures.get(timeout=30)
        if isinstance(picture, Exception):
            raise picture
        return picture is not None, picture

    def release(self) -> None:
        self.released = True

    def give(self, *numbers: int) -> None:
        """Put in some images and wait until all are read."""
        wanted = self.read_so_far + len(numbers)
        for number in numbers:
            self.pictures.put(numbered_image(number))
        wait_until(lambda: self.read_so_far >= wanted)


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for another thread, 10 s at most."""
    limit = time.monotonic() + 10
    while not true():
        assert time.monotonic() < limit
        time.sleep(0.002)


def readers() -> list[str]:
    """The names of the running reader threads."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("facemood ")]


def open_stepped(*first: int) -> tuple[Stepped, LiveSource]:
    """A device that has given some images, and the source that reads it."""
    device = Stepped()
    for number in first:
        device.pictures.put(numbered_image(number))
    source = LiveSource("camera:0", lambda: device, waits=())
    wait_until(lambda: device.read_so_far > len(first))
    return device, source


def open_video(video: Path, times: int = 1) -> Callable[[], Feed]:
    """Open a video as OpenCV opens a camera, a number of times; after that, opening fails."""
    left = itertools.count(times, -1)

    def open_feed() -> Feed:
        if next(left) < 1:
            raise SourceError("there is no such camera")
        return cv2.VideoCapture(str(video))

    return open_feed


def test_the_newest_frame_is_read_and_the_others_are_counted() -> None:
    device, source = open_stepped(1, 2, 3)
    with source:
        assert number_of(next(source).image) == 3
        device.give(4)
        assert number_of(next(source).image) == 4
        device.give(5, 6)
        frame = next(source)
        assert (number_of(frame.image), frame.index, source.dropped) == (6, 2, 3)
        device.pictures.put(None)


def test_frames_are_numbered_and_timed_from_the_first() -> None:
    device, source = open_stepped(0)
    with source:
        frames = [next(source)]
        for number in (1, 2):
            device.give(number)
            frames.append(next(source))
        device.pictures.put(None)
    assert [(frame.source, frame.index, frame.size) for frame in frames] == [
        ("camera:0", index, (64, 48)) for index in range(3)
    ]
    moments = [frame.timestamp or 0.0 for frame in frames]
    assert moments[0] == 0
    assert moments == sorted(moments)


def test_a_camera_of_opencv_is_read_to_its_last_frame(video: Path) -> None:
    source = LiveSource("camera:0", open_video(video), waits=())
    seen: list[int] = []
    with pytest.raises(SourceError, match=r"camera:0: it went away .* after 0 tries \(it gives no more frames\)"):
        seen.extend(number_of(frame.image) for frame in source)
        pytest.fail("the end of a camera is an error")
    wait_until(lambda: readers() == [])
    assert source.dropped < COUNT


def test_each_frame_of_a_camera_is_read_or_counted(video: Path) -> None:
    source = LiveSource("camera:0", open_video(video), waits=())
    seen: list[int] = []
    with pytest.raises(SourceError):
        for frame in source:
            seen.append(number_of(frame.image))  # noqa: PERF401 - what came before the error counts
    assert seen == sorted(set(seen))
    assert seen[-1] == COUNT - 1
    assert len(seen) + source.dropped == COUNT


def test_a_lost_camera_is_reopened(video: Path, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    with (
        caplog.at_level(logging.WARNING, "facemood"),
        pytest.raises(SourceError, match=r"after 3 tries \(there is no such camera\)"),
    ):
        for frame in LiveSource("camera:0", open_video(video, times=2), waits=(0.01, 0.02, 0.03)):
            seen.append(frame.index)  # noqa: PERF401 - what came before the error counts
    assert [record.getMessage() for record in caplog.records] == [
        "camera:0: lost; trying again in 0.01 s (1 of 3)",
        "camera:0: opened again",
        "camera:0: lost; trying again in 0.02 s (2 of 3)",
        "camera:0: lost; trying again in 0.03 s (3 of 3)",
    ]
    assert seen == list(range(len(seen)))


def test_a_camera_that_never_gave_a_frame_is_not_reopened(caplog: pytest.LogCaptureFixture) -> None:
    device = Stepped()
    device.pictures.put(None)
    with pytest.raises(SourceError, match="camera:0: it can be opened but gives no frame"):
        LiveSource("camera:0", lambda: device)
    assert (device.released, caplog.records) == (True, [])


def test_a_device_may_say_why_it_is_lost() -> None:
    device, source = open_stepped(1)
    device.pictures.put(SourceError("the battery is empty"))
    assert number_of(next(source).image) == 1
    with pytest.raises(SourceError, match=r"did not come back after 0 tries \(the battery is empty\)"):
        next(source)
    assert device.released


def test_repeated_short_losses_end_the_source(video: Path) -> None:
    opened = []

    def open_feed() -> Feed:
        opened.append(time.monotonic())
        return cv2.VideoCapture(str(video))

    with pytest.raises(SourceError, match="after 2 tries"):
        list(LiveSource("camera:0", open_feed, waits=(0.0, 0.0)))
    assert len(opened) == 3


def test_a_source_that_cannot_be_opened_is_an_error_at_once_and_leaves_no_thread(video: Path) -> None:
    with pytest.raises(SourceError, match="there is no such camera"):
        LiveSource("camera:0", open_video(video, times=0))
    wait_until(lambda: readers() == [])


def test_close_ends_the_thread_and_releases_the_device_and_may_be_called_twice() -> None:
    device, source = open_stepped(1)
    assert readers() == ["facemood camera:0"]
    device.pictures.put(numbered_image(2))
    source.close()
    source.close()
    assert readers() == []
    assert device.released
    assert list(source) == []


def test_close_ends_the_waiting_of_another_thread() -> None:
    device, source = open_stepped(1)
    next(source)
    ended: list[list[object]] = []
    thread = threading.Thread(target=lambda: ended.append(list(source)))
    thread.start()
    closer = threading.Thread(target=source.close)
    closer.start()
    thread.join(10)
    assert ended == [[]]
    device.pictures.put(None)
    closer.join(10)


def test_a_garbage_collected_source_ends_its_thread() -> None:
    device, source = open_stepped(1)
    del source
    gc.collect()
    device.pictures.put(numbered_image(2))
    wait_until(lambda: readers() == [])
    assert device.released


def test_the_end_of_a_video_is_no_error() -> None:
    device, source = open_stepped(1)
    device.pictures.put(EOFError())
    assert [number_of(frame.image) for frame in source] == [1]
    assert device.released


def test_unexpected_errors_reach_the_reader_of_the_source() -> None:
    device, source = open_stepped(1)
    device.pictures.put(RuntimeError("broken driver"))
    next(source)
    with pytest.raises(RuntimeError, match="broken driver"):
        next(source)
    assert device.released
