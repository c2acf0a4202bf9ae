import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facemood.labels import BASIC_EXPRESSIONS
from facemood.train.recipe_file import list_recipes, load_recipe
from tests.cli.conftest import Run
from tests.train.test_fit import SMALL, write_csv_files


@pytest.fixture
def csv_dataset(tmp_path: Path) -> Path:
    """The made faces as the two CSV files that users have."""
    return write_csv_files(tmp_path / "data")


@pytest.mark.slow
def test_train_export_and_use(facemood: Run, csv_dataset: Path, tmp_path: Path, astronaut: Path) -> None:
    settings = [*SMALL, "train.epochs=8", "train.fine_epochs=4", "train.learning_rate=0.05"]
    sets = [part for setting in settings for part in ("--set", setting)]
    done = facemood("train", "baseline", "--data", csv_dataset, "--run", "run", *sets)
    assert done.returncode == 0, done.stderr
    assert "facemood analyze PHOTO --model run/model.onnx" in done.stderr
    assert "found no face in 48 tiles" in done.stderr  # bars are no faces, so the model has no framing
    assert "Accuracy " in (tmp_path / "run" / "report.md").read_text()
    assert "GPU available" not in done.stderr
    assert len((tmp_path / "run" / "history.jsonl").read_text().splitlines()) == 8

    done = facemood("export", "run", "--data", csv_dataset, "-o", "mine.onnx")
    assert done.returncode == 3
    assert "found no face in 48 tiles" in done.stderr  # bars are no faces: no framing can be measured for them

    done = facemood("export", "run", "--data", csv_dataset, "-o", "mine.onnx", "--no-framing")
    assert done.returncode == 0, done.stderr
    done = facemood("export", "run", "run", "--data", csv_dataset, "-o", "mean.onnx", "--no-framing")
    assert done.returncode == 2
    assert "run started from random weights, and the mean of such networks is useless" in done.stderr
    done = facemood("analyze", astronaut, "--model", "mine.onnx", "--json", "--head", "fer2013")
    (face,) = json.loads(done.stdout)["faces"]
    assert list(face["emotions"]) == list(BASIC_EXPRESSIONS)
    assert "no framing for the detector finder" in done.stderr


def test_the_recipes_are_listed(facemood: Run) -> None:
    done = facemood("train", "--list")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    for name in list_recipes():
        (line,) = [line for line in lines if line.startswith(f" {name} ")]
        assert load_recipe(name).description.split()[0] in line


def test_missing_soft_labels_are_reported_before_the_data_are_read(facemood: Run, tmp_path: Path) -> None:
    done = facemood("train", "default", "--data", "nowhere", "--set", "distill.labels=absent/soft.npz")
    assert done.returncode == 3
    assert "absent/soft.npz: there is no such file of soft labels" in done.stderr
    assert "nowhere" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_teachers_label_and_a_student_learns(facemood: Run, csv_dataset: Path, tmp_path: Path) -> None:
    settings = [*SMALL, "train.epochs=1", "train.fine_epochs=0", "data.folds=2"]
    sets = [part for setting in settings for part in ("--set", setting)]
    for fold in "01":
        done = facemood(
            "train", "teacher", "--data", csv_dataset, "--run", fold, *sets, "--set", f"data.fold={fold}", "-q"
        )
        assert done.returncode == 0, done.stderr
    done = facemood("soft-labels", "0", "1", "--data", csv_dataset, "-o", "soft.npz")
    assert done.returncode == 0, done.stderr
    assert "accuracy on 48 images their teacher was not trained on" in done.stderr
    student = [*sets[:-2], "--set", "distill.labels='soft.npz'"]
    done = facemood("train", "default-start", "--data", csv_dataset, "--run", "student", *student, "-v")
    assert done.returncode == 0, done.stderr
    assert "soft labels for 48 of 48 images" in done.stderr
    done = facemood("soft-labels", "student", "--data", csv_dataset, "--views", "1", "-o", "again.npz")
    assert done.returncode == 0, done.stderr
    assert "accuracy on 48 images their teachers were trained on" in done.stderr
    options = ("soft-labels", "student", "--data", csv_dataset, "--views", "1", "--add", "soft.npz")
    assert facemood(*options, "-o", "soft.npz").returncode == 2  # the earlier labels are never written over
    done = facemood(*options, "-o", "mean.npz")
    assert done.returncode == 0, done.stderr
    done = facemood("soft-labels", "0", "--data", csv_dataset, "-o", "half.npz")
    assert done.returncode == 2
    assert "expected one run for each fold of one recipe, but got folds 0 of 2" in done.stderr


@pytest.mark.slow
def test_two_processes_train_together(facemood: Run, csv_dataset: Path, tmp_path: Path) -> None:
    settings = [*SMALL, "train.epochs=2", "train.fine_epochs=0", "train.batch_size=12"]
    sets = [part for setting in settings for part in ("--set", setting)]
    done = facemood("train", "baseline", "--data", csv_dataset, "--run", "run", "--devices", "2", *sets)
    assert done.returncode == 0, done.stderr
    assert "GLOBAL_RANK: 1, MEMBER: 2/2" in done.stderr
    lines = (tmp_path / "run" / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [0, 1]  # one process writes, not both
    assert (tmp_path / "run" / "report.md").is_file()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_request_to_end_says_how_to_go_on(csv_dataset: Path, tmp_path: Path, number: str, code: int) -> None:
    settings = [part for setting in [*SMALL, "train.epochs=5000"] for part in ("--set", setting)]
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "facemood",
        "train",
        "baseline",
        "--data",
        csv_dataset,
        "--run",
        "run",
        *settings,
    ]
    checkpoint = tmp_path / "run" / "last.ckpt"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not checkpoint.exists():
            time.sleep(0.1)
        process.send_signal(getattr(signal, number))
        _, messages = process.communicate(timeout=60)
    assert process.returncode == code, messages
    assert "--resume run" in messages
    assert "Traceback" not in messages


def test_wrong_recipes_are_usage(facemood: Run) -> None:
    done = facemood("train", "baselin", "--data", "x")
    assert done.returncode == 2
    assert "Did you mean 'baseline'" in done.stderr
    done = facemood("train", "baseline", "--data", "x", "--set", "train.epoch=3")
    assert done.returncode == 2
    assert "Did you mean 'epochs'" in done.stderr
