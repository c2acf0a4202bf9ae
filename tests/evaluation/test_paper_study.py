import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from facemood.evaluation.corruptions import CORRUPTIONS
from facemood.evaluation.paper_study import describe, make_study
from facemood.evaluation.study_page import study_page, write_study
from facemood.models import ModelSession, find_model
from tests.evaluation.test_protocol import made

RAW = ("fer2013 labels", "FER+ majority")


@pytest.fixture(scope="module")
def study() -> dict[str, Any]:
    return make_study(["nano", "nano"], made(), split="PrivateTest")


def test_all_views_and_protocols_are_evaluated(study: dict[str, Any]) -> None:
    first, second = study["models"]
    assert (first["model"], first["recipe"], first["seed"]) == ("nano", "nano", 1)
    assert list(first["views"]) == ["1", "2", "10"]
    assert set(RAW) < set(first["views"]["10"])
    assert first["views"]["10"]["FER+ majority"]["views"] == 10
    assert second["views"] == first["views"]
    assert json.loads(json.dumps(study)) == study


def test_averaged_runs_are_a_separate_recipe() -> None:
    card = ModelSession(find_model("nano"), device="cpu").card
    others = ({"name": "nano-worn", "augment.noise": 0.2}, {"train.seed": 2})
    mean = dataclasses.replace(card, trained_on={**card.trained_on, "averaged_with": others})
    assert describe(mean)["recipe"] == "nano + nano-worn + nano"
    assert describe(mean)["origin"] == (
        "; the mean of its weights and those of nano-worn (augment.noise = 0.2) and of another run (train.seed = 2)"
    )


def test_only_the_first_model_of_a_recipe_is_studied_in_detail(study: dict[str, Any]) -> None:
    close = study["models"][0]["close"]
    assert "close" not in study["models"][1]
    assert tuple(close["certainty"]) == tuple(close["balance"]) == RAW
    for name, kind in CORRUPTIONS.items():
        found = close["corruptions"][name]
        assert found["levels"] == list(kind.levels)
        assert all(len(found["accuracy"][protocol]) == 3 for protocol in RAW)
    for found in close["certainty"].values():
        assert [share for share, _ in found["coverage"]][-1] == 1.0
        assert sum(share for _, _, share in found["reliability"]) == pytest.approx(1, abs=1e-3)


def test_balance_and_certainty_agree_with_the_plain_figures_if_nothing_is_changed(study: dict[str, Any]) -> None:
    model = study["models"][0]
    for protocol in RAW:
        plain = model["views"]["1"][protocol]
        strength, accuracy, recall = model["close"]["balance"][protocol]["curve"][0]
        assert (strength, accuracy, recall) == (0.0, plain["accuracy"], plain["mean_recall"])
        assert model["close"]["certainty"][protocol]["coverage"][-1][1] == plain["accuracy"]
        assert 0 <= model["close"]["certainty"][protocol]["rule"]["coverage"] <= 1


def test_the_page_has_all_sections_and_figures(study: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures need the extra plot")
    write_study(tmp_path / "page.md", study)
    page = (tmp_path / "page.md").read_text()
    assert page == study_page(study, "page")
    assert json.loads((tmp_path / "page.json").read_text()) == study
    links = re.findall(r"\]\((page[^)]+)\)", page)
    assert len(set(links)) == 7
    assert all((tmp_path / link).is_file() for link in links)
    for title in ("## Accuracy", "## Spread over seeds", "### Certain", "### Balance", "### Degraded images"):
        assert title in page
    assert "| nano | 1, 1 | FER+ majority | " in page
    assert " ± 0.0%" in page
