"""A reproduced network is explained as its study did, beside ours: any exported model, the page from its figures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.datasets import ExpressionDataset
from facemood.errors import ExplanationError
from facemood.explain import Explanation, explain_crop
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS, FERPLUS_COLUMNS, canonical
from facemood.models import find_model
from tests.conftest import PHOTOS, ROOT, load_script

pytest.importorskip("lime", reason="needs the extra explain")
pytest.importorskip("matplotlib", reason="needs the extra plot")


EXPLAINED = ("happy", "contempt")
"""The labels of the made images."""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("explain_published")


@pytest.fixture(scope="module")
def faces(recognizer: EmotionRecognizer) -> ExpressionDataset:
    """The shipped portraits as tiles of PrivateTest, one happy and one in contempt, with ten votes for it."""
    tiles = []
    for photo in ("astronaut.png", "grace_hopper.jpg"):
        (crop, *_) = recognizer.crops(recognizer.analyze_image(PHOTOS / photo))
        tiles.append(cv2.resize(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), (48, 48), interpolation=cv2.INTER_AREA))
    votes = np.zeros((2, 10), np.float32)
    columns = [canonical(word) for word in FERPLUS_COLUMNS]
    votes[[0, 1], [columns.index(word) for word in EXPLAINED]] = 10
    labels, usage = np.array([BASIC_EXPRESSIONS.index("happy")] * 2), np.full(2, "PrivateTest")
    return ExpressionDataset("fer2013", np.stack(tiles).astype(np.uint8), labels, BASIC_EXPRESSIONS, usage, votes=votes)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in a file, as an export writes it."""
    return Path(shutil.copy(find_model("nano"), tmp_path_factory.mktemp("model") / "theirs.onnx"))


@pytest.fixture(scope="module")
def measured(
    script: ModuleType, faces: ExpressionDataset, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], Path]:
    work = tmp_path_factory.mktemp("work")
    return script.measure(faces, str(model), work, samples=20, each=1), work


def test_any_exported_model_is_explained_beside_ours(script: ModuleType, measured: tuple[dict[str, Any], Path]) -> None:
    known, work = measured
    assert known["explained"] == {label: int(label in EXPLAINED) for label in EXPRESSIONS}
    assert list(known["theirs"]["regions"]) == ["felzenszwalb", "quickshift", "slic"]
    assert known["theirs"] == known["ours"]  # the same network, under another name
    (folder,) = (work / "drawn").iterdir()
    digests = [known["models"][key]["sha256"][:12] for key in ("theirs", "ours")]
    assert folder.name == "-".join([*digests, "20"])  # pictures of another model or number of samples lie elsewhere
    assert sorted(file.name.partition("-")[0] for file in folder.iterdir()) == sorted(EXPLAINED)


def test_each_image_is_explained_once_by_each_segmenter_and_model(
    script: ModuleType, measured: tuple[dict[str, Any], Path], faces: ExpressionDataset, model: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    known, work = measured
    explained: list[tuple[str, str]] = []

    def explain(*given: Any, label: str) -> Explanation:
        explained.append((label, given[2].segmenter))
        return explain_crop(*given, label=label)

    monkeypatch.setattr(script, "explain_crop", explain)
    shutil.copytree(work, tmp_path, dirs_exist_ok=True)
    assert script.measure(faces, str(model), tmp_path, samples=20, each=1) == known
    assert explained == []
    (picture,) = tmp_path.glob("drawn/*/contempt-*.png")
    before = picture.read_bytes()
    picture.unlink()  # as where a run broke off
    assert script.measure(faces, str(model), tmp_path, samples=20, each=1) == known
    assert picture.read_bytes() == before
    assert explained == [("contempt", kind) for kind in script.SEGMENTERS] * 2
    for ledger in tmp_path.glob("*.jsonl"):
        ledger.unlink()
    assert script.measure(faces, str(model), tmp_path, samples=20, each=1) == known
    assert len(explained) == 18


def test_the_page_and_the_figures_are_made(
    script: ModuleType, measured: tuple[dict[str, Any], Path], model: Path, tmp_path: Path
) -> None:
    known, _ = measured
    page = script.page(json.loads(json.dumps(known)))
    assert "{{" not in page
    assert "2 of 2 labels with slic" in page
    assert page.count("| contempt | 1 |") == 3
    script.draw_regions(known, tmp_path / "regions.svg")
    assert "quickshift" in (tmp_path / "regions.svg").read_text()
    script.draw_portrait(str(model), tmp_path / "portrait.jpg", samples=20)
    picture = cv2.imread(str(tmp_path / "portrait.jpg"))
    assert picture is not None
    assert picture.shape[1] == 1000
    assert (tmp_path / "portrait.jpg").stat().st_size < 170_000


def test_a_model_without_the_label_or_without_pixels_is_refused(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExplanationError, match="takes 24 distances, not pixels"):
        script.open_scorer("ferc")
    monkeypatch.setattr(script, "WATCHED", "boredom")
    with pytest.raises(SystemExit, match="nano: no head of this model knows 'boredom'"):
        script.open_scorer("nano")


def test_ours_is_not_explained_beside_itself(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["x", "fer2013:x", script.OURS])
    with pytest.raises(SystemExit, match="2"):
        script.main()
    assert "expected another network than 'nano'" in capsys.readouterr().err


def test_the_page_says_what_was_measured(script: ModuleType) -> None:
    figures, page = (ROOT / "docs" / f"{script.NAME}{suffix}" for suffix in (".json", ".md"))
    assert figures.exists() == page.exists()
    if figures.exists():
        known = json.loads(figures.read_text())
        assert page.read_text() == script.page(known), "run: python scripts/explain_published.py --page"
        assert max(known["explained"].values()) == script.EACH
