"""``--model ferc`` from the command line, on photos and videos, and what is drawn of it."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from facemood.models import find_model
from facemood.sources import load_image
from tests.cli.conftest import Run
from tests.videos import make_video


def test_a_photo_is_read_drawn_and_told(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    done = facemood(
        "analyze", astronaut, "--model", "ferc", "--json", "-o", "t.csv", "-o", "a.png", "--draw", "mask,vector"
    )
    assert (done.returncode, done.stderr) == (0, "")
    (face,) = json.loads(done.stdout)["faces"]
    assert face["emotion"] == "happy"
    assert list(face["emotions"]) == ["angry", "happy", "sad", "surprise", "neutral"]
    assert len(face["vector"]) == 24
    with (tmp_path / "t.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["emotion"], row["disgust"]) == ("happy", "")
    assert (load_image(tmp_path / "a.png") != load_image(astronaut)).any(axis=2).mean() > 0.02


def test_a_face_that_is_not_read_has_empty_cells(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    image = load_image(astronaut)
    cv2.imwrite(str(tmp_path / "half.png"), image[:, 222:])
    done = facemood("analyze", "half.png", "--model", "ferc", "-o", "half.csv", "-o", "half.html")
    assert done.returncode == 0
    with (tmp_path / "half.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["face"] == "0"
    assert {row[name] for name in ("emotion", "confidence", "happy", "neutral")} == {""}
    assert "no prediction" in done.stderr


def test_a_video_is_read(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    image = np.asarray(cv2.resize(load_image(astronaut), (256, 256)), np.uint8)
    make_video(tmp_path / "clip.mp4", [image] * 4, fps=5)
    outputs = ["-o", "clip.csv", "-o", "drawn.mp4", "-o", "clip.html", "--draw", "vector"]
    done = facemood("analyze", "clip.mp4", "--model", "ferc", "--head", "fer2013", *outputs)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "clip.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["display_label"] for row in rows} == {"happy"}
    assert (tmp_path / "drawn.mp4").stat().st_size > 1000


def test_parts_are_drawn_with_other_models_too(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    for name, layers in (("plain.png", []), ("drawn.png", ["--draw", "mask"])):
        done = facemood("analyze", astronaut, "-q", "--model", "nano", "-o", name, *layers)
        assert done.returncode == 0, done.stderr
    assert (load_image(tmp_path / "plain.png") != load_image(tmp_path / "drawn.png")).any(axis=2).mean() > 0.05


def test_a_copy_under_any_name_is_read_by_its_card(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    shutil.copy(find_model("ferc"), tmp_path / "nano.onnx")
    done = facemood("analyze", astronaut, "--model", "nano.onnx", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["faces"][0]["vector"]) == 24
    refused = [("explain", astronaut, "--model", "nano.onnx"), ("analyze", astronaut, "--model", "nano.onnx", "-o",
               "map.png", "--draw", "map")]  # fmt: skip
    for command in refused:
        done = facemood(*command)
        assert done.returncode == 3
        assert "takes 24 distances, not pixels" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["nano.onnx"]
    done = facemood("learn", "show", astronaut, "--model", "nano.onnx")
    assert done.returncode == 3
    assert "nano.onnx: is not a facemood network of the kind se-resnet" in done.stderr


def test_unsupported_commands_are_reported(facemood: Run, astronaut: Path) -> None:
    done = facemood("explain", astronaut, "--model", "ferc")
    assert done.returncode == 3
    assert (
        "there is no map of it; draw its distances instead: facemood analyze PHOTO --model ferc --draw mask,vector"
        in done.stderr
    )
    done = facemood("analyze", astronaut, "--model", "ferc", "--views", 2)
    assert done.returncode != 0
    assert "views must be 1" in done.stderr
