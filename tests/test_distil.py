"""scripts/distil.py teaches a student by finished teachers, in one command."""

import json
import logging
import sys
from pathlib import Path

import pytest

from facemood.datasets import open_dataset
from facemood.models import ModelSession
from facemood.train import fit
from scripts import distil
from tests.train.test_fit import small_recipe, write_csv_files


@pytest.mark.slow
def test_a_student_learns_from_teachers_and_its_models_are_measured(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = write_csv_files(tmp_path / "data")
    dataset = open_dataset(f"fer2013:{data}").with_clusters()
    fit(small_recipe("train.epochs=12", "train.learning_rate=0.05"), dataset, tmp_path / "teacher")
    short = ("train.epochs=1", "train.fine_epochs=1", "train.warmup=0.0", "train.batch_size=16", "augment.upright=0.0")
    sets = [part for setting in short for part in ("--set", setting)]
    options = ["--students", "nano-upright", "--add", "", "--views", "1", "--runs", str(tmp_path / "runs"), *sets]
    monkeypatch.setattr(distil, "SHARES", (0.5,))  # one model instead of two is quicker
    monkeypatch.setattr(sys, "argv", ["distil.py", str(data), str(tmp_path / "teacher"), *options])
    with caplog.at_level(logging.WARNING, "facemood"):
        distil.main()
    assert "the teachers know the training labels by heart" in caplog.text
    written = json.loads((tmp_path / "runs" / "distilled.json").read_text())
    assert list(written["PublicTest"]) == ["nano", "nano-upright-0.5.onnx"]
    assert all(len(values) >= 2 and min(values.values()) >= 0 for values in written["PublicTest"].values())
    card = ModelSession(tmp_path / "runs" / "nano-upright-0.5.onnx", device="cpu").card
    assert card.trained_on["teachers"] == [{"recipe": "baseline", "count": 1, "dataset": "fer2013"}]
    assert "nano-upright-0.5.onnx" in capsys.readouterr().out
