"""Videos through the whole pipeline: a generated video of a real face, analyzed by the real networks."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from facemood import Analysis, EmotionRecognizer, Face, Frame, SourceError, VideoError, frame_batches
from facemood.frame_batches import batched
from facemood.participants import Participants, Segment
from facemood.schema import Image
from facemood.sources import load_image, read_video
from facemood.stream import count_frames
from facemood.table import columns_for
from facemood.timeline import find_episodes, find_unit_events
from facemood.tracking import VideoOptions
from tests.videos import make_video, numbered_images

FPS = 12.5


def names(labels: tuple[str, ...], variants: tuple[str, ...]) -> list[str]:
    return [column.name for column in columns_for(labels, variants)]


def swaying(image: Image, count: int) -> list[Image]:
    """Frames in which an image moves left and right."""
    frames = []
    for index in range(count):
        shift = np.array([[1, 0, 6 * np.sin(index / 3)], [0, 1, 0]], np.float32)
        moved = cv2.warpAffine(image, shift, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        frames.append(np.asarray(moved, np.uint8))
    return frames


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory, astronaut: Path) -> Path:
    """Half a second without a face, then two seconds of one face."""
    image = np.asarray(cv2.resize(load_image(astronaut), (320, 320), interpolation=cv2.INTER_AREA), np.uint8)
    nobody = [np.full_like(image, 128)] * 6
    path = tmp_path_factory.mktemp("videos") / "face.mp4"
    make_video(path, [*nobody, *swaying(image, 25)], fps=FPS)
    return path


@pytest.fixture(scope="module")
def analysis(recognizer: EmotionRecognizer, video: Path) -> Analysis:
    return recognizer.analyze(video)


def test_each_frame_has_its_number_and_time(analysis: Analysis) -> None:
    assert [result.index for result in analysis] == list(range(31))
    assert [round((result.timestamp or 0) * FPS) for result in analysis] == list(range(31))


def test_a_person_keeps_the_track_id_and_frames_without_a_face_have_rows(analysis: Analysis) -> None:
    assert [len(result) for result in analysis.results[:6]] == [0] * 6
    assert {face.track_id for result in analysis.results[7:] for face in result} == {1}
    assert all(len(result) == 1 for result in analysis.results[7:])
    rows = list(analysis.rows())
    assert len(rows) == 31
    assert rows[0]["emotion"] == ""
    assert list(rows[0]) == list(rows[-1]) == names(analysis.labels, ("raw",))


def test_raw_probabilities_are_kept_next_to_smoothed_ones(
    analysis: Analysis, recognizer: EmotionRecognizer, video: Path
) -> None:
    faces = [face for result in analysis.results[10:] for face in result]
    raw = np.stack([face.raw_probabilities for face in faces if face.raw_probabilities is not None])
    smooth = np.stack([face.probabilities for face in faces])
    np.testing.assert_allclose(smooth.sum(axis=1), 1, atol=1e-4)
    assert np.abs(np.diff(smooth, axis=0)).sum() < np.abs(np.diff(raw, axis=0)).sum()
    plain = [face for result in recognizer.stream(video, smooth=0) for face in result][-len(faces) :]
    np.testing.assert_allclose([face.probabilities for face in plain], raw, atol=1e-5)


def test_results_do_not_depend_on_the_batch_size(
    analysis: Analysis, recognizer: EmotionRecognizer, video: Path
) -> None:
    one_by_one = recognizer.analyze(video, batch=1)
    for one, other in zip(analysis, one_by_one, strict=True):
        assert [face.track_id for face in one] == [face.track_id for face in other]
        for first, second in zip(one, other, strict=True):
            np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-4)


def test_without_a_baseline_period_a_lasting_smile_keeps_its_intensity(analysis: Analysis) -> None:
    faces = [face for result in analysis.results[7:] for face in result]
    smiles = [face.action_units["AU12"] for face in faces if "AU12" in face.action_units]
    assert len(smiles) > 20
    assert min(smiles) > 0.8
    (track,) = analysis.tracks()
    assert any(event.unit == "AU12" and event.seconds > 1 for event in find_unit_events(track))


def test_every_takes_frames_or_seconds(recognizer: EmotionRecognizer, video: Path) -> None:
    assert [result.index for result in recognizer.stream(video, every=10)] == [0, 10, 20, 30]
    assert [result.index for result in recognizer.stream(video, every=0.8)] == [0, 10, 20, 30]
    tenth = VideoOptions(every=10)
    assert count_frames([str(video)], tenth) == count_frames([str(video)], VideoOptions(every=0.8)) == 4
    assert count_frames([str(video), "face.png"], VideoOptions()) == 32
    assert count_frames([str(video), "face.png"], VideoOptions(people="auto")) == 63
    assert count_frames(["camera:0"], VideoOptions()) is None


def test_a_video_of_unknown_length_has_no_total(video: Path, tmp_path: Path) -> None:
    bare = make_video(tmp_path / "bare.h264", [np.full((48, 64, 3), 128, np.uint8)] * 5, fps=FPS)
    bare = bare.rename(tmp_path / "bare.mp4")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    assert count_frames([str(bare), str(video)], VideoOptions()) is None
    assert count_frames([str(broken), str(video)], VideoOptions(every=10)) == 5


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, astronaut: Path) -> Path:
    """One face that sways, each picture three times, and stands still for 2.4 seconds: 75 frames, 25 a second."""
    image = np.asarray(cv2.resize(load_image(astronaut), (320, 320), interpolation=cv2.INTER_AREA), np.uint8)
    moving = [frame for frame in swaying(image, 5) for _ in range(3)]
    path = tmp_path_factory.mktemp("still") / "still.mp4"
    return make_video(path, [*moving, *[moving[-1]] * 60], fps=25)


@pytest.fixture(scope="module")
def thrifty(recognizer: EmotionRecognizer, still: Path) -> Analysis:
    return recognizer.analyze(still, every="auto")


def test_frames_that_look_like_the_last_one_repeat_its_faces(thrifty: Analysis) -> None:
    assert [result.index for result in thrifty] == list(range(75))
    taken = [result.index for result in thrifty if not result.repeated]
    assert taken[:5] == [0, 3, 6, 9, 12]
    assert all(later - before <= 13 for before, later in itertools.pairwise(taken))  # half a second
    assert len(taken) <= 5 + 6
    for before, result in itertools.pairwise(thrifty):
        (one,), (other,) = before.faces, result.faces
        assert one.track_id == other.track_id == 1
        if result.repeated:
            np.testing.assert_array_equal(one.box, other.box)
            np.testing.assert_array_equal(one.raw_probabilities, other.raw_probabilities)
            assert result.speed["landmarks"] == result.speed["align"] == result.speed["classify"] == 0


def test_what_auto_says_is_what_reading_each_frame_says(
    thrifty: Analysis, recognizer: EmotionRecognizer, still: Path
) -> None:
    whole = recognizer.analyze(still)
    (one,), (other,) = whole.tracks(), thrifty.tracks()
    assert other.seconds == pytest.approx(one.seconds)
    for label, share in one.shares.items():
        assert other.shares[label] == pytest.approx(share, abs=0.03)
    pairs = list(zip(find_episodes(one), find_episodes(other), strict=True))
    assert pairs
    for episode, again in pairs:
        assert again.label == episode.label
        assert again.start == pytest.approx(episode.start, abs=0.1)
        assert again.end == pytest.approx(episode.end, abs=0.1)


def test_repeated_frames_do_not_depend_on_the_batch_size(
    thrifty: Analysis, recognizer: EmotionRecognizer, still: Path
) -> None:
    for one, other in zip(thrifty, recognizer.stream(still, every="auto", batch=1), strict=True):
        assert (one.repeated, one.index) == (other.repeated, other.index)
        for first, second in zip(one, other, strict=True):
            np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-4)


def test_tables_mark_repeated_frames_and_photos_are_none(
    thrifty: Analysis, recognizer: EmotionRecognizer, still: Path, astronaut: Path
) -> None:
    marks = [row["repeated"] for row in thrifty.rows()]
    assert marks == [int(result.repeated) for result in thrifty]
    assert thrifty.info["every"] == "auto"
    assert [result.to_dict()["repeated"] for result in thrifty] == [bool(mark) for mark in marks]
    rows = list(recognizer.analyze([astronaut, still], every="auto").rows())
    assert [rows[0]["repeated"], rows[1]["repeated"], rows[2]["repeated"]] == ["", 0, 1]
    assert "repeated" not in next(iter(recognizer.stream(still))).to_dict()


def test_baselines_and_turned_videos_are_read_with_auto(
    recognizer: EmotionRecognizer, still: Path, tmp_path: Path
) -> None:
    compared = recognizer.analyze(still, every="auto", baseline=(0, 1))
    assert all(face.change is not None for result in compared for face in result)
    assert next(iter(compared)).variants == ("raw", "change", "repeated")
    lying = [np.rot90(frame.image) for frame in read_video(still, every=1, end=1.0)]
    turned = recognizer.analyze(make_video(tmp_path / "lying.mp4", lying, fps=25), every="auto")
    assert {result.orientation for result in turned} == {90}
    assert sum(result.repeated for result in turned) >= 15
    assert {len(result) for result in turned} == {1}


def test_changes_are_relative_to_the_neutral_baseline(recognizer: EmotionRecognizer, video: Path) -> None:
    compared = recognizer.analyze(video, baseline=(0.5, 2.5))
    faces = [face for result in compared.results[7:] for face in result]
    changes = np.stack([face.change for face in faces if face.change is not None])
    assert len(changes) == len(faces)
    assert np.abs(changes.mean(axis=0)).max() < 1.0  # the same face all the time: it changes little
    assert list(next(iter(compared.rows()))) == names(compared.labels, ("raw", "change"))
    assert compared.info["baseline"] == [0.5, 2.5]
    smiles = [face.action_units["AU12"] for face in faces if "AU12" in face.action_units]
    assert len(smiles) > 20
    assert np.median(smiles) < 0.4  # this person smiles during the baseline, so the smile is no change


def test_a_baseline_period_without_a_face_is_a_warning_and_gives_no_change(
    recognizer: EmotionRecognizer, video: Path, caplog: pytest.LogCaptureFixture
) -> None:
    results = list(recognizer.stream(video, baseline=(0, 0.3)))
    assert all(face.change is None for result in results for face in result)
    assert "no face was tracked from 0 to 0.3 s" in caplog.text


def test_a_segment_of_the_plan_in_which_no_frame_lies_is_told(
    recognizer: EmotionRecognizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video = make_video(tmp_path / "talk.mp4", numbered_images(30), fps=10)
    lines = [Segment("talk.mp4", "p01", start=start, end=start + 1, line=2 + start) for start in (0, 2, 4)]
    recognizer.analyze(str(video), every=5, participants=Participants(tuple(lines), name="plan.csv"))
    (message,) = [text for text in caplog.messages if "no frame" in text]
    assert "line 6 of the plan, which begins at 0:04" in message
    assert "the last one is at 0:02.50" in message


def test_photos_and_videos_share_one_table(
    recognizer: EmotionRecognizer, video: Path, astronaut: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    done: list[tuple[int, int | None]] = []
    mixed = recognizer.analyze(
        [astronaut, tmp_path / "broken.mp4", video, astronaut], every=10, progress=lambda *step: done.append(step)
    )
    assert [Path(result.source).name for result in mixed] == ["astronaut.png", *["face.mp4"] * 4, "astronaut.png"]
    assert [result.timestamp is None for result in mixed] == [True, *[False] * 4, True]
    assert [failure.source for failure in mixed.failures] == [str(tmp_path / "broken.mp4")]
    assert done[0] == (0, 7)
    assert done[-1][0] == 6
    with mixed.to_csv(tmp_path / "t.csv").open(newline="") as file:
        assert {len(row) for row in csv.reader(file)} == {len(columns_for(mixed.labels, ("raw",)))}


def test_a_broken_video_alone_is_an_error(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(VideoError, match=r"broken\.mp4"):
        list(recognizer.stream(tmp_path / "broken.mp4"))


def test_analyze_refuses_live_sources(recognizer: EmotionRecognizer) -> None:
    with pytest.raises(SourceError, match="camera:0 is live and has no end"):
        recognizer.analyze("camera:0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "every must be a number of frames or seconds above 0"),
        ({"smooth": -1.0}, "smooth must be a number of seconds, 0 or more"),
        ({"baseline": (5, 5)}, "baseline must start at 0 seconds or later and end after its start"),
    ],
)
def test_options_out_of_range_are_errors(
    recognizer: EmotionRecognizer, video: Path, options: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        recognizer.analyze(video, **options)  # type: ignore[arg-type]


def test_people_have_timelines(analysis: Analysis) -> None:
    (track,) = analysis.tracks()
    assert track.track_id == 1
    assert track.seconds == pytest.approx(25 / FPS, abs=1.5 / FPS)
    assert analysis.plot_timeline().axes[0].get_title(loc="left").endswith("person 1")


class Stumbling:
    """A detector that fails on images of a width, and finds no face in others."""

    name = "stumbling"

    def __init__(self, width: int, error: BaseException) -> None:
        self.width, self.error = width, error

    def __call__(self, image: Image) -> list[Face]:
        """Fail, or find nothing."""
        if image.shape[1] == self.width:
            raise self.error
        return []


def grey(width: int) -> Image:
    return np.full((32, width, 3), 128, np.uint8)


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), cv2.error("assertion failed"), ValueError("no"), KeyError("x")]
)
@pytest.mark.parametrize("batch", [1, 3, 8])
def test_whatever_goes_wrong_in_a_batch_costs_its_own_input_alone(error: Exception, batch: int) -> None:
    recognizer = EmotionRecognizer(detector=Stumbling(50, error), threads=1)
    analysis = recognizer.analyze([grey(40), grey(50), grey(60), grey(50), grey(70)], batch=batch)
    assert [result.size[0] for result in analysis] == [40, 60, 70]
    assert [failure.source for failure in analysis.failures] == ["array", "array"]
    with pytest.raises(SourceError, match="array: cannot be read"):
        list(recognizer.stream([grey(40), grey(50)]))


def test_a_video_that_fails_midway_keeps_what_was_read_and_the_rest_goes_on(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", [np.full((48, 64, 3), 128, np.uint8)] * 4)
    recognizer = EmotionRecognizer(detector=Stumbling(64, MemoryError()), threads=1)
    analysis = recognizer.analyze([grey(40), video, grey(60)])
    assert [result.size[0] for result in analysis] == [40, 60]
    assert [failure.message for failure in analysis.failures] == [
        f"{video}: cannot be read (it needs more memory than there is)"
    ]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_the_end_of_the_program_is_no_failure(error: BaseException) -> None:
    recognizer = EmotionRecognizer(detector=Stumbling(50, error), threads=1)
    with pytest.raises(type(error)):
        recognizer.analyze([grey(40), grey(50), grey(60)])


def test_damaged_inputs_of_every_kind_are_failures_and_the_rest_is_read(
    recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path
) -> None:
    closed = Pillow.open(astronaut)
    closed.close()
    (tmp_path / "cut.webp").write_bytes(b"RIFF\x10\0\0\0WEBPVP8X")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "empty.gif").touch()
    (tmp_path / "empty").touch()
    bad = [
        "~nobody/x.png", "a\0b.png", "x" * 5000, "", "data:image/png;base64,!", tmp_path / "cut.webp", None, 1.5,
        closed,
        tmp_path / "folder.jpg", tmp_path / "empty.gif", tmp_path / "empty", Pillow.new("RGB", (0, 5)), b"", b"text",
        np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8), io.BytesIO(b"..."), io.StringIO("..."), "http://host/a.jpg\0",
        [["nested", "lists.png"]],
    ]  # fmt: skip
    inputs = [item for one in bad for item in (one, astronaut)]
    analysis = recognizer.analyze(iter(inputs))  # type: ignore[arg-type]
    assert [len(result) for result in analysis] == [1] * len(bad)
    assert len(analysis.failures) == len(bad) + 1
    assert all(failure.message for failure in analysis.failures)
    json.loads(analysis.to_json(tmp_path / "a.json"))


def test_an_error_of_the_caller_is_the_callers(recognizer: EmotionRecognizer, video: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        if done:
            raise RuntimeError("stop")

    for source in ([grey(40)], video):
        with pytest.raises(RuntimeError, match="stop"):
            recognizer.analyze(source, progress=stop)

    def broken() -> Iterator[Image]:
        yield grey(40)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        recognizer.analyze(broken())


def test_an_animation_is_a_short_video_with_tracks(
    recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path
) -> None:
    with Pillow.open(astronaut) as picture:
        face = picture.convert("RGB").resize((256, 256))
    path = tmp_path / "moving.webp"
    face.save(
        path, save_all=True, append_images=[face.rotate(angle) for angle in (2, 4, 6)], duration=[100, 300, 100, 100]
    )
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        analysis = recognizer.analyze([source, astronaut])
        assert [result.timestamp for result in analysis] == [0.0, 0.1, 0.4, 0.5, None]
        assert {face.track_id for result in analysis.results[:4] for face in result} == {1}
        assert "raw_happy" in analysis.to_dataframe().columns
    assert len(analysis.tracks()) == 1
    rested = recognizer.analyze(path, baseline=(0, 0.4), every=2)
    assert [result.index for result in rested] == [0, 2]
    assert all(face.change is not None for result in rested for face in result)


def test_pages_are_photos_with_their_numbers(recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path) -> None:
    with Pillow.open(astronaut) as picture:
        face = picture.convert("RGB").resize((256, 256))
    path = tmp_path / "scan.tif"
    face.save(path, save_all=True, append_images=[Pillow.new("RGB", (64, 64)), face])
    done: list[int] = []
    analysis = recognizer.analyze([path, astronaut], batch=2, progress=lambda count, total: done.append(count))
    assert [(result.index, result.timestamp, len(result)) for result in analysis] == [
        (0, None, 1), (1, None, 0), (2, None, 1), (0, None, 1),
    ]  # fmt: skip
    assert {face.track_id for result in analysis for face in result} == {None}
    assert done[-1] == 2


def test_what_folders_leave_out_stands_in_the_settings(
    recognizer: EmotionRecognizer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Pillow.new("RGB", (32, 32)).save(tmp_path / "a.png")
    for name in ("a.txt", "b.txt", "c.raw"):
        (tmp_path / name).touch()
    analysis = recognizer.analyze(tmp_path)
    assert analysis.info["left_out"] == {".txt": 2, ".raw": 1}
    assert "3 files left out: 2 .txt, 1 .raw" in caplog.text
    assert "left_out" not in recognizer.analyze(tmp_path / "a.png").info


@pytest.mark.parametrize("batch", [0, -1, 1.5, "8", True, None])
def test_a_batch_that_is_no_number_is_refused_at_once(recognizer: EmotionRecognizer, batch: int) -> None:
    for read in (recognizer.analyze, recognizer.stream):
        with pytest.raises(ValueError, match="batch must be a whole number of frames from 1 on, but is"):
            read([], batch=batch)
    assert len(recognizer.analyze([grey(40)], batch=np.int64(2))) == 1  # type: ignore[arg-type]


def test_large_images_are_not_held_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_batches, "BATCH_PIXELS", 5000)
    frames = [Frame(grey(width)) for width in (40, 40, 160, 40, 200, 40)]
    assert [[frame.size[0] for frame in part] for part in batched(frames, 3)] == [[40, 40, 160], [40, 200], [40]]


@pytest.fixture
def archive() -> Iterator[Path]:
    """A folder with what may not be read, and the rights of a user for whom that is so."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs the rights of POSIX")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for photo in ("a.png", "locked.png", "sec/c.png", "z.png"):
            (folder / photo).parent.mkdir(exist_ok=True)
            Pillow.new("RGB", (32, 32)).save(folder / photo)
        (folder / "locked.png").chmod(0)
        (folder / "sec").chmod(0)
        if os.getuid() == 0:
            os.seteuid(65534)
        yield folder
        if os.getuid() == 0:
            os.seteuid(0)
        (folder / "sec").chmod(0o755)


def test_what_may_not_be_read_is_a_failure_and_the_rest_is_read(recognizer: EmotionRecognizer, archive: Path) -> None:
    analysis = recognizer.analyze([archive, archive / "sec/c.png", f"{archive}/sec/*.png", archive / "a.png"])
    assert [Path(result.source).name for result in analysis] == ["a.png", "z.png", "a.png"]
    assert {failure.source for failure in analysis.failures} == {
        f"{archive}/sec", f"{archive}/sec/c.png", f"{archive}/sec/*.png", f"{archive}/locked.png",
    }  # fmt: skip
    assert all("Permission denied" in failure.message or "no image" in failure.message for failure in analysis.failures)


def test_large_photos_are_reduced_where_no_face_that_counts_is_lost(astronaut: Path, tmp_path: Path) -> None:
    image = cv2.resize(load_image(astronaut), (2304, 2304), interpolation=cv2.INTER_CUBIC)
    for name in ("a.jpg", "c.jpg"):
        cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:90_000])  # cut short
    cv2.imwrite(str(tmp_path / "d.jpg"), image[::8, ::8])
    reader, failed = EmotionRecognizer(threads=1, min_face=96), []
    found = {
        keep: list(reader.stream(tmp_path, keep_images=keep, on_error=lambda name, error: failed.append(name)))
        for keep in (False, True)
    }
    assert failed == [str(tmp_path / "b.jpg")] * 2
    for reduced, whole in zip(found[False], found[True], strict=True):
        assert (reduced.source, reduced.size) == (whole.source, whole.size)
        assert whole.image is not None
        assert whole.image.shape[1::-1] == whole.size  # drawn at full size
        assert [face.emotion for face in reduced] == [face.emotion for face in whole]
        for face, other in zip(reduced, whole, strict=True):
            np.testing.assert_allclose(face.box, other.box, atol=0.02 * other.size[0])
    assert [len(result.faces) for result in found[False]] == [1, 1, 0]  # the face in the last one is too small
