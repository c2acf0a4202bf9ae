"""The page on the operating point says what the script measured, and README states the default's recalls from it."""

import json
from hashlib import sha256
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from facemood.evaluation.calibration import WEIGHT
from facemood.labels import EXPRESSIONS
from facemood.models import ModelSession, find_model, list_models
from facemood.text import exact_percent
from tests.conftest import ROOT, load_script

pytest.importorskip("torch", reason="the script fits with the extra train")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_operating_point")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "operating-point.json").read_text())
    return found


def test_the_page_is_made_from_the_figures(script: ModuleType, known: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "operating-point.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_operating_point.py --page"
    assert "{{" not in page


def test_the_figures_are_those_of_the_shipped_models(known: dict[str, Any]) -> None:
    assert sorted(known) == list_models()
    for model, found in known.items():
        file = find_model(model)
        assert sha256(file.read_bytes()).hexdigest()[:12] == found["model"], "run scripts/measure_operating_point.py"
        assert ModelSession(file, device="cpu").card.operating_point == {found["head"]: found["point"]}


def test_photos_are_seen_by_the_shipped_detector(script: ModuleType, known: dict[str, Any]) -> None:
    assert {found["finder"] for found in known.values()} == {script.digest("finder")}


def test_the_rule_is_the_one_that_the_criterion_chooses(known: dict[str, Any]) -> None:
    rows = known["default"]["chosen"]["candidates"]
    best = max(row["mean"] for row in rows)
    near = [row for row in rows if row["mean"] >= best - 0.003]
    simplest = min(near, key=lambda row: (row["form"] not in ("dataset", "one head"), row["weight"]))
    assert (simplest["form"], simplest["weight"]) == ("log-probabilities", WEIGHT)
    assert simplest["strength"] == known["default"]["point"]["strength"]
    tuned = known["default"]["PublicTest"]["tuned"]
    assert (simplest["accuracy"], simplest["mean_recall"]) == pytest.approx(
        (tuned["accuracy"], tuned["mean_recall"]), abs=0.0005
    )


def test_the_rule_is_no_worse_than_the_error_with_the_present_detector(known: dict[str, Any]) -> None:
    rows, point = known["default"]["candidates"], known["default"]["point"]
    (own,) = (row["mean"] for row in rows if (row["form"], row["weight"]) == ("log-probabilities", point["weight"]))
    assert max(row["mean"] for row in rows) - own < 0.01, "run scripts/measure_operating_point.py DATA NEWS --fit"


def test_readme_states_the_recalls_of_the_default_first(known: dict[str, Any]) -> None:
    readme = (ROOT / "README.md").read_text()
    votes, news = known["default"]["PrivateTest"]["tuned"], known["default"]["news"]["tuned"]
    row = " | ".join(exact_percent(votes["recall"][label]) for label in EXPRESSIONS)
    assert f'| default, `prior="tuned"` | {row} |' in readme
    assert readme.index('| default, `prior="tuned"` |') < readme.index("| FER+ majority |")
    on_votes, on_news = (
        [exact_percent(figures[name]) for name in ("accuracy", "mean_recall")] for figures in (votes, news)
    )
    assert (
        f"Accuracy is {on_votes[0]} there, mean recall {on_votes[1]}. On {news['n']} news photos, seen end to end, "
        f"accuracy is {on_news[0]}, and the mean recall of five expressions is {on_news[1]}."
    ) in " ".join(readme.split())


def test_a_missed_face_is_a_wrong_answer(script: ModuleType) -> None:
    probabilities = np.array([[0.9, 0.1], [np.nan, np.nan], [0.2, 0.8]], np.float32)
    confusion = script.confusion_of(probabilities, np.array([0, 0, 1]))
    assert confusion.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert script.share_right(confusion) == pytest.approx(2 / 3)
    assert script.recalls_of(confusion).tolist() == [0.5, 1.0]
    assert script.recall_over([1])(confusion) == 1.0
