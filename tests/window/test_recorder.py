import csv
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import OutputError
from facemood.labels import EXPRESSIONS
from facemood.sources import read_video
from facemood.window import Recorder
from tests.videos import number_of, numbered_image
from tests.window.windows import SIZE, numbered_result

INFO = {"labels": list(EXPRESSIONS)}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


def test_nothing_is_written_without_a_request(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "recordings", INFO)
    for number in range(3):
        recorder.add(numbered_result(number))
    assert recorder.stop() is None
    assert names(tmp_path) == []


def test_a_recording_is_a_video_without_boxes_and_a_table_with_its_timestamps(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "recordings", INFO)
    recorder.add(numbered_result(0))
    video = recorder.start()
    for number in range(5, 11):
        recorder.add(numbered_result(number, faces=number % 2))
    assert recorder.recording
    assert recorder.seconds == pytest.approx(0.2)
    assert recorder.stop() == video
    recorder.add(numbered_result(12))
    assert names(tmp_path / "recordings") == [f"{video.stem}{ending}" for ending in (".csv", ".csv.json", ".mp4")]
    frames = list(read_video(video))
    assert [number_of(frame.image) for frame in frames] == [5, 6, 7, 8, 9, 10]
    assert frames[0].size == SIZE
    np.testing.assert_allclose(frames[0].image, numbered_image(5, SIZE), atol=30)  # no box, no label
    with video.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == [frame.index for frame in frames]
    assert [float(row["timestamp"]) for row in rows] == [frame.timestamp for frame in frames]
    assert [row["emotion"] for row in rows] == ["happy", "", "happy", "", "happy", ""]


def test_the_table_has_the_variants_of_its_results(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, INFO)
    video = recorder.start()
    recorder.add(dataclasses.replace(numbered_result(0), variants=("raw",)))
    recorder.stop()
    with video.with_suffix(".csv").open(newline="") as file:
        header = next(csv.reader(file))
    assert "raw_happy" in header
    beside = json.loads(video.with_suffix(".csv.json").read_text())
    assert [column["name"] for column in beside["codebook"]] == header
    assert beside["settings"] == {**INFO, "variants": ["raw"]}


def test_two_recordings_in_the_same_second_have_different_names(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, INFO)
    videos = []
    for _ in range(2):
        videos.append(recorder.start())
        recorder.add(numbered_result(0))
        recorder.add(numbered_result(1))
    recorder.stop()
    assert len(set(videos)) == 2
    assert all(video.exists() and video.with_suffix(".csv").exists() for video in videos)


def test_a_recording_without_a_frame_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, INFO)
    recorder.start()
    assert recorder.stop() is None
    assert names(tmp_path) == []


def test_a_snapshot_is_the_annotated_image(tmp_path: Path) -> None:
    result = numbered_result(3)
    paths = [Recorder(tmp_path, INFO).snapshot(result) for _ in range(2)]
    assert names(tmp_path) == sorted(path.name for path in paths)
    picture = cv2.imread(str(paths[0]))
    assert picture is not None
    np.testing.assert_array_equal(picture, result.draw())


def test_an_unwritable_folder_is_an_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recorder = Recorder(tmp_path / "file", INFO)
    with pytest.raises(OutputError, match="cannot be written"):
        recorder.start()
    assert not recorder.recording
    with pytest.raises(OutputError, match="cannot be written"):
        recorder.snapshot(numbered_result(0))


def test_an_error_ends_a_recording_and_keeps_its_frames(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, INFO)
    video = recorder.start()
    recorder.add(numbered_result(0))
    recorder.add(numbered_result(1))
    recorder.add(dataclasses.replace(numbered_result(2), image=None))
    assert (recorder.recording, "needs the images" in recorder.error) == (False, True)
    recorder.add(numbered_result(3))
    assert [number_of(frame.image) for frame in read_video(video)] == [0, 1]
    recorder.start()
    assert recorder.error == ""
    recorder.stop()
