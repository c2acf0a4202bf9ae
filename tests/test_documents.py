"""The documents tell the truth: their figures are the model's own, their links lead somewhere, their code runs."""

import ast
import contextlib
import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from facemood import EmotionRecognizer
from facemood.labels import EXPRESSIONS
from facemood.models import DEFAULT_MODEL, ModelSession, find_model, list_models
from facemood.text import exact_percent
from tests.conftest import PHOTOS, ROOT
from tests.videos import make_video

PAGES = [
    path
    for folder in (ROOT, ROOT / "docs", ROOT / "docs" / "models", ROOT / "benchmarks")
    for path in folder.glob("*.md")
]

ROWS = {
    "FER2013 labels": "fer2013 labels",
    "FER2013 labels, de-duplicated": "fer2013 labels, de-duplicated",
    "FER+ majority": "FER+ majority",
    "FER+ majority, de-duplicated": "FER+ majority, de-duplicated",
}


@pytest.mark.parametrize("label", ROWS)
def test_the_readme_states_what_the_models_card_states(label: str) -> None:
    card = ModelSession(find_model(DEFAULT_MODEL), device="cpu").card
    found = card.metrics[f"PrivateTest: {ROWS[label]}"]
    cells = [label, f"{found['n']:,}", *(exact_percent(found[key]) for key in ("accuracy", "macro_f1", "ece"))]
    assert f"| {' | '.join(cells)} |" in (ROOT / "README.md").read_text()


def test_the_readme_states_what_the_benchmarks_state() -> None:
    measured = json.loads((ROOT / "docs" / "benchmarks.json").read_text())["models"]
    shipped = {model["model"]: model for model in measured if "close" in model}
    assert sorted(shipped) == list_models()
    default = shipped[DEFAULT_MODEL]
    labels, votes = (default["views"]["1"][kind] for kind in ("fer2013 labels", "FER+ majority"))
    readme = " ".join((ROOT / "README.md").read_text().split())
    for words, figures in (("FER2013 labels", labels), ("FER+ majority", votes)):
        recalls = [figures["recall"].get(label) for label in EXPRESSIONS]
        assert f"| {words} | {' | '.join('-' if one is None else exact_percent(one) for one in recalls)} |" in readme
    balance = default["close"]["balance"]["FER+ majority"]
    assert (
        f"mean recall on FER+ rises from {exact_percent(votes['mean_recall'])} to "
        f"{exact_percent(balance['mean_recall'])}, and accuracy falls to {exact_percent(balance['accuracy'])}."
    ) in readme
    rows = {f"`{name}`": (model, "1") for name, model in shipped.items()}
    rows["`default`, `views=10`"] = (default, "10")
    for words, (model, views) in rows.items():
        found = [exact_percent(model["views"][views][kind]["accuracy"]) for kind in ("fer2013 labels", "FER+ majority")]
        assert f"| {words} | {model['bytes'] / 1e6:.1f} MB | {' | '.join(found)} |" in readme


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [target for target in targets if "://" not in target and not (page.parent / target).exists()] == []


def python_of(page: Path) -> list[str]:
    """The blocks of Python on a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


@pytest.fixture
def in_a_folder_of_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with the photos that examples name."""
    (tmp_path / "photos").mkdir()
    with Image.open(PHOTOS / "astronaut.png") as picture:
        for name in ("photo.jpg", "photos/a.jpg", "photos/b.jpg"):
            picture.convert("RGB").save(tmp_path / name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("in_a_folder_of_photos")
def test_the_python_for_own_programs_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for module in ("pandas", "matplotlib", "xlsxwriter"):
        pytest.importorskip(module, reason="the page shows what extras do")
    names: dict[str, Any] = {}
    for block in python_of(ROOT / "docs" / "embedding.md"):
        exec(block, names)
    assert capsys.readouterr().out.startswith("<Result: 'photo.jpg', 512 x 512, happy >99%>\n<Analysis: 2 frames of 2")
    assert [Path(name).is_file() for name in ("table.csv", "table.xlsx", "figure.png")] == [True] * 3
    assert names["features"].shape == (1, 240)
    np.testing.assert_allclose(names["again"][0].probabilities, names["face"].probabilities, atol=0.01)
    assert names["words"] == ["happy", "happy"]


@pytest.mark.usefixtures("in_a_folder_of_photos")
def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    pytest.importorskip("pandas", reason="the README shows a data frame")
    (code,) = python_of(ROOT / "README.md")
    with Image.open(PHOTOS / "astronaut.png") as picture:
        image = np.asarray(picture.convert("RGB"))[:, :, ::-1]
    make_video(tmp_path / "interview.mp4", [np.asarray(cv2.resize(image, (160, 160)), np.uint8)] * 4, fps=5)
    exec(code, {"crops": np.zeros((2, 48, 48), np.uint8), "image": image, "EmotionRecognizer": EmotionRecognizer})
    assert (tmp_path / "annotated.png").is_file()
    assert (tmp_path / "table.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    "name",
    [
        "action-units",
        "derived-measures",
        "desktop",
        "explain",
        "gallery",
        "index",
        "inputs",
        "photos",
        "scale",
        "videos",
    ],
)
@pytest.mark.usefixtures("in_a_folder_of_photos")
def test_the_python_of_the_guides_runs(name: str, tmp_path: Path, recognizer: EmotionRecognizer) -> None:
    for module in ("matplotlib", "pyarrow"):
        pytest.importorskip(module, reason="the pages show what extras do")
    image = cv2.resize(np.asarray(cv2.imread("photo.jpg"), np.uint8)[:400, 60:460], (160, 160))
    for video in ("interview.mp4", "talk.mp4"):
        make_video(tmp_path / video, [np.asarray(image, np.uint8)] * 4, fps=5)
    (tmp_path / "other.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes())
    with contextlib.ExitStack() as files:
        known = {"recognizer": recognizer, "array": image, "row": {"source": "photo.jpg"}}
        known["open"] = lambda *arguments: files.enter_context(open(*arguments))
        blocks = python_of(ROOT / "docs" / f"{name}.md")
        assert blocks
        for block in blocks:
            exec(block.replace("workers=8", "workers=1"), known)


PYTHON_ELSEWHERE = {
    "README": "tests/test_documents.py",
    "embedding": "tests/test_documents.py",
    "live": "tests/sources/live/test_camera.py",
    "own-faces": "tests/test_site.py",
    "server": "tests/server/test_documented_client.py",
    "study": "tests/cli/test_study_page.py",
}
"""Pages whose Python needs a camera, a server or a training, and the tests that run it."""


def test_no_page_has_python_that_no_test_runs() -> None:
    (guides,) = [mark.args[1] for mark in test_the_python_of_the_guides_runs.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert {page.stem for page in PAGES if python_of(page)} == {*guides, *PYTHON_ELSEWHERE}
    assert all((ROOT / test).is_file() for test in PYTHON_ELSEWHERE.values())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_the_pages_names_what_there_is(page: Path) -> None:
    for code in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        imports: list[ast.stmt] = [
            line for line in ast.parse(code).body if isinstance(line, (ast.Import, ast.ImportFrom))
        ]
        exec(compile(ast.Module(imports, []), str(page), "exec"), {})


def test_every_make_verb_of_the_documents_exists() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {
        verb for page in PAGES for verb in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
    }
    assert {"demo", "test"} <= named <= verbs
