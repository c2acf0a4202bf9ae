import contextlib
import itertools
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from facemood.errors import OptionError, OutputConflictError, OutputError
from facemood.labels import EXPRESSIONS
from facemood.results import Result
from facemood.schema import Face, Image
from facemood.sinks import Looks
from facemood.sinks.video_file import VideoSink
from facemood.sources.video import read_video
from tests.conftest import make_face
from tests.growing import full_disk, growing
from tests.videos import (
    length_of,
    make_video,
    noisy_images,
    numbered_image,
    numbered_images,
    sound_of,
    timed_numbers,
)

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
    sink = VideoSink(target, {}, Looks(anonymize=anonymize))
    for result in itertools.islice(results_of(source, **options), stop):
        sink.write(result)
    sink.close()
    return target


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
        VideoSink(tmp_path / "target.mp4", {}, Looks(("mash",)))
    with pytest.raises(OutputError, match="Did you mean 'blur'"):
        VideoSink(tmp_path / "target.mp4", {}, Looks(anonymize="blurr"))


@pytest.mark.parametrize("how", ["blur", "box"])
def test_faces_are_hidden_before_anything_is_drawn(tmp_path: Path, how: str) -> None:
    picture: Image = np.repeat(noisy_images(1, (60, 60))[0], 2, axis=1)
    face = make_face((40, 20, 80, 50))
    sink = VideoSink(tmp_path / "target.mp4", {}, Looks(anonymize=how))
    sink.write(Result("camera:0", timestamp=0.0, size=(120, 60), faces=(face,), labels=EXPRESSIONS, image=picture))
    sink.close()
    (frame,) = read_video(tmp_path / "target.mp4")
    inside = frame.image[24:46, 46:74].astype(float)
    parts = (inside, frame.image[:, :30].astype(float), picture.astype(float))
    grain = [float(np.diff(part[..., 1], axis=0).std()) for part in parts]
    assert grain[0] < 0.5 * grain[1]
    assert grain[1] > 0.5 * grain[2]
    assert (inside.max() < 20) == (how == "box")


def writing() -> list[threading.Thread]:
    """The threads that write behind."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("facemood-write")]


def test_frames_are_encoded_in_a_thread_that_ends_with_the_video(spoken: Path, tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    for result in itertools.islice(results_of(spoken), 5):
        sink.write(result)
    assert len(writing()) == 1
    sink.close()
    assert writing() == []
    assert [number for _, number in timed_numbers(tmp_path / "target.mp4")] == [0, 1, 2, 3, 4]
    sink = VideoSink(tmp_path / "other.mp4", {})
    for result in itertools.islice(results_of(spoken), 5):
        sink.write(result)
    sink.discard()
    assert writing() == []
    assert [path.name for path in tmp_path.iterdir()] == ["target.mp4"]


def test_a_frame_that_cannot_be_drawn_is_an_error_of_a_later_call_and_what_was_before_is_kept(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "target.mp4", {})
    sink.write(Result("camera:0", timestamp=0.0, image=numbered_image(0)))
    sink.write(Result("camera:0", timestamp=0.1, image=numbered_image(1)))
    sink.write(Result("camera:0", timestamp=0.2))
    with pytest.raises(OptionError, match="has no image"):
        sink.close()
    assert writing() == []
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".mp4"] == ["target.unfinished.mp4"]
    assert timed_numbers(tmp_path / "target.unfinished.mp4") == [(0, 0), (pytest.approx(0.1), 1)]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files, which stands for a full disk")
def test_a_disk_that_fills_up_while_frames_wait_is_an_output_error_and_leaves_nothing(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "video.mp4", {})
    with pytest.raises(OutputError, match="cannot be written"), full_disk(20_000):
        for number, picture in enumerate(noisy_images(100, (128, 96))):
            sink.write(Result("camera:0", timestamp=number / 25, size=(128, 96), image=picture))
        sink.close()
    sink.close()
    assert list(tmp_path.iterdir()) == []
    assert writing() == []
