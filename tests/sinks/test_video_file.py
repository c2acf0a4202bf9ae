import contextlib
import itertools
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.errors import OutputConflictError, OutputError
from facemood.labels import EXPRESSIONS
from facemood.results import Result
from facemood.schema import Face, Image
from facemood.sinks.video_file import VideoSink, VideoWriter
from facemood.sources.video import probe_video, read_video
from tests.conftest import make_face
from tests.growing import full_disk, growing
from tests.videos import make_video, noisy_images, number_of, numbered_image, numbered_images, sound_of

TIMES = [time / 100 for time in itertools.accumulate(random.Random(7).choices((4, 4, 7, 40), k=29), initial=0)]
"""Times of the frames of a video with a variable frame rate, in seconds."""


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 50 frames and 2 seconds with sound."""
    path = tmp_path_factory.mktemp("source") / "spoken.mp4"
    return make_video(path, numbered_images(50, (128, 96)), audio_seconds=2)


def results_of(source: Path, faces: tuple[Face, ...] = (), **options: Any) -> Iterator[Result]:
    """Results as of a recognizer for the frames of a video."""
    for frame in read_video(source, **options):
        yield Result(
            frame.source, frame.index, frame.timestamp, frame.size, faces, labels=EXPRESSIONS, image=frame.image
        )


def annotate(source: Path, target: Path, *, stop: int | None = None, anonymize: str = "", **options: Any) -> Path:
    """Write the annotated video for some frames of a source."""
    sink = VideoSink(target, {}, anonymize=anonymize)
    for result in itertools.islice(results_of(source, **options), stop):
        sink.write(result)
    sink.close()
    return target


def timed_numbers(path: Path) -> list[tuple[float | None, int]]:
    """The times of a video's frames, and the numbers encoded in them."""
    return [(frame.timestamp, number_of(frame.image)) for frame in read_video(path)]


def length_of(path: Path) -> float:
    """The duration of a whole video, frames and sound, in seconds."""
    with av.open(str(path)) as video:
        return (video.duration or 0) / 1e6


def test_frames_keep_their_timestamps_and_the_last_frame_its_length(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", numbered_images(30, (128, 96)), timestamps=TIMES, reorder=False)
    target = annotate(source, tmp_path / "target.mp4")
    assert timed_numbers(target) == [(time, number) for number, time in enumerate(TIMES)]
    assert length_of(target) == pytest.approx(length_of(source), abs=0.001)


@pytest.mark.parametrize(("every", "taken"), [(7, range(0, 50, 7)), (0.3, [0, 8, 15, 23, 30, 38, 45]), (60, [0])])
def test_frames_last_until_the_next_analyzed_frame(spoken: Path, tmp_path: Path, every: float, taken: Any) -> None:
    target = annotate(spoken, tmp_path / "target.mp4", every=every)
    assert timed_numbers(target) == [(number / 25, number) for number in taken]
    assert (length_of(target) == 2.0) == (len(taken) > 1)  # one frame does not tell whether others were due


def test_results_are_drawn(spoken: Path, tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    first = next(results_of(spoken, (make_face((40, 30, 80, 70)),)))
    sink.write(first)
    sink.close()
    (frame,) = read_video(tmp_path / "target.mp4")
    assert first.image is not None
    assert abs(frame.image.astype(int) - first.draw()).mean() < 5
    assert abs(frame.image.astype(int) - first.image).mean() > 10


def test_the_video_plays_in_browsers(spoken: Path, tmp_path: Path) -> None:
    target = annotate(spoken, tmp_path / "target.mp4", stop=10)
    data = target.read_bytes()
    assert data[4:8] == b"ftyp"
    assert data.index(b"moov") < data.index(b"mdat")  # so it plays before it is loaded
    with av.open(str(target)) as video:
        context = video.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.profile) == ("h264", "yuv420p", "High")


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


def test_an_interrupted_video_plays(spoken: Path, tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(sink):
        for result in results_of(spoken):
            if result.index == 20:
                raise KeyboardInterrupt
            sink.write(result)
    assert timed_numbers(tmp_path / "target.mp4") == [(number / 25, number) for number in range(20)]
    sound, whole = sound_of(tmp_path / "target.mp4"), sound_of(spoken)
    assert sound == whole[: len(sound)]
    assert length_of(tmp_path / "target.mp4") == pytest.approx(0.8, abs=0.04)


def test_a_part_of_a_video_has_the_sound_of_that_part(spoken: Path, tmp_path: Path) -> None:
    target = annotate(spoken, tmp_path / "target.mp4", start=0.8, end=1.4)
    assert [number for _, number in timed_numbers(target)] == list(range(20, 35))
    assert [time for time, _ in timed_numbers(target)] == pytest.approx([number / 25 for number in range(15)])
    sound, whole = sound_of(target), sound_of(spoken)
    first = whole.index(sound[0])
    assert sound == whole[first : first + len(sound)]
    assert first == pytest.approx(0.8 * 48_000 / 1024, abs=6)
    assert length_of(target) == pytest.approx(0.6, abs=0.04)


def test_a_video_is_renamed_into_place_when_it_is_closed(spoken: Path, tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    for result in itertools.islice(results_of(spoken), 5):
        sink.write(result)
    assert growing(tmp_path) == ["target.mp4"]
    sink.close()
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["target.mp4"]
    assert len(timed_numbers(tmp_path / "target.mp4")) == 5


def test_without_a_frame_no_video_is_written(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    sink.close()
    sink.close()
    assert list(tmp_path.iterdir()) == []
    assert caplog.messages == [f"{tmp_path / 'target.mp4'}: there were no frames, so no video was written"]


def test_a_closed_video_accepts_no_frames(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "video.mp4")
    writer.add(numbered_image(0), 0.0)
    writer.close()
    with pytest.raises(OutputError, match="the video is closed"):
        writer.add(numbered_image(1), 0.1)


def test_a_single_image_is_no_video(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    with pytest.raises(OutputError, match=r"photo\.jpg is a single image.*give a folder's name.* target/"):
        sink.write(Result("photo.jpg", image=numbered_image(0)))
    sink.close()


def test_one_video_holds_one_source(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    sink.write(Result("camera:0", timestamp=0.0, image=numbered_image(0)))
    with pytest.raises(OutputError, match="one video cannot hold several sources, camera:0 and camera:1"):
        sink.write(Result("camera:1", timestamp=0.1, image=numbered_image(1)))
    sink.close()
    assert timed_numbers(tmp_path / "target.mp4") == [(0, 0)]


def test_the_source_video_is_not_overwritten(spoken: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.mp4"
    own.write_bytes(spoken.read_bytes())
    sink = VideoSink(own, {})
    with pytest.raises(OutputConflictError, match="would write over the input .*give another name"):
        sink.write(next(results_of(own)))
    sink.close()
    assert own.read_bytes() == spoken.read_bytes()


def test_an_unwritable_path_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        VideoSink(tmp_path / "file" / "target.mp4", {})
    with pytest.raises(OutputError, match="Did you mean 'mesh'"):
        VideoSink(tmp_path / "target.mp4", {}, ["mash"])
    with pytest.raises(OutputError, match="Did you mean 'blur'"):
        VideoSink(tmp_path / "target.mp4", {}, anonymize="blurr")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files, which stands for a full disk")
def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "video.mp4")
    with pytest.raises(OutputError, match="cannot be written"), full_disk(20_000):
        for number, picture in enumerate(noisy_images(100, (128, 96))):
            writer.add(picture, number / 25)
        writer.close()
    writer.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["blur", "box"])
def test_faces_are_hidden_before_anything_is_drawn(tmp_path: Path, how: str) -> None:
    picture: Image = np.repeat(noisy_images(1, (60, 60))[0], 2, axis=1)
    face = make_face((40, 20, 80, 50))
    sink = VideoSink(tmp_path / "target.mp4", {}, anonymize=how)
    sink.write(Result("camera:0", timestamp=0.0, size=(120, 60), faces=(face,), labels=EXPRESSIONS, image=picture))
    sink.close()
    (frame,) = read_video(tmp_path / "target.mp4")
    inside = frame.image[24:46, 46:74].astype(float)
    parts = (inside, frame.image[:, :30].astype(float), picture.astype(float))
    grain = [float(np.diff(part[..., 1], axis=0).std()) for part in parts]
    assert grain[0] < 0.5 * grain[1]
    assert grain[1] > 0.5 * grain[2]
    assert (inside.max() < 20) == (how == "box")
