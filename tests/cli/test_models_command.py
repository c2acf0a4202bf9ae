import json

from facemood.models import DEFAULT_MODEL
from tests.cli.conftest import Run


def test_models_are_listed(facemood: Run) -> None:
    assert DEFAULT_MODEL in facemood("models").stderr
    known, *others = json.loads(facemood("models", "--json").stdout)
    assert (known["name"], known["task"]) == (DEFAULT_MODEL, "expression")
    names = [other["name"] for other in others]
    assert names == ["nano", "steady", "appearance", "ferc", "finder", "landmarks", "mask"]
    assert len(known["heads"]["ferplus"]) == 8


def test_a_card_is_shown_as_text_markdown_and_json(facemood: Run) -> None:
    assert f"Model card: {DEFAULT_MODEL}" in facemood("models", "show", DEFAULT_MODEL).stderr
    assert facemood("models", "show", DEFAULT_MODEL, "--markdown").stdout.startswith(f"# Model card: {DEFAULT_MODEL}")
    assert json.loads(facemood("models", "show", DEFAULT_MODEL, "--json").stdout)["input_size"] == [48, 48]


def test_an_unknown_model_is_an_error_with_a_suggestion(facemood: Run) -> None:
    done = facemood("models", "show", "nana")
    assert done.returncode == 3
    assert "Did you mean 'nano'" in done.stderr
