import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood import ExpressionDataset
from facemood.evaluation.mistakes import explain_mistakes, worst_rows, write_mistakes
from facemood.explain import ExplainOptions, InputScorer
from facemood.models import ModelSession, find_model


@pytest.fixture(scope="module")
def scorer() -> InputScorer:
    return InputScorer(ModelSession(find_model("nano"), device="cpu", threads=1), "fer2013")


@pytest.fixture(scope="module")
def noise(scorer: InputScorer) -> ExpressionDataset:
    """Six tiles, of which the last two have the label that the model predicts."""
    tiles = np.random.default_rng(0).integers(0, 256, (6, 48, 48), np.uint8)
    predicted = scorer.session.run(tiles)[scorer.head].argmax(axis=1)
    labels = np.where(np.arange(6) < 4, (predicted + 1) % 7, predicted)
    return ExpressionDataset("noise", tiles, labels.astype(np.int64), scorer.labels, np.array(["all"] * 6))


def test_only_mistakes_are_explained_the_most_confident_first(scorer: InputScorer, noise: ExpressionDataset) -> None:
    found = explain_mistakes(scorer, noise, 9, ExplainOptions(method="occlusion"))
    assert sorted(one.row for one in found) == [0, 1, 2, 3]
    confidences = [one.predicted.probability for one in found]
    assert confidences == sorted(confidences, reverse=True)
    for one in found:
        assert one.truth == one.missed.label == noise.classes[noise.labels[one.row]]
        assert one.predicted.label != one.truth
        assert one.predicted.probability > one.missed.probability


def test_the_page_has_an_image_of_each(scorer: InputScorer, noise: ExpressionDataset, tmp_path: Path) -> None:
    found = explain_mistakes(scorer, noise, 2, ExplainOptions(method="occlusion"))
    page = write_mistakes(tmp_path / "run" / "mistakes.md", found)
    links = re.findall(r"\]\(([^)]+)\)", page.read_text())
    assert links == ["mistakes/01.png", "mistakes/02.png"]
    assert all((page.parent / link).stat().st_size > 1000 for link in links)
    assert f"{found[0].truth}, predicted {found[0].predicted.label}" in page.read_text()


def test_a_page_without_mistakes_states_it(tmp_path: Path) -> None:
    assert "all predictions are right" in write_mistakes(tmp_path / "mistakes.md", []).read_text()


@given(st.integers(0, 500), st.integers(0, 30))
def test_worst_rows_are_wrong_and_in_order(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    predicted, labels = rng.dirichlet(np.ones(4), 20).astype(np.float32), rng.integers(0, 4, 20)
    rows = worst_rows(predicted, labels, count)
    wrong = [row for row in range(20) if predicted[row].argmax() != labels[row]]
    assert len(rows) == min(count, len(wrong))
    assert set(rows) <= set(wrong)
    assert (np.diff(predicted[rows].max(axis=1)) <= 0).all()
