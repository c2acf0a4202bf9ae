import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from facemood.train import fit, write_report
from facemood.train.export import export
from tests.train.test_fit import bright_or_dark, small_recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run."""
    folder = tmp_path_factory.mktemp("report") / "run"
    recipe = small_recipe("train.epochs=4", "stop.keep='best'", "loss.class_weights='balanced'", "stop.patience=3")
    fit(recipe, bright_or_dark(), folder)
    export(folder, bright_or_dark(), folder / "model.onnx")
    write_report(folder, bright_or_dark(), folder / "model.onnx")
    return folder


@pytest.mark.slow
def test_a_run_leaves_all_that_its_page_shows(run: Path) -> None:
    page = (run / "report.md").read_text()
    links = set(re.findall(r"\]\(([^)]+)\)", page))
    assert links == {"model.onnx", "run.json", "confusion.svg", "curves.svg", "samples.svg", "augmented.png"}
    assert all((run / link).is_file() for link in links)
    assert (run / "best.ckpt").is_file()
    assert "Trained on 48 images of fer2013" in page
    assert "| happy | 8 | " in page
    assert "| angry | 0 | - | - | - |" in page or "| angry | 0 | 0.0% | - | 0.0% |" in page


@pytest.mark.slow
def test_mistakes_are_explained_on_request(run: Path) -> None:
    pytest.importorskip("lime", reason="needs the extra explain")
    write_report(run, bright_or_dark(), run / "model.onnx", mistakes=1)
    assert "](mistakes.md), with explanations." in (run / "report.md").read_text()
    page = (run / "mistakes.md").read_text()
    assert ", predicted " in page or "all predictions are right" in page
    write_report(run, bright_or_dark(), run / "model.onnx")


@pytest.mark.slow
def test_curves_show_training_against_validation(run: Path) -> None:
    texts = "".join(ElementTree.parse(run / "curves.svg").getroot().itertext())
    for word in ("loss", "accuracy", "training", "validation", "epoch"):
        assert word in texts


@pytest.mark.slow
def test_the_contact_sheet_has_a_row_for_each_class(run: Path) -> None:
    sheet = np.asarray(Image.open(run / "augmented.png"))
    assert sheet.shape == (2 * 100 + 4, 8 * 100 + 4, 3)
    first, second = sheet[4:100, 4:100].astype(int), sheet[4:100, 104:200].astype(int)
    assert np.abs(first - second).mean() > 2  # the second is augmented
