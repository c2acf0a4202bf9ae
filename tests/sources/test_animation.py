"""Animated pictures are short videos: each frame as it is shown, at its time."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from facemood.errors import VideoError
from facemood.sources import animation, expected_count, open_video
from facemood.sources.animation import count_animation, read_animation
from tests.videos import number_of, numbered_image

DURATIONS = [40, 200, 0, 100, 500]
"""Milliseconds for which the frames are shown; 0 is shown for 100."""

TIMES = [0.0, 0.04, 0.24, 0.34, 0.44]
"""When the frames are shown, in seconds."""

KINDS = ["GIF", "WEBP", "PNG"]


def animate(kind: str, durations: list[int] = DURATIONS, **options: Any) -> bytes:
    data = io.BytesIO()
    pictures = [Pillow.fromarray(numbered_image(17 * number + 5)) for number in range(len(durations))]
    pictures[0].save(data, kind, save_all=True, append_images=pictures[1:], duration=durations, **options)
    return data.getvalue()


def read(data: bytes, **options: Any) -> list[tuple[int, float, int]]:
    frames = read_animation(data, name="a", **options)
    return [(frame.index, round(frame.timestamp or 0, 6), number_of(frame.image)) for frame in frames]


@pytest.mark.parametrize("kind", KINDS)
def test_each_frame_has_its_number_time_and_picture(kind: str) -> None:
    expected = [(number, time, 17 * number + 5) for number, time in enumerate(TIMES)]
    assert read(animate(kind, lossless=True)) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"every": 2}, [0, 2, 4]),
        ({"every": 0.2}, [0, 2, 4]),
        ({"end": 0.3}, [0, 1, 2]),
        ({"start": 0.1, "end": 0.4}, [2, 3]),
    ],
)
def test_a_part_is_taken_as_of_videos(kind: str, options: dict[str, Any], numbers: list[int]) -> None:
    assert [frame[0] for frame in read(animate(kind, lossless=True), **options)] == numbers


def test_frames_that_change_a_part_are_whole_and_lie_on_white() -> None:
    ground = Pillow.new("RGBA", (64, 48), (0, 0, 0, 0))
    dot = Pillow.new("RGBA", (64, 48), (0, 0, 0, 0))
    dot.paste((255, 0, 0, 255), (10, 10, 20, 20))
    data = io.BytesIO()
    ground.save(data, "PNG", save_all=True, append_images=[dot], duration=100, blend=1)
    first, second = read_animation(data.getvalue(), name="a")
    assert (first.image == 255).all()
    assert second.image[15, 15].tolist() == [0, 0, 255]
    assert second.image[40, 40].tolist() == [255, 255, 255]


def test_a_picture_for_programs_without_animation_is_no_frame() -> None:
    data = io.BytesIO()
    shown = [Pillow.fromarray(numbered_image(number)) for number in (1, 2, 3)]
    shown[0].save(data, "PNG", save_all=True, append_images=shown[1:], duration=100, default_image=True)
    assert [frame[2] for frame in read(data.getvalue())] == [2, 3]
    assert count_animation(data.getvalue()) == 2


def test_the_number_of_frames_is_estimated(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(animate("GIF", [100] * 10))
    assert [expected_count(path, every) for every in (None, 3, 0.5)] == [10, 4, 2]
    assert [len(list(open_video(path, every=every))) for every in (None, 3, 0.5)] == [10, 4, 2]
    assert count_animation(b"no animation") is None


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_breaks_off_is_read_up_to_there(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(1)
    pictures = [Pillow.fromarray(noise.integers(0, 256, (48, 64, 3), np.uint8)) for _ in range(5)]
    data = io.BytesIO()
    pictures[0].save(data, kind, save_all=True, append_images=pictures[1:], duration=100)
    whole = data.getvalue()
    try:
        frames = list(read_animation(whole[: len(whole) * 3 // 5], name="cut"))
    except VideoError as error:
        assert "cut" in str(error)
    else:
        assert 0 < len(frames) < 5


def test_frames_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation, "MAX_PIXELS", 1000)
    with pytest.raises(VideoError, match="its frames of 64 x 48 are too large"):
        list(read_animation(animate("GIF"), name="a"))


def test_options_out_of_range_are_told() -> None:
    with pytest.raises(ValueError, match="every must be"):
        list(read_animation(animate("GIF"), name="a", every=0))
