from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from facemood.results import Result
from facemood.sinks.video_file import VideoSink
from facemood.sources.video import probe_video, read_video
from tests.videos import RATE, make_video, numbered_images, sound_of

Samples = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def rewrite(source: Path, target: Path) -> Path:
    """Write a copy of a video without annotations."""
    sink = VideoSink(target, {})
    for frame in read_video(source):
        sink.write(Result(frame.source, frame.index, frame.timestamp, frame.size, image=frame.image))
    sink.close()
    return target


def samples_of(path: Path) -> Samples:
    """The sound of a video from its start, as one channel of samples -1..1."""
    with av.open(str(path)) as video:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts = [part for frame in video.decode(audio=0) for part in resampler.resample(frame)]
        first = Fraction(parts[0].pts or 0) * (parts[0].time_base or 0)
        silence = np.zeros(round((first - Fraction(video.start_time or 0, 1_000_000)) * RATE))
        return np.concatenate([silence, *(part.to_ndarray().ravel() for part in parts)])


def codec_of(path: Path) -> str:
    """The audio codec of a video."""
    with av.open(str(path)) as video:
        return video.streams.audio[0].codec_context.codec.canonical_name


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("source.mp4", "aac"),
        ("source.mp4", "libmp3lame"),
        ("source.mp4", "ac3"),
        ("source.mkv", "libopus"),
        ("source.mkv", "flac"),
        ("source.mov", "alac"),
    ],
)
def test_sound_is_copied_without_transcoding(tmp_path: Path, name: str, codec: str) -> None:
    source = make_video(tmp_path / name, numbered_images(25), audio_seconds=1, audio_codec=codec)
    target = rewrite(source, tmp_path / "target.mp4")
    assert sound_of(target) == sound_of(source)
    assert codec_of(target) == codec_of(source)
    with av.open(str(source)) as before, av.open(str(target)) as after:
        assert (after.duration or 0) / 1e6 == pytest.approx((before.duration or 0) / 1e6, abs=0.04)


@pytest.mark.parametrize(
    ("name", "codec"), [("source.mkv", "pcm_s16le"), ("source.avi", "pcm_s16le"), ("source.ts", "aac")]
)
def test_transcoded_sound_sounds_the_same(tmp_path: Path, name: str, codec: str) -> None:
    encoder = "mpeg4" if name.endswith("avi") else "libx264"
    source = make_video(tmp_path / name, numbered_images(25), codec=encoder, audio_seconds=1, audio_codec=codec)
    target = rewrite(source, tmp_path / "target.mp4")
    assert codec_of(target) == "aac"
    one, other = samples_of(source)[2000:40_000], samples_of(target)[2000:40_000]
    assert np.corrcoef(one, other)[0, 1] > 0.98  # which would be lost by a shift of less than a millisecond


def test_frames_that_begin_after_the_sound_stay_in_sync(tmp_path: Path) -> None:
    times = [0.5 + number / 25 for number in range(25)]
    source = make_video(
        tmp_path / "source.mp4", numbered_images(25), timestamps=times, reorder=False, audio_seconds=1.5
    )
    target = rewrite(source, tmp_path / "target.mp4")
    assert probe_video(target).start == pytest.approx(0.5)
    assert sound_of(target) == sound_of(source)


def test_sound_after_the_last_frame_is_kept(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", numbered_images(25), audio_seconds=2)
    target = rewrite(source, tmp_path / "target.mp4")
    assert sound_of(target) == sound_of(source)
    assert probe_video(target).duration == 1.0


def test_a_truncated_source_is_written_up_to_its_end(tmp_path: Path) -> None:
    source = make_video(tmp_path / "source.mp4", numbered_images(50, (128, 96)), audio_seconds=2, index_first=True)
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    target = rewrite(source, tmp_path / "target.mp4")
    read = len(list(read_video(target)))
    assert 10 < read < 45
    assert probe_video(target).duration == pytest.approx(read / 25)
    sound = sound_of(target)
    assert sound == sound_of(source)[: len(sound)]
