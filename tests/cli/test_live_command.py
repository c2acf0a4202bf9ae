"""``facemood live`` as users run it, on videos and cameras that a server of this machine sends."""

from __future__ import annotations

import csv
import inspect
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.cli.live_command import live
from facemood.schema import Image
from facemood.sources import read_video
from tests.cli.conftest import Run
from tests.conftest import PHOTOS
from tests.videos import make_video
from tests.window.display import SIZE, shown_picture, virtual_display
from tests.window.serving import serve

COUNT = 5
FACE = slice(70, 180), slice(170, 270)
"""Rows and columns of the face in the image."""


def smiling_image() -> Image:
    """An image with one happy face, 420 x 300."""
    photo = cv2.imread(str(PHOTOS / "astronaut.png"))
    assert photo is not None
    return np.ascontiguousarray(photo[:300, :420], np.uint8)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a video of a happy face, and cameras that show it."""
    folder, images = tmp_path_factory.mktemp("videos"), [smiling_image()] * COUNT
    make_video(folder / "smile.mp4", images, fps=10)
    with serve(folder, images) as address:
        yield address


@pytest.fixture
def dummy_display(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows open on a display without a screen."""
    pytest.importorskip("pygame", reason="needs the extra live")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


def test_the_options_have_the_defaults_of_the_recognizer() -> None:
    """They are written twice, because the help must not load the pipeline."""
    command, library = (inspect.signature(part).parameters for part in (live, EmotionRecognizer.__init__))
    shared = [name for name in library if name in command]
    usual = ["model", "head", "detector", "min_face", "max_faces", "views", "prior"]
    assert shared == [*usual, "orientation", "threads", "precision", "valence"]
    assert command["orientation"].default == "0"  # the orientation of a live source is not found out
    shared.remove("orientation")
    assert {name: command[name].default for name in shared} == {name: library[name].default for name in shared}


def test_json_goes_to_stdout_one_line_per_frame(facemood: Run, server: str, tmp_path: Path) -> None:
    derived = ["--valence", "--expression", "beam = min(AU06, AU12)"]
    react = ["--on-change", "tee said.jsonl"]
    done = facemood("live", f"{server}/smile.mp4", "--no-window", "--json", "--threads", 1, *derived, *react)
    assert done.returncode == 0
    change = json.loads((tmp_path / "said.jsonl").read_text())
    assert (change["person"], change["before"], change["label"]) == (1, "", "happy")
    assert json.loads(done.stderr) == change  # what the command prints
    (tmp_path / "said.jsonl").unlink()
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert {result["source"] for result in results} == {f"{server}/smile.mp4"}
    assert [result["frame"] for result in results] == list(range(len(results)))
    assert {result["faces"][0]["emotion"] for result in results} == {"happy"}
    for measures in (result["faces"][0]["measures"] for result in results):
        assert list(measures) == ["valence", "arousal", "beam"]
        assert measures["valence"] > 0.5
    assert list(tmp_path.iterdir()) == []


def test_faces_are_printed_when_a_label_changes(facemood: Run, server: str) -> None:
    done = facemood("live", f"{server}/smile.mp4", "--no-window", "--threads", 1)
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert "0.0 s" in line
    assert "happy" in line


@pytest.mark.usefixtures("dummy_display")
def test_a_window_closes_with_its_source_and_records_without_boxes(facemood: Run, server: str, tmp_path: Path) -> None:
    done = facemood("live", f"{server}/smile.mp4", "--record", "rec", "--draw", "points", "--threads", 1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (video,), (table,) = (tmp_path / "rec").glob("*.mp4"), (tmp_path / "rec").glob("*.csv")
    frames = list(read_video(video))
    assert 0 < len(frames) <= COUNT
    np.testing.assert_allclose(frames[0].image.mean(axis=(0, 1)), smiling_image().mean(axis=(0, 1)), atol=4)
    with table.open(newline="") as file:
        assert [row["emotion"] for row in csv.DictReader(file)] == ["happy"] * len(frames)


def test_faces_are_hidden_in_recordings_on_request(facemood: Run, server: str, tmp_path: Path) -> None:
    options = ["--no-window", "-q", "--record", tmp_path, "--anonymize", "box", "--threads", 1]
    assert facemood("live", f"{server}/smile.mp4", *options).returncode == 0
    (video,) = tmp_path.glob("*.mp4")
    for frame in read_video(video):
        assert frame.image[FACE].std() < 0.5 * smiling_image()[FACE].std()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["camera:97", "--no-window"], 3, "camera:97: there is no such camera"),
        (["clip.mp4"], 3, "'clip.mp4' is no live source; expected camera:0, screen"),
        (["rtsp://anna:secret@127.0.0.1:9/1", "--no-window"], 3, "rtsp://127.0.0.1:9/1: "),
        (["camera:97", "--anonymize", "pixels"], 2, "expected blur or box"),
        (["camera:97", "--no-window", "--record", "/proc/no"], 3, "cannot be written"),
    ],
)
def test_a_source_that_cannot_start_says_why(facemood: Run, arguments: list[str], code: int, message: str) -> None:
    done = facemood("live", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_the_error_says_what_to_do(facemood: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pygame", reason="needs the extra live")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    done = facemood("live")
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no display to open a window on" in done.stderr
    assert "--no-window" in done.stderr


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start the command, to be interrupted."""
    command = [sys.executable, "-m", "facemood", "live", *map(str, arguments), "--threads", "1"]
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_request_to_end_is_clean_and_keeps_the_recording(server: str, tmp_path: Path, number: str, code: int) -> None:
    with start(f"{server}/endless", "--no-window", "--json", "--record", tmp_path) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.stdout.readline()
        process.send_signal(getattr(signal, number))
        _, messages = process.communicate(timeout=60)
    assert first["faces"][0]["emotion"] == "happy"
    assert process.returncode == code
    assert "stopped after" in messages
    assert "Traceback" not in messages
    (video,) = tmp_path.glob("*.mp4")
    assert len(list(read_video(video))) >= 2


@pytest.mark.usefixtures("dummy_display")
def test_ctrl_c_ends_a_window_too(server: str) -> None:
    with start(f"{server}/endless", "--json") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in messages


@pytest.mark.usefixtures("dummy_display")
def test_a_closed_pipe_prints_no_traceback(server: str) -> None:
    with start(f"{server}/endless", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        messages = process.stderr.read()
        process.wait(timeout=60)
    assert "Traceback" not in messages


@pytest.mark.slow
def test_a_lost_camera_is_reported_and_the_results_are_kept(facemood: Run, server: str, tmp_path: Path) -> None:
    done = facemood("live", f"{server}/camera", "--no-window", "--json", "--record", tmp_path, "--threads", 1)
    assert done.returncode == 1
    assert "lost; trying again in 0.5 s (1 of 3)" in done.stderr
    assert "it went away and did not come back after 3 tries" in done.stderr
    assert done.stdout.count("\n") >= 1
    (video,) = tmp_path.glob("*.mp4")
    assert len(list(read_video(video))) == done.stdout.count("\n")


@pytest.mark.display
def test_a_face_on_the_screen_is_analyzed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mss", reason="needs the extra live")
    image = smiling_image()
    with virtual_display() as display, shown_picture(display, image):
        monkeypatch.setenv("DISPLAY", display)
        left, top = (SIZE[0] - image.shape[1]) // 2, (SIZE[1] - image.shape[0]) // 2
        place = f"screen:{left},{top},{image.shape[1]},{image.shape[0]}"
        with start(place, "--no-window", "--json") as process:
            assert process.stdout is not None
            result = json.loads(process.stdout.readline())
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert (result["source"], result["size"]) == (place, [420, 300])
    assert [face["emotion"] for face in result["faces"]] == ["happy"]
