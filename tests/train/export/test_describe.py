from typing import Any

from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS
from facemood.train import load_recipe
from facemood.train.export.describe import FER2013_LIMITS, LIMITS, OWN_LIMITS, STARTED_LIMIT, describe


def facts(*settings: str, dataset: str = "mine", heads: tuple[str, ...] = ("expression",)) -> dict[str, Any]:
    return {
        "recipe": load_recipe("baseline", overrides=settings).to_dict(),
        "dataset": dataset,
        "classes": ["bored", "keen"] if dataset == "mine" else list(BASIC_EXPRESSIONS),
        "heads": dict.fromkeys(heads, 0),
        "input_size": 32,
        "trained_on": {"split": "train", "images": 40, "classes": {"bored": 20, "keen": 20}},
        "epochs_done": 7,
    }


def test_the_card_says_what_the_run_says() -> None:
    card = describe(facts())
    assert (card.name, card.heads, card.default_head) == ("baseline", {"expression": ("bored", "keen")}, "expression")
    assert (card.input_size, card.colour, card.mean, card.std) == ((32, 32), "grey", (0.0,), (1.0,))
    assert (card.trained_on["dataset"], card.trained_on["images"], card.trained_on["epochs"]) == ("mine", 40, 7)
    assert "averaged_with" not in card.trained_on


def test_the_vote_head_is_the_default_if_there_is_one() -> None:
    card = describe(facts(dataset="fer2013", heads=("fer2013", "ferplus")))
    assert card.heads == {"fer2013": BASIC_EXPRESSIONS, "ferplus": EXPRESSIONS}
    assert card.default_head == "ferplus"


def test_a_colour_network_takes_red_green_and_blue() -> None:
    card = describe(facts("input.colour=rgb"))
    assert (card.colour, card.mean, card.std) == ("rgb", (0.0,) * 3, (1.0,) * 3)


def test_a_mean_of_runs_names_what_the_others_changed() -> None:
    card = describe({**facts(), "averaged_with": [{"train.seed": 2}]})
    assert card.trained_on["averaged_with"] == [{"train.seed": 2}]


def test_limits_follow_what_the_network_learned_from() -> None:
    labels = "It knows the labels bored, keen, and gives one of them to every face."
    few = "Labels with few training images are often wrong: bored (20), keen (20)."
    assert describe(facts()).limits == (*LIMITS, labels, few, *OWN_LIMITS)
    assert describe(facts(dataset="fer2013")).limits == (*LIMITS, *FER2013_LIMITS)
    assert describe(facts("network.start=nano")).limits == (*LIMITS, labels, few, STARTED_LIMIT, *OWN_LIMITS)
    many = facts()
    many["trained_on"]["classes"] = {"bored": 300, "keen": 29}
    assert "Labels with few training images are often wrong: keen (29)." in describe(many).limits


def test_the_licence_of_own_data_is_that_of_the_recipe_or_not_stated() -> None:
    assert describe(facts()).licence == "not stated"
    assert describe(facts("data.licence=CC0-1.0")).licence == "CC0-1.0"
    assert describe(facts(dataset="fer2013")).licence == "Apache-2.0"


def test_runs_of_the_first_version_have_48_pixels() -> None:
    old = facts()
    del old["input_size"]
    assert describe(old).input_size == (48, 48)
