import dataclasses
from pathlib import Path

import pytest

from facemood.errors import RecipeError
from facemood.train import list_recipes, load_recipe
from facemood.train.recipe_file import recipe_from_dict


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_of_the_package_loads_and_comes_back_as_it_went(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert recipe_from_dict(recipe.to_dict()) == recipe


def test_what_a_file_leaves_out_is_as_in_the_baseline() -> None:
    baseline = load_recipe("baseline")
    assert recipe_from_dict({"name": "baseline", "description": baseline.description}) == baseline


def test_single_values_can_be_set() -> None:
    recipe = load_recipe(
        "baseline", overrides=["train.epochs=20", "train.learning_rate=1", "network.widths=[8, 16, 32]"]
    )
    assert (recipe.train.epochs, recipe.train.learning_rate, recipe.network.widths) == (20, 1.0, (8, 16, 32))


@pytest.mark.parametrize("setting", ["train.optimizer=adamw", "train.optimizer='adamw'", 'train.optimizer = "adamw"'])
def test_a_word_needs_no_quotes(setting: str) -> None:
    assert load_recipe("baseline", overrides=[setting]).train.optimizer == "adamw"


def test_a_users_own_file_is_a_recipe(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[train]\nepochs = 3\nfine_epochs = 1\n")
    recipe = load_recipe(str(file))
    assert (recipe.name, recipe.train.epochs) == ("mine", 3)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.epoch=3", "unknown recipe key 'train.epoch'.*Did you mean 'epochs'"),
        ("trian.epochs=3", "unknown recipe key 'trian'.*Did you mean 'train'"),
        ("train.epochs=many", "recipe key 'train.epochs' must be int, but is 'many'"),
        ("network.widths=[8, 16", "is neither a TOML value nor a word"),
        ("train.optimizer=", "is neither a TOML value nor a word"),
        ("train.epochs='3'", "recipe key 'train.epochs' must be int, but is '3'"),
        ("train.epochs=2.5", "must be int, but is 2.5"),
        ("epochs=3", "expected section.key=value"),
        ("train.epochs", "expected section.key=value"),
        ("train.fine_epochs=61", r"train.fine_epochs must be 0\.\.60"),
        ("train.precision='half'", "must be one of float32, bfloat16, but is 'half'"),
        ("data.fold=1", r"data.fold must be 0\.\.data.folds-1"),
        ("data.folds=1", r"but is 0 of 1"),
        ("train.batch_size=1", "batch norm needs two"),
        ("network.blocks=[1]", "the same number of stages"),
    ],
)
def test_wrong_settings_say_what_was_expected(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("baseline", overrides=[override])


def test_an_unknown_recipe_or_broken_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe 'baselin'.*Did you mean 'baseline'"):
        load_recipe("baselin")
    (tmp_path / "broken.toml").write_text("[train\n")
    with pytest.raises(RecipeError, match="is not valid TOML"):
        load_recipe(str(tmp_path / "broken.toml"))


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_recipe("baseline").name = "x"  # type: ignore[misc]
