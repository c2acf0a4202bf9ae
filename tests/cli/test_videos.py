"""``facemood analyze`` on videos, as a user runs it."""

import csv
import io
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facemood.schema import Image
from facemood.sources import load_image, probe_video, read_video
from tests.cli.conftest import Run, wait_for_rows
from tests.videos import make_video


def small(photo: Path) -> Image:
    """A photo at 240 x 240."""
    return np.asarray(cv2.resize(load_image(photo), (240, 240), interpolation=cv2.INTER_AREA), np.uint8)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory, astronaut: Path) -> Path:
    """A folder with two videos of a face with sound, and one that is broken."""
    folder = tmp_path_factory.mktemp("videos")
    image = small(astronaut)
    for name, count in (("a", 20), ("b", 10)):
        make_video(folder / f"{name}.mp4", [image] * count, fps=10, audio_seconds=count / 10)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def test_one_pass_writes_table_video_report_and_episodes(facemood: Run, videos: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs the extra data")
    names = ["a.csv", "a.parquet", "drawn.mp4", "a.html", "a.episodes.csv"]
    outputs = [part for name in names for part in ("-o", name)]
    done = facemood("analyze", videos / "a.mp4", *outputs)
    assert done.returncode == 0, done.stderr
    assert "20 frames, 20 faces, 1 person" in done.stderr
    assert "happy" in done.stderr
    books = ["a.csv.json", "a.parquet.json", "a.episodes.csv.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, *books])
    rows = rows_of(tmp_path / "a.csv")
    assert [float(row["timestamp"]) for row in rows] == pytest.approx([index / 10 for index in range(20)])
    assert {row["track_id"] for row in rows} == {"1"}
    assert {row["display_label"] for row in rows} == {"happy"}
    with av.open(str(videos / "a.mp4")) as source, av.open(str(tmp_path / "drawn.mp4")) as drawn:
        assert [stream.type for stream in drawn.streams] == ["video", "audio"]
        assert float(drawn.duration or 0) == pytest.approx(float(source.duration or 0), rel=0.05)
    assert "<title>" in (tmp_path / "a.html").read_text()
    (episode,) = rows_of(tmp_path / "a.episodes.csv")
    assert (episode["annotation"], episode["begin"], episode["end"]) == ("happy", "0.000", "2.000")


def test_json_is_a_line_a_frame_and_every_thins_them(facemood: Run, videos: Path) -> None:
    done = facemood("analyze", videos / "b.mp4", "--every", "0.5s", "--json", "--smooth", "0", "--baseline", "0-1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["frame"] for line in lines] == [0, 5]
    face = lines[1]["faces"][0]
    assert face["track_id"] == 1
    assert face["raw_emotions"] == face["emotions"]
    assert set(face["change"]) == set(face["emotions"])


def test_a_folder_gives_each_video_its_own_files_and_goes_on(facemood: Run, videos: Path, tmp_path: Path) -> None:
    arguments = ("analyze", videos, "-o", "tables/{name}.csv", "--resume")
    done = facemood(*arguments)
    assert done.returncode == 1
    assert "broken.mp4" in done.stderr
    assert "0 of 3 inputs are done already" in done.stderr
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == ["a.csv", "b.csv", "facemood.json"]
    (tmp_path / "tables" / "b.csv").unlink()
    again = facemood(*arguments)
    assert "1 of 3 inputs are done already" in again.stderr
    assert "10 frames" in again.stderr
    assert (tmp_path / "tables" / "b.csv").exists()


def test_a_photo_that_is_left_fits_the_table_of_videos(
    facemood: Run, videos: Path, tmp_path: Path, astronaut: Path
) -> None:
    arguments = ("analyze", videos / "b.mp4", astronaut, "-o", "t.csv", "-o", "t.parquet", "-q", "--every", "0.5s")
    assert facemood(*arguments).returncode == 0
    tables = {name: (tmp_path / name).read_bytes() for name in ("t.csv", "t.parquet")}
    for name in tables:
        book = tmp_path / f"{name}.json"
        book.write_text(re.sub('(astronaut.*"state": )"done"', r'\1"unfinished"', book.read_text()))
    done = facemood(*arguments, "--resume")
    assert (done.returncode, done.stderr) == (0, "facemood: 1 of 2 inputs are done already\n")
    assert (tmp_path / "t.csv").read_bytes() == tables["t.csv"]
    pandas = pytest.importorskip("pandas", reason="needs the extra data")
    assert pandas.read_parquet(tmp_path / "t.parquet").equals(pandas.read_parquet(io.BytesIO(tables["t.parquet"])))


def test_auto_marks_repeated_frames_and_is_resumed(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_video(tmp_path / f"{name}.mp4", [small(astronaut)] * 20, fps=25)
    first = facemood("analyze", "a.mp4", "-o", "t.csv", "-q", "--every", "auto")
    assert (first.returncode, first.stderr) == (0, "")
    more = facemood("analyze", "a.mp4", "b.mp4", "-o", "t.csv", "-o", "drawn/{name}.mp4", "--every", "auto", "--resume")
    assert more.returncode == 0
    rows = rows_of(tmp_path / "t.csv")
    assert [row["source"] for row in rows] == ["a.mp4"] * 20 + ["b.mp4"] * 20
    for part in (rows[:20], rows[20:]):
        assert [row["repeated"] for row in part] == ["0", *["1"] * 12, "0", *["1"] * 6]
        assert {row["track_id"] for row in part} == {"1"}
    assert [frame.index for frame in read_video(tmp_path / "drawn" / "b.mp4")] == list(range(20))
    again = facemood("analyze", "a.mp4", "-o", "t.csv", "--resume")
    assert "every" in again.stderr  # the settings are others, so it is read again


def test_resume_needs_what_can_be_gone_on_with(facemood: Run, videos: Path, tmp_path: Path) -> None:
    done = facemood("analyze", videos, "-o", "all.html", "--resume")
    assert done.returncode == 2
    assert "{name}" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_an_interrupted_video_is_kept_under_a_name_that_says_so(videos: Path, tmp_path: Path, astronaut: Path) -> None:
    image = small(astronaut)
    make_video(tmp_path / "long.mp4", [image] * 1500, fps=25)
    outputs = ("-o", "{name}.csv", "-o", "drawn-{name}.mp4")
    command = [sys.executable, "-m", "facemood", "analyze", "long.mp4", *outputs, "--batch", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        wait_for_rows(tmp_path / "long.csv", 5000)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted after" in words
    rows = rows_of(tmp_path / "long.unfinished.csv")
    assert 0 < len(rows) < 1500
    assert not (tmp_path / "long.csv").exists()
    assert len(list(read_video(tmp_path / "drawn-long.unfinished.mp4"))) == len(rows)


def test_hidden_faces_are_hidden_in_what_is_written(facemood: Run, videos: Path, tmp_path: Path) -> None:
    done = facemood("analyze", videos / "b.mp4", "-o", "drawn.mp4", "--anonymize", "box", "-q")
    assert done.returncode == 0, done.stderr
    assert probe_video(tmp_path / "drawn.mp4").frames == 10
    with av.open(str(tmp_path / "drawn.mp4")) as drawn:
        image = next(drawn.decode(video=0)).to_ndarray(format="bgr24")
    assert (image < 20).all(axis=2).mean() > 0.03
