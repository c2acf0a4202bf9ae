import dataclasses
from pathlib import Path
from typing import Any

import pytest

from facemood.evaluation.paper_study import describe
from facemood.models import ModelSession, find_model, list_models, list_parts
from facemood.models.card_markdown import card_page
from tests.models.test_card import CARD

CARDS = Path(__file__).parents[2] / "docs" / "models"


def test_the_page_has_the_facts_of_the_card() -> None:
    page = card_page(CARD)
    for text in ("# Model card: small", "glad, grim", "temperature 0.8", "[-0.1, -0.1, 1.1, 1.0]", "It is small."):
        assert text in page


@pytest.mark.parametrize(
    "facts", [{"recipe": "mine"}, {"dataset": "own", "split": "train", "images": 5}, {"a": [1, {}]}]
)
def test_facts_by_another_tool_are_written_as_json(facts: dict[str, Any]) -> None:
    card = dataclasses.replace(CARD, trained_on=facts, metrics={"test": {"accuracy": 0.5}, "framing": ["hog"]})
    page = card_page(card)
    for key in (*facts, "test", "framing"):
        assert key in page or str(facts[key]) in page
    assert describe(card)["recipe"] == "small"


@pytest.mark.parametrize("name", [*list_models(), *list_parts()])
def test_the_shipped_pages_match_the_models(name: str) -> None:
    made = card_page(ModelSession(find_model(name), device="cpu").card)
    assert (CARDS / f"{name}.md").read_text() == made, (
        f"run: facemood models show {name} --markdown > docs/models/{name}.md"
    )
