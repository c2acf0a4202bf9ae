"""Videos frame by frame: times, colours and sizes are kept, and nothing remains of a failure."""

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.errors import OutputError
from facemood.sinks.video_writer import VideoWriter
from facemood.sources.video import probe_video, read_video
from tests.growing import full_disk
from tests.videos import (
    noisy_images,
    number_of,
    numbered_image,
    timed_numbers,
)


@pytest.mark.parametrize("size", [(65, 49), (64, 47), (129, 96)])
def test_odd_sizes_keep_all_pixels(tmp_path: Path, size: tuple[int, int]) -> None:
    width, height = size
    corner = numbered_image(5, size)
    corner[-1, -1] = corner[-2:, -2:] = (0, 0, 255)
    writer = VideoWriter(tmp_path / "odd.mp4")
    writer.add(corner, 0.0)
    writer.close()
    (frame,) = read_video(tmp_path / "odd.mp4")
    assert frame.size == (width + width % 2, height + height % 2)
    shown = frame.image[:height, :width].astype(int)
    assert abs(shown - corner).mean() < 8
    assert shown[-1, -1, 2] > shown[-1, -1, 0] + 100
    added = frame.image[height:].astype(int)
    assert abs(added - frame.image[height - 1]).max(initial=0) < 40


def test_colours_are_kept(tmp_path: Path) -> None:
    plain = [np.full((48, 64, 3), colour, np.uint8) for colour in ((40, 90, 200), (128, 128, 128), (220, 200, 30))]
    writer = VideoWriter(tmp_path / "plain.mp4")
    for number, picture in enumerate(plain):
        writer.add(picture, number / 25)
    writer.close()
    for frame, picture in zip(read_video(tmp_path / "plain.mp4"), plain, strict=True):
        np.testing.assert_allclose(frame.image, picture, atol=4)


def test_images_of_other_sizes_are_scaled_to_fit(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "sizes.mp4")
    writer.add(numbered_image(3, (64, 48)), 0.0)
    writer.add(np.full((96, 48, 3), 255, np.uint8), 0.04)  # 24 x 48, with 20 columns of black on each side
    writer.add(numbered_image(201, (128, 96)), 0.08)
    writer.close()
    first, narrow, last = (frame.image for frame in read_video(tmp_path / "sizes.mp4"))
    assert (number_of(first), number_of(last)) == (3, 201)
    assert narrow[:, :18].max() < 40
    assert narrow[:, 24:40].min() > 215
    assert narrow[:, 46:].max() < 40


@settings(max_examples=10, deadline=None)
@given(
    steps=st.lists(st.integers(0, 200_000), min_size=1, max_size=12),
    first=st.integers(-(10**9), 10**9).map(lambda ticks: ticks / 90_000),
    rest=st.integers(1, 500_000),
)
def test_any_increasing_times_are_kept(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], first: float, rest: int
) -> None:
    path = tmp_path_factory.mktemp("times") / "video.mp4"
    ticks = list(itertools.accumulate(steps, initial=0))
    expected = list(itertools.accumulate(ticks[1:], lambda last, tick: max(tick, last + 1), initial=0))
    writer = VideoWriter(path)
    for number, tick in enumerate(ticks):
        writer.add(numbered_image(number), first + tick / 90_000)
    writer.close(end=first + (expected[-1] + rest) / 90_000)
    assert timed_numbers(path) == [(tick / 90_000, number) for number, tick in enumerate(expected)]
    assert probe_video(path).duration == pytest.approx((expected[-1] + rest) / 90_000, abs=2 / 90_000)


def test_a_live_source_gives_a_video_without_sound(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "live.mp4")
    for number in range(5):
        writer.add(numbered_image(number), 1234.5 + number / 10)
    writer.close()
    assert timed_numbers(tmp_path / "live.mp4") == [(number / 10, number) for number in range(5)]
    info = probe_video(tmp_path / "live.mp4")
    assert (info.has_audio, info.duration) == (False, 0.5)  # the last one lasts as long as the one before


def test_times_must_be_in_order(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "video.mp4")
    writer.add(numbered_image(0), 1.0)
    with pytest.raises(OutputError, match=r"a frame at 0\.500 s follows one at 1\.000 s; expected frames in order"):
        writer.add(numbered_image(1), 0.5)
    writer.close()
    assert timed_numbers(tmp_path / "video.mp4") == [(0, 0)]


def test_a_closed_video_accepts_no_frames(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "video.mp4")
    writer.add(numbered_image(0), 0.0)
    writer.close()
    with pytest.raises(OutputError, match="the video is closed"):
        writer.add(numbered_image(1), 0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files, which stands for a full disk")
def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "video.mp4")
    with pytest.raises(OutputError, match="cannot be written"), full_disk(20_000):
        for number, picture in enumerate(noisy_images(100, (128, 96))):
            writer.add(picture, number / 25)
        writer.close()
    writer.close()
    assert list(tmp_path.iterdir()) == []
