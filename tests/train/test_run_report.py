import dataclasses
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from facemood.evaluation.evaluation_report import make_report, to_markdown
from facemood.evaluation.run_images import choose_images
from facemood.train import fit, write_report
from facemood.train.data.divide import keep_aside
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
    assert "## On the validation images" in page
    assert "Trained on 48 images of fer2013" in page
    assert "| happy | 8 | " in page
    assert "| angry | 0 | - | - | - |" in page or "| angry | 0 | 0.0% | - | 0.0% |" in page


@pytest.mark.slow
def test_the_report_is_one_html_file_and_one_picture_too(run: Path) -> None:
    page = (run / "report.html").read_text()
    assert page.count('src="data:image/svg+xml;base64,') == 3
    assert page.count('src="data:image/png;base64,') == 1
    assert "<th>class</th>" in page
    assert "<title>Training run: " in page
    assert not re.findall(r'src="(?!data:)', page)
    with Image.open(run / "report.png") as picture:
        assert picture.size[0] == 1560


@pytest.mark.slow
def test_a_run_reports_on_the_images_that_it_kept_aside(tmp_path: Path) -> None:
    whole = dataclasses.replace(
        bright_or_dark(), usage=np.full(64, "all"), name="mine", files=np.array([f"{row}.png" for row in range(64)])
    )
    recipe = small_recipe("data.test_share=0.25", "train.epochs=2")
    divided = keep_aside(recipe, whole)
    fit(recipe, divided, tmp_path)
    card = export(tmp_path, divided, tmp_path / "model.onnx")
    page = write_report(tmp_path, divided, tmp_path / "model.onnx").read_text()
    assert "## On the test images, kept aside" in page
    assert "of 16 images" in page
    assert "Nothing was learned from these images or chosen by them." in page
    figures = {name: found["n"] for name, found in card.metrics.items() if name.startswith("test: ")}
    assert set(figures.values()) == {16}
    rows = (tmp_path / "images.csv").read_text().splitlines()
    assert [sum(row.endswith(part) for row in rows) for part in (",training", ",validation", ",test")] == [38, 10, 16]
    report = make_report(
        str(tmp_path / "model.onnx"), choose_images(tmp_path / "model.onnx", whole, None)[0], split="test"
    )
    assert report["run_images"] == {"training": 0, "validation": 0, "test": 16}
    assert "kept 16 of these images aside: it learned nothing from them." in to_markdown(report)


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
