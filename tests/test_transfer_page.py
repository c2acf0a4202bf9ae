"""The page on own faces says what was measured of two starts, and the commands on it are those that were measured."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from facemood.datasets import ExpressionDataset
from tests.conftest import ROOT, load_script

pytest.importorskip("torch", reason="needs the extra train")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_transfer")


def test_the_page_has_the_figures(script: ModuleType) -> None:
    page = (ROOT / "docs" / "own-faces.md").read_text()
    assert page == script.with_part(page, script.read_figures()), "run: python scripts/measure_transfer.py --page"


def test_each_draw_is_measured_once_from_each_start(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "transfer.json").read_text())
    pairs = [(found["draw"], found["start"]) for found in known]
    assert len(set(pairs)) == len(pairs)
    assert {(found["photos"], found["protocol"], found["n"]) for found in known} <= {(350, "fer2013 labels", 3589)}


def test_the_command_on_the_page_has_the_settings_that_were_measured(script: ModuleType) -> None:
    page = (ROOT / "docs" / "own-faces.md").read_text()
    for setting in script.STARTS["EfficientNet-Lite0 from ImageNet"]:
        assert f"--set {setting}" in page or setting.startswith("network.weights_sha256=")
        assert setting.partition("=")[2] in page


def test_a_draw_has_so_many_of_each_and_no_near_duplicate_of_a_test_image(script: ModuleType, tmp_path: Path) -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (240, 48, 48), np.uint8)
    tiles[120:180] = tiles[:60]  # half of the training images are test images too
    usage = np.array(["Training"] * 120 + ["PrivateTest"] * 120)
    dataset = ExpressionDataset("made", tiles, np.arange(240) % 2, ("sad", "happy"), usage).with_clusters()
    first = script.draw_photos(dataset, 1, tmp_path / "1")
    names = sorted(file.relative_to(first) for file in first.rglob("*.png"))
    assert len(names) == 60  # 30 of each are left
    assert not any((np.asarray(Image.open(first / name)) == tile).all() for name in names[:3] for tile in tiles[120:])
    again = script.draw_photos(dataset, 1, tmp_path / "2")
    assert sorted(file.relative_to(again) for file in again.rglob("*.png")) == names


def entry(draw: int, start: str, accuracy: float) -> dict[str, object]:
    """A made figure."""
    return {
        "draw": draw, "start": start, "photos": 350, "protocol": "fer2013 labels", "n": 3589,
        "accuracy": accuracy, "mean_recall": accuracy, "seconds": 120,
    }  # fmt: skip


def test_only_draws_with_both_starts_are_counted(script: ModuleType) -> None:
    one, other = script.STARTS
    known = [entry(1, one, 0.6), entry(1, other, 0.4), entry(2, one, 0.5), entry(2, other, 0.4), entry(3, one, 0.9)]
    text = script.part(known)
    assert "| `default` | 55.0% ± 7.1 |" in text
    assert "of 2 of 5 planned draws of 350 images" in text
    assert "better in 2 of 2, by 15.0 points on average, +10.0 to +20.0." in text
    assert script.FAVOURED in text


def test_without_figures_of_both_starts_nothing_is_compared(script: ModuleType) -> None:
    one, other = script.STARTS
    for known in ([], [entry(1, one, 0.6)], [entry(1, one, 0.6), entry(2, other, 0.4)]):
        assert script.part(known) == "Nothing was measured yet: no draw has figures of both starts."


def test_the_time_of_a_run_that_went_on_is_left_out(script: ModuleType) -> None:
    one, other = script.STARTS
    known = [entry(1, one, 0.6), entry(1, other, 0.4), entry(2, one, 0.5), {**entry(2, other, 0.4), "seconds": None}]
    assert script.part(known).count("| 2.0 |") == 2
    assert script.mean_minutes([None]) == "-"


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_run_that_went_on_has_no_time(
    interrupted: bool, script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SimpleNamespace(to_dict=lambda: {"protocol": "made", "n": 1, "accuracy": 1.0, "mean_recall": 1.0})
    resumed = []
    monkeypatch.setattr(script, "draw_photos", lambda *_: tmp_path)
    monkeypatch.setattr(script, "open_data", lambda *_: [0])
    monkeypatch.setattr(script, "fit", lambda *_, resume: resumed.append(resume))
    monkeypatch.setattr(script, "export", lambda *_: None)
    monkeypatch.setattr(script, "ModelSession", lambda *_, **__: None)
    monkeypatch.setattr(script, "evaluate", lambda *_, **__: [found])
    if interrupted:
        folder = script.run_folder(tmp_path, 1, "default")
        folder.mkdir()
        (folder / script.LAST).touch()
    measured = script.measure(None, 1, "default", tmp_path)
    assert resumed == [interrupted]
    assert (measured["seconds"] is None) == interrupted


def test_what_is_tried_out_is_printed_and_not_kept(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    folders = []

    def measure(_: object, draw: int, start: str, folder: Path, settings: list[str]) -> dict[str, object]:
        folders.append(folder)
        assert settings == ["train.epochs=1"]
        return entry(draw, start, 0.5)

    def refuse(*_: object) -> None:
        raise AssertionError("written")

    monkeypatch.setattr(script, "measure", measure)
    monkeypatch.setattr(script, "write", refuse)
    monkeypatch.setattr(script, "open_dataset", lambda _: SimpleNamespace(with_clusters=lambda: None))
    monkeypatch.setattr("sys.argv", ["x", "fer2013:x", "--draws", "1", "--runs", str(runs), "--set", "train.epochs=1"])
    script.main()
    assert capsys.readouterr().out.count("'accuracy': 0.5") == len(script.STARTS) == len(folders)
    assert not any(folder.exists() for folder in (runs, *folders))


def test_figures_of_an_earlier_default_do_not_count(script: ModuleType) -> None:
    one, other = script.STARTS
    now = {**entry(1, one, 0.6), "weights": script.weights_of(one)}
    assert script.is_measured([now], 1, one)
    assert not script.is_measured([{**now, "weights": "0" * 12}], 1, one)
    assert not script.is_measured([now], 2, one)
    assert script.is_measured([entry(1, other, 0.4)], 1, other)
    assert all(
        script.is_measured(script.read_figures(), draw, start) for draw in range(1, 6) for start in script.STARTS
    )
