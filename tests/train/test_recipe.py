import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from facemood.errors import RecipeError
from facemood.train import Recipe, list_recipes, load_recipe
from facemood.train.recipe_file import recipe_from_dict
from facemood.train.recipe_rules import RANGES


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


@pytest.mark.parametrize(
    "path",
    [
        "/data/w.pth",
        "../w.pth",
        "C:\\data\\w.pth",
        "my weights/größe #2.pth",
        "2024",
        "1e5",
        "2024-01-01",
        "true",
        "a=b",
    ],
)
@pytest.mark.parametrize("quote", ["", "'"])
def test_a_path_needs_no_quotes(path: str, quote: str) -> None:
    settings = ["network.kind=timm:resnet18", f"network.weights={quote}{path}{quote}"]
    assert load_recipe("baseline", overrides=settings).network.weights == path


def test_an_empty_value_is_an_empty_text() -> None:
    assert load_recipe("teacher-lite0").network.weights_sha256
    assert load_recipe("teacher-lite0", overrides=["network.weights_sha256="]).network.weights_sha256 == ""


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
        ("network.widths=[8, 16", r"'\[8, 16' is not a valid TOML value"),
        ("network.weights='/data/w.pth", "is not a valid TOML value"),
        ("network.weights=[1]", r"'network.weights' must be printable text, but is \[1\]"),
        ("train.optimizer=", "train.optimizer must be one of sgd, adam, adamw, but is ''"),
        ("train.epochs=", "recipe key 'train.epochs' must be int, but is ''"),
        ("train.epochs=/data", "recipe key 'train.epochs' must be int, but is '/data'"),
        ("train.epochs=1\ntrain=2", "is not a valid TOML value"),
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
        ("network.start_heads=true", "network.start_heads needs network.start"),
        ("degraded.scale=[2, 1]", "degraded.scale must be the smallest and the largest factor"),
        ("degraded.fill=white", "degraded.fill must be one of reflect, nearest, constant, but is 'white'"),
    ],
)
def test_wrong_settings_say_what_was_expected(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe("baseline", overrides=[override])


@pytest.mark.parametrize("mixed", ["augment.mixup=0.5", "degraded.mixup=0.5"])
def test_two_views_show_the_same_image(mixed: str) -> None:
    assert load_recipe("baseline", overrides=[mixed])
    with pytest.raises(RecipeError, match="both views show the same image"):
        load_recipe("baseline", overrides=["train.consistency=0.5", mixed])


def test_landmarks_are_needed_by_the_views_that_there_are() -> None:
    one, two = ["degraded.upright=0.5"], ["degraded.upright=0.5", "train.consistency=0.5"]
    assert not load_recipe("baseline", overrides=one).turns_upright
    assert load_recipe("baseline", overrides=two).turns_upright
    assert load_recipe("default-upright").turns_upright


def test_an_unknown_recipe_or_broken_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe 'baselin'.*Did you mean 'baseline'"):
        load_recipe("baselin")
    (tmp_path / "broken.toml").write_text("[train\n")
    with pytest.raises(RecipeError, match="is not valid TOML"):
        load_recipe(str(tmp_path / "broken.toml"))


DAMAGED: dict[str, tuple[bytes, str]] = {
    "no UTF-8": (b"name = '\xff'", "is not valid TOML, or cannot be read"),
    "another encoding": ("name = 'x'".encode("utf-16"), "is not valid TOML, or cannot be read"),
    "nested lists": (b"a = " + b"[" * 50_000, "nested too deep"),
    "nested tables": (b"a = " + b"{a=" * 50_000, "nested too deep"),
    "an integer of 5,000 digits": (b"[train]\nepochs = " + b"9" * 5000, "is not valid TOML, or cannot be read"),
    "an integer of 4,000 digits": (b"[train]\nepochs = " + b"9" * 4000, "train.epochs must be 1..1e+06"),
    "a hexadecimal integer": (b"[train]\nepochs = 0x" + b"f" * 9000, "train.epochs must be 1..1e+06, but is a number"),
    "a huge integer for a float": (b"[train]\nlearning_rate = 0x" + b"f" * 900, "'train.learning_rate' must be float"),
    "a table for a number": (b"[train.epochs]\na = 1", "'train.epochs' must be int"),
    "a number for a table": (b"train = 1", "'train' must be a table, but is 1"),
    "a list for a table": (b"train = [1]", "'train' must be a table"),
    "tables for a table": (b"[[train]]\nepochs = 1", "'train' must be a table"),
    "a date": (b"[train]\nepochs = 2020-01-01", "'train.epochs' must be int"),
    "a truth for a number": (b"[train]\nepochs = true", "'train.epochs' must be int, but is True"),
    "texts for widths": (b"[network]\nwidths = ['a', 'b']\nblocks = [1, 1]", "'network.widths' must be a list of int"),
    "floats for widths": (b"[network]\nwidths = [1.5]\nblocks = [1]", "'network.widths' must be a list of int"),
    "nested widths": (b"[network]\nwidths = [[8]]\nblocks = [1]", "'network.widths' must be a list of int"),
    "a number for widths": (b"[network]\nwidths = 8", "'network.widths' must be a list of int, but is 8"),
    "texts for factors": (b"[loss.alpha]\nhappy = 'much'", "'loss.alpha' must be a table of float"),
    "a list for factors": (b"[loss]\nalpha = [1]", "'loss.alpha' must be a table of float"),
    "numbers for splits": (b"[data]\nheld_out = [1]", "'data.held_out' must be a list of str"),
    "control characters": (b'name = "a\\u001b[2J"', "'name' must be printable text"),
    "a path as a name": (b"name = '../../x'", "name must be the name of a folder"),
    "a root as a name": (b"name = '/etc'", "name must be the name of a folder"),
    "no name": (b"name = ''", "name must be the name of a folder"),
    "dots as a name": (b"name = '..'", "name must be the name of a folder"),
    "a long name": (b"name = '" + b"x" * 5000 + b"'", "name must be the name of a folder"),
    "an unknown section": (b"[networks]\nkind = 'x'", "unknown recipe key 'networks'.*Did you mean 'network'"),
    "an unknown key of a million letters": (b"[train]\n" + b"x" * 900_000 + b" = 1", "unknown recipe key 'train.xxx"),
    "a key twice": (b"[train]\nepochs = 1\nepochs = 2", "is not valid TOML"),
    "too many bytes": (b"#" * 1_000_001, "it has 1,000,001 bytes; the most are 1,000,000"),
    "zero bytes in it": (b"name = '\0'", "is not valid TOML"),
    "not a number": (b"[train]\nlearning_rate = nan", "train.learning_rate must be 0..1e+06, but is nan"),
    "infinite": (b"[train]\nwarmup = inf", "train.warmup must be 0..1e+06, but is inf"),
    "too many stages": (b"[network]\nwidths = [" + b"1," * 17 + b"]\nblocks = [" + b"1," * 17 + b"]", "16 entries"),
    "a factor too many": (b"[augment]\nscale = [1, 1, 1]", "augment.scale must be the smallest and the largest factor"),
    "factors turned round": (b"[augment]\nscale = [2, 1]", "augment.scale must be the smallest and the largest factor"),
}
"""What is wrong with a recipe's file -> the file, and what the error says."""


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_an_error_that_names_file_and_key(case: str, tmp_path: Path) -> None:
    data, message = DAMAGED[case]
    file = tmp_path / "own.toml"
    file.write_bytes(data)
    with pytest.raises(RecipeError, match=r"^\S+own\.toml: ") as caught:
        load_recipe(str(file))
    assert re.search(message.replace("1e+06", r"1e\+06"), str(caught.value))
    assert len(str(caught.value)) < 900


@pytest.mark.parametrize("key", RANGES)
def test_every_number_has_a_range(key: str) -> None:
    low, high = RANGES[key]
    section, _, name = key.partition(".")
    before = load_recipe("baseline").to_dict()
    held = before[section][name]
    for wrong in (low - 1, high * 2 + 1, float("nan")):
        value = {"happy": wrong} if isinstance(held, dict) else (wrong, wrong) if isinstance(held, tuple) else wrong
        changed = {**before, section: {**before[section], name: value}}
        with pytest.raises(RecipeError):
            Recipe(**{part: _section(part, entry) for part, entry in changed.items()})


def _section(part: str, entry: Any) -> Any:
    """A section of a recipe of its entries, unchecked."""
    return getattr(load_recipe("baseline"), part).__class__(**entry) if isinstance(entry, dict) else entry


def test_every_number_of_a_recipe_has_a_range() -> None:
    numbers = {
        f"{section}.{name}"
        for section, table in load_recipe("baseline").to_dict().items()
        if isinstance(table, dict)
        for name, value in table.items()
        if not isinstance(value, str | bool) and name not in ("held_out", "validation_share")
    }
    assert numbers == set(RANGES)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("name.x=1", "cannot set 'name.x=1': name is 'baseline', and has no keys"),
        ("train.epochs.x=1", "unknown recipe key 'train.epochs.x'"),
        ("train.epochs=[[[[" + "[" * 50_000, "is not a valid TOML value"),
        ("train.epochs=" + "9" * 5000, "'train.epochs' must be int, but is"),
        ("train.epochs=0x" + "f" * 5000, "train.epochs must be"),
        (".x=1", "unknown recipe key ''"),
        ("train.=1", "unknown recipe key 'train.'"),
        ("=", "expected section.key=value"),
        ("", "expected section.key=value"),
        ("\x1b.\x1b=\x1b", "is not a valid TOML value"),
    ],
)
def test_strange_settings_are_refused_in_a_line(override: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe("baseline", overrides=[override])
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 900


def test_a_table_that_holds_itself_is_refused() -> None:
    table: dict[str, Any] = {"name": "x"}
    table["train"] = table
    with pytest.raises(RecipeError, match=r"unknown recipe key 'train\."):
        recipe_from_dict(table)
    row: list[Any] = []
    row.append(row)
    with pytest.raises(RecipeError, match="must be a list of int"):
        recipe_from_dict({"name": "x", "network": {"widths": row}})


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[train]\nepochs = 3\nfine_epochs = 0\n", encoding="utf-8-sig")
    assert load_recipe(str(tmp_path / "mine.toml")).train.epochs == 3


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_recipe("baseline").name = "x"  # type: ignore[misc]
