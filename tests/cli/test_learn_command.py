import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.datasets.fer2013 import SIDE, SPLITS
from facemood.numpy_cnn import Sequential
from facemood.numpy_cnn.checks import examples
from tests.cli.conftest import Run

pytest.importorskip("matplotlib", reason="the figures need the extra plot")


@pytest.fixture
def bright_or_dark(tmp_path: Path) -> Path:
    """A tiny FER2013: dark faces are angry, and bright ones happy; all images differ."""
    random, rows = np.random.default_rng(0), ["emotion,pixels,Usage"]
    for split, count in zip(SPLITS, (64, 16, 16), strict=True):
        for number in range(count):
            happy = number % 2
            tile = random.integers(0, 256, (SIDE, SIDE))
            tile[: SIDE // 2 if happy else SIDE] //= 2
            rows.append(f"{3 * happy},{' '.join(map(str, tile.ravel()))},{split}")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "fer2013.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "data"


def test_show_draws_all_layers_and_equals_onnx_runtime(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    done = facemood("learn", "show", astronaut, "-o", "layers.svg", "--json")
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    assert read["difference"] < 1e-4
    assert max(read["emotions"], key=lambda label: read["emotions"][label]) == "happy"
    assert sum(read["emotions"].values()) == pytest.approx(1, abs=1e-5)
    assert "15 Softmax   8" in (tmp_path / "layers.svg").read_text()
    assert "layers.svg: happy 0.9" in done.stderr


def test_filters_are_drawn(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    done = facemood("learn", "filters", astronaut, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert cv2.imread(str(tmp_path / "filters.png")) is not None


def test_a_photo_without_a_face_is_an_error(facemood: Run, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((100, 100, 3), 128, np.uint8))
    done = facemood("learn", "show", "grey.png")
    assert done.returncode == 3
    assert "grey.png: found no face" in done.stderr


def test_check_covers_every_layer(facemood: Run) -> None:
    done = facemood("learn", "check", "--json", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout).keys() == examples().keys()


def test_train_learns_and_draws_its_curves(
    facemood: Run, bright_or_dark: Path, tmp_path: Path, astronaut: Path
) -> None:
    done = facemood("learn", "train", "--data", bright_or_dark, "--epochs", "4", "-o", "mine.npz", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["images"], len(found["history"])) == (16, 4)
    assert found["history"][-1]["loss"] < found["history"][0]["loss"]
    assert found["accuracy"] >= 0.5
    assert "PrivateTest: " in done.stderr
    assert cv2.imread(str(tmp_path / "mine.png")) is not None
    assert Sequential.load(tmp_path / "mine.npz").output_shape == (7,)
    done = facemood("learn", "show", astronaut, "--model", "mine.npz", "--json", "-q")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["difference"] is None
    done = facemood("learn", "train", "--data", bright_or_dark, "-o", "mine.onnx")
    assert done.returncode == 2
    assert "a network is written as .npz" in done.stderr
