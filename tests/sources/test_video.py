import itertools
import logging
import math
import random
import weakref
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.errors import VideoError
from facemood.sources import container
from facemood.sources.video import VideoInfo, expected_frames, probe_video, read_video
from tests.videos import (
    make_video,
    noisy_images,
    number_of,
    numbered_images,
    turn_video,
)

KINDS = {
    "h264.mp4": "libx264",
    "h265.mp4": "libx265",
    "vp9.webm": "libvpx-vp9",
    "h264.mkv": "libx264",
    "h264.ts": "libx264",
    "mpeg4.avi": "mpeg4",
    "mjpeg.mkv": "mjpeg",
    "animated.gif": "gif",
    "raw.h264": "libx264",
}
"""Names of videos in each format, with their codecs."""

TIMES = list(itertools.accumulate(random.Random(7).choices((4, 4, 4, 7, 50), k=119), initial=0))
"""Times of the frames of `uneven`, in hundredths of a second."""

Told = list[tuple[int, float | None, int]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def uneven(folder: Path) -> Path:
    """A video of 120 frames with a variable frame rate."""
    return make_video(folder / "uneven.mp4", numbered_images(120), timestamps=[time / 100 for time in TIMES])


@pytest.fixture(scope="module")
def large(folder: Path) -> Path:
    """A large video of 150 frames and 6 seconds, with the index at its start."""
    return make_video(folder / "large.mp4", noisy_images(150, (128, 96)), index_first=True)


def read_all(path: Path, *, every: float | None = None, start: float = 0.0, end: float | None = None) -> Told:
    """Numbers and times of the frames that are read, and the numbers encoded in their images."""
    frames = read_video(path, every=every, start=start, end=end)
    return [(frame.index, frame.timestamp, number_of(frame.image)) for frame in frames]


def damage(path: Path, target: Path, *, first: float, last: float) -> Path:
    """Copy a video with noise in place of the bytes from one share of its length to another."""
    data = bytearray(path.read_bytes())
    part = slice(int(first * len(data)), int(last * len(data)))
    data[part] = np.random.default_rng(1).bytes(part.stop - part.start)
    target.write_bytes(data)
    return target


def cut(path: Path, target: Path, share: float) -> Path:
    """Copy the first share of a video's bytes."""
    data = path.read_bytes()
    target.write_bytes(data[: int(share * len(data))])
    return target


@pytest.mark.parametrize("name", KINDS)
def test_each_frame_comes_once_with_its_number_and_time(folder: Path, name: str) -> None:
    path = make_video(folder / name, numbered_images(30), codec=KINDS[name])
    assert read_all(path) == [(number, number / 25, number) for number in range(30)]


def test_frames_are_writable_images(uneven: Path) -> None:
    frame = next(read_video(uneven))
    assert (frame.source, frame.size, frame.image.shape) == (str(uneven), (64, 48), (48, 64, 3))
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous
    assert frame.image.flags.writeable


def test_a_variable_frame_rate_is_kept(uneven: Path) -> None:
    assert read_all(uneven) == [(number, time / 100, number) for number, time in enumerate(TIMES)]


def test_an_integer_every_reads_every_kth_frame(uneven: Path) -> None:
    assert read_all(uneven, every=50) == [(number, TIMES[number] / 100, number) for number in (0, 50, 100)]


STEPS = [None, 1, 7, 30, 99, 0.01, 0.04, 0.1, 0.25, 0.3, 1.0, 5.0]
"""Values of `every`: all frames, every k-th frame, and at most one frame in a number of seconds."""


@pytest.mark.parametrize("every", STEPS)
@pytest.mark.parametrize("fps", [10, 25, 30])
def test_the_expected_number_of_frames_is_read(folder: Path, fps: int, every: float | None) -> None:
    path = folder / f"{fps}.mp4"
    if not path.is_file():
        make_video(path, numbered_images(30), fps=fps)
    assert expected_frames(probe_video(path), every) == len(list(read_video(path, every=every)))


@pytest.mark.parametrize("name", ["h264.mkv", "vp9.webm", "h264.ts", "mpeg4.avi", "animated.gif"])
@pytest.mark.parametrize("every", [None, 7, 0.25])
def test_containers_without_a_frame_count_are_estimated_by_their_duration(
    tmp_path: Path, name: str, every: float | None
) -> None:
    path = make_video(tmp_path / name, numbered_images(30), codec=KINDS[name])
    expected, read = expected_frames(probe_video(path), every), len(list(read_video(path, every=every)))
    assert expected is not None
    assert abs(expected - read) <= 1  # a duration in whole milliseconds, or one without the last frame's


@pytest.mark.parametrize(
    ("every", "expected", "read"), [(None, 120, 120), (7, 18, 18), (1.1, 14, 14), (0.5, 29, 31), (0.1, 120, 67)]
)
def test_a_varying_rate_is_estimated_by_its_mean(uneven: Path, every: float | None, expected: int, read: int) -> None:
    """The container ends 0.45 s before the last frame, and some intervals of 0.1 s have no frame."""
    assert expected_frames(probe_video(uneven), every) == expected
    assert len(list(read_video(uneven, every=every))) == read


@pytest.mark.parametrize(
    ("fps", "duration", "frames", "every", "expected"),
    [
        (None, None, None, None, None),
        (None, None, None, 3, None),
        (None, None, None, 0.5, None),
        (30.0, None, None, 0.5, None),
        (None, 4.0, None, None, None),
        (None, 4.0, None, 0.5, 8),
        (50.0, None, 100, 0.5, 4),
        (None, None, 100, 0.5, 8),
        (None, None, 1, 0.5, 1),
    ],
)
def test_unknown_properties_are_none(
    fps: float | None, duration: float | None, frames: int | None, every: float | None, expected: int | None
) -> None:
    assert expected_frames(VideoInfo("", (64, 48), fps, duration, frames, 0, "h264", False), every) == expected


def test_a_float_every_reads_the_first_frame_of_each_step(folder: Path) -> None:
    path = make_video(folder / "steps.mp4", numbered_images(6), timestamps=[0, 0.39, 0.41, 0.5, 1.9, 2.0])
    assert read_all(path, every=0.4) == [(0, 0, 0), (2, 0.41, 2), (4, 1.9, 4), (5, 2.0, 5)]


@pytest.mark.parametrize("name", KINDS)
def test_frames_know_when_their_video_ends(folder: Path, name: str) -> None:
    path = make_video(folder / f"end-{name}", numbered_images(30), codec=KINDS[name])
    for start in (0.0, 0.6):
        (end,) = {frame.video_end for frame in read_video(path, every=0.5, start=start)}
        if name == "raw.h264":  # which does not state how long it is
            assert end is None
        else:
            assert end == pytest.approx(30 / 25, abs=0.02)  # some state whole milliseconds, or less


def test_times_in_whole_milliseconds_are_not_early(folder: Path) -> None:
    path = make_video(folder / "milliseconds.mkv", numbered_images(30), fps=30)  # 0, 33, 67, 100 ms
    assert [number for number, _, _ in read_all(path, every=1 / 30)] == list(range(30))
    assert [number for number, _, _ in read_all(path, every=0.1)] == list(range(0, 30, 3))
    assert [number for number, _, _ in read_all(path, start=1 / 30, end=2 / 30)] == [1]


@settings(max_examples=15, deadline=None)
@given(
    every=st.none() | st.integers(1, 40) | st.integers(1, 400).map(lambda hundredths: hundredths / 100),
    start=st.integers(0, TIMES[-1] + 50),
    length=st.none() | st.integers(1, 900),
)
def test_start_and_end_give_the_same_frames_as_the_whole_video(
    uneven: Path, every: float | None, start: int, length: int | None
) -> None:
    taken, cell = [], -1
    for number, time in enumerate(TIMES):
        step = number if every is None else number // every if isinstance(every, int) else time // round(100 * every)
        if step != cell and start <= time < (math.inf if length is None else start + length):
            taken.append((number, time / 100, number))
        cell = int(step)
    end = None if length is None else (start + length) / 100
    assert read_all(uneven, every=every, start=start / 100, end=end) == taken


@pytest.mark.parametrize("name", ["h264.mp4", "h265.mp4", "vp9.webm", "h264.mkv", "h264.ts", "mpeg4.avi"])
def test_numbers_are_right_after_a_seek(tmp_path: Path, name: str) -> None:
    path = make_video(tmp_path / name, numbered_images(90), codec=KINDS[name])
    assert read_all(path, start=2.9, every=4) == [(number, number / 25, number) for number in (76, 80, 84, 88)]


@pytest.mark.parametrize("reorder", [True, False])
@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mov", "libx265"), ("b.mp4", "libvpx-vp9")])
def test_the_index_gives_the_key_frames_that_counting_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, codec: str, reorder: bool
) -> None:
    path = str(make_video(tmp_path / name, numbered_images(90), codec=codec, reorder=reorder, audio_seconds=3))
    times = [number / 10 for number in range(40)]
    with monkeypatch.context() as patch:
        patch.setattr(container, "_find_in_index", lambda *_: None)
        counted = [container.find_key_frame(path, time) for time in times]
    with monkeypatch.context() as patch:
        patch.setattr(container, "_count", None)  # the file is not read up to the key frame
        assert [container.find_key_frame(path, time) for time in times] == counted
    assert len({found.number for found in counted if found}) > 3


def test_a_video_in_fragments_has_no_index_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "fragments.mp4"
    with (
        av.open(str(make_video(tmp_path / "a.mp4", numbered_images(90)))) as whole,
        av.open(str(path), "w", options={"movflags": "frag_keyframe+empty_moov"}) as parts,
    ):
        stream = parts.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                parts.mux(packet)
    assert read_all(path, start=2.9, every=4) == [(number, number / 25, number) for number in (76, 80, 84, 88)]


def test_frames_before_the_start_are_not_decoded(large: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = damage(large, tmp_path / "early.mp4", first=0.2, last=0.3)
    assert read_all(path, start=5) == [(number, number / 25, number) for number in range(125, 150)]
    assert caplog.messages == []
    assert len(read_all(path)) < 150
    assert "damaged" in caplog.messages[-1]


def test_decoding_is_lazy(large: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = cut(large, tmp_path / "shrinking.mp4", 1)
    frames = read_video(path)
    first = [number_of(frame.image) for frame in itertools.islice(frames, 3)]
    with path.open("r+b") as file:
        file.truncate(60_000)  # what was not read yet is gone
    rest = [number_of(frame.image) for frame in frames]
    assert first == [0, 1, 2]
    assert 3 + len(rest) < 150
    assert "breaks off" in caplog.text


def test_only_one_frame_is_in_memory(uneven: Path) -> None:
    held = [weakref.ref(frame.image) for frame in read_video(uneven)]
    assert len(held) == 120
    assert sum(picture() is not None for picture in held) <= 1  # the loop's variable may hold the last one


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotated_videos_are_turned_upright(tmp_path: Path, degrees: int, mirror: bool) -> None:
    path = make_video(tmp_path / "phone.mp4", numbered_images(12)[11:])
    (stored,) = (frame.image for frame in read_video(path))
    turn_video(path, degrees, mirror=mirror)
    (shown,) = (frame.image for frame in read_video(path))
    np.testing.assert_array_equal(shown, np.rot90(stored[:, ::-1] if mirror else stored, -degrees // 90))
    info = probe_video(path)
    assert (info.size, info.rotation) == ((48, 64) if degrees in (90, 270) else (64, 48), degrees)


def test_a_truncated_video_is_read_up_to_its_end_with_a_warning(
    large: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = cut(large, tmp_path / "cut.mp4", 0.5)
    read = read_all(path)
    assert 50 < len(read) < 100
    assert read == [(number, number / 25, number) for number in range(len(read))]
    end = len(read) / 25
    assert caplog.messages == [f"{path}: the video breaks off at {end:.2f} s; {6 - end:.2f} of 6.00 s are missing"]


@pytest.mark.parametrize(("kind", "codec"), [("mkv", "libx264"), ("avi", "mjpeg")])
def test_truncated_videos_of_other_codecs_are_reported(
    tmp_path: Path, kind: str, codec: str, caplog: pytest.LogCaptureFixture
) -> None:
    whole = make_video(tmp_path / f"whole.{kind}", noisy_images(50), codec=codec)
    read = read_all(cut(whole, tmp_path / f"cut.{kind}", 0.5))
    assert 10 < len(read) < 40
    assert [number for number, _, _ in read] == [encoded for _, _, encoded in read] == list(range(len(read)))
    assert "breaks off" in caplog.text
    assert "of 2.00 s are missing" in caplog.text


def test_a_complete_video_gives_no_warning(uneven: Path, large: Path, caplog: pytest.LogCaptureFixture) -> None:
    for path in (uneven, large):
        list(read_video(path))
        list(read_video(path, start=3))
    assert caplog.messages == []


@pytest.mark.parametrize(("first", "last"), [(0.2, 0.3), (0.4, 0.42)])
def test_damaged_frames_are_skipped_and_counted(
    large: Path, tmp_path: Path, first: float, last: float, caplog: pytest.LogCaptureFixture
) -> None:
    path = damage(large, tmp_path / "damaged.mp4", first=first, last=last)
    read = read_all(path)
    assert 120 < len(read) < 150
    assert [time for _, time, _ in read] == [number / 25 for number, _, _ in read]
    assert [encoded for _, _, encoded in read[-60:]] == [number for number, _, _ in read[-60:]] == list(range(90, 150))
    assert caplog.messages == [f"{path}: damaged frames were left out: {150 - len(read)}"]


def test_damage_is_counted_without_a_frame_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = make_video(tmp_path / "whole.ts", noisy_images(60, (128, 96)))
    read = read_all(damage(whole, tmp_path / "damaged.ts", first=0.4, last=0.45))
    assert 40 < len(read) < 60
    assert read[-1][1:] == (59 / 25, 59)
    assert "damaged frames were left out" in caplog.messages[-1]


def test_a_video_without_a_decodable_frame_is_an_error(large: Path, tmp_path: Path) -> None:
    data = large.read_bytes()
    path = damage(large, tmp_path / "noise.mp4", first=data.index(b"mdat") / len(data) + 1e-4, last=1)
    with pytest.raises(VideoError, match=r"none of its frames can be decoded.*download the video again"):
        list(read_video(path))
    with pytest.raises(VideoError, match="none of its frames can be decoded"):
        probe_video(path)


def test_a_change_of_frame_size_is_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    parts = []
    for part, size in enumerate([(64, 48), (96, 64), (64, 48)]):
        times = [part + number / 25 for number in range(25)]
        parts.append(make_video(tmp_path / f"{part}.ts", numbered_images(25, size), timestamps=times))
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    frames = list(read_video(path))
    assert [number_of(frame.image) for frame in frames] == [*range(25)] * 3
    assert [frame.size for frame in frames[::25]] == [(64, 48), (96, 64), (64, 48)]
    assert [frame.timestamp for frame in frames] == [pytest.approx(number / 25) for number in range(75)]
    assert [message for message in caplog.messages if "frames change from 64 x 48 to 96 x 64 pixels" in message]
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("every", [0, -1, 0.0, math.nan, math.inf, True])
def test_every_out_of_range_is_an_error_at_once(uneven: Path, every: float) -> None:
    with pytest.raises(ValueError, match="every must be a number of frames or seconds above 0"):
        read_video(uneven, every=every)


@pytest.mark.parametrize(("start", "end"), [(-1, None), (2, 2), (3, 1), (math.nan, None)])
def test_an_empty_part_is_an_error_at_once(uneven: Path, start: float, end: float | None) -> None:
    with pytest.raises(ValueError, match="start must be at least 0 and lie before end"):
        read_video(uneven, start=start, end=end)


def test_probe_video_returns_the_properties(folder: Path) -> None:
    path = make_video(folder / "known.mp4", numbered_images(50), codec="libx265", audio_seconds=2)
    assert probe_video(path) == VideoInfo(str(path), (64, 48), 25.0, 2.0, 50, 0, "hevc", True)


def test_frames_are_estimated_from_the_duration(folder: Path) -> None:
    path = make_video(folder / "estimated.mkv", numbered_images(45), fps=30, audio_seconds=3)
    info = probe_video(path)
    assert (info.frames, info.fps) == (45, 30)
    assert info.duration == pytest.approx(1.5, abs=0.002)


def test_missing_properties_are_none(folder: Path) -> None:
    info = probe_video(make_video(folder / "stream.h264", numbered_images(5)))
    assert (info.duration, info.frames) == (None, None)


def test_a_late_first_frame_is_reported_as_start(folder: Path) -> None:
    times = [0.5 + number / 25 for number in range(25)]
    path = make_video(folder / "late.mp4", numbered_images(25), timestamps=times, audio_seconds=1.5)
    assert probe_video(path).start == pytest.approx(0.5)
    assert read_all(path)[:2] == [(0, 0, 0), (1, 0.04, 1)]


@pytest.mark.dataset
def test_real_videos_are_read_completely(shared_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    for name, count in (("a.mp4", 115), ("b.mp4", 464)):
        path = shared_data / "videos" / name
        info = probe_video(path)
        frames = [(frame.index, frame.timestamp or 0, frame.size) for frame in read_video(path)]
        assert [number for number, _, _ in frames] == list(range(count))
        assert {size for _, _, size in frames} == {info.size} == {(596, 336)}
        assert info.frames == count
        assert frames[-1][1] == pytest.approx((info.duration or 0) - 1 / (info.fps or 1), abs=0.04)
    assert caplog.messages == []
