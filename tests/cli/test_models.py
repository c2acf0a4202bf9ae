import json

from tests.cli.conftest import Run


def test_models_are_listed(facemood: Run) -> None:
    assert "baseline" in facemood("models").stderr
    known, *others = json.loads(facemood("models", "--json").stdout)
    assert (known["name"], known["task"]) == ("baseline", "expression")
    assert [other["name"] for other in others] == ["nano", "ferc", "finder", "landmarks", "mask"]
    assert len(known["heads"]["ferplus"]) == 8


def test_a_card_is_shown_for_people_readers_and_programs(facemood: Run) -> None:
    assert "Model card: baseline" in facemood("models", "show", "baseline").stderr
    assert facemood("models", "show", "baseline", "--markdown").stdout.startswith("# Model card: baseline")
    assert json.loads(facemood("models", "show", "baseline", "--json").stdout)["input_size"] == [48, 48]


def test_an_unknown_model_is_told(facemood: Run) -> None:
    done = facemood("models", "show", "basline")
    assert done.returncode == 3
    assert "Did you mean 'baseline'" in done.stderr
