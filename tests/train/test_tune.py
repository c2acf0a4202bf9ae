import re
from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import ExpressionDataset
from facemood.errors import RecipeError
from facemood.train import Recipe, load_recipe
from facemood.train.tune import SettingRange, page, read_range, tune
from tests.train.test_fit import bright_or_dark, small_recipe

CNN48 = [
    "network.widths=[4, 8]",
    "network.blocks=[1, 1]",
    "network.dense=[8]",
    "data.validate='PublicTest'",
    "train.epochs=2",
    "train.batch_size=16",
    "input.size=0",
]
"""cnn48, so small that a trial takes a second."""


@pytest.fixture
def optuna() -> object:
    return pytest.importorskip("optuna", reason="tuning needs the extra tune")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("train.learning_rate=1e-4..1e-2", SettingRange("train.learning_rate", 1e-4, 1e-2)),
        ("augment.rotation=0..12.5", SettingRange("augment.rotation", 0.0, 12.5)),
        ("train.batch_size=16..128", SettingRange("train.batch_size", 16.0, 128.0, whole=True)),
    ],
)
def test_ranges_are_read_from_the_command_line(text: str, found: SettingRange) -> None:
    assert read_range(text, small_recipe()) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("train.learning_rate", "is no range of a setting; expected KEY=LOW..HIGH"),
        ("train.learning_rat=1..2", "is no range of a setting; expected KEY=LOW..HIGH"),
        ("train.optimizer=1..2", "is no range of a setting; expected KEY=LOW..HIGH"),
        ("name=1..2", "is no range of a setting; expected KEY=LOW..HIGH"),
        ("train.learning_rate=2..1", "the first number must be below the second"),
        ("train.learning_rate=1e-..2", "its ends must be numbers"),
        ("train.learning_rate=1e-3..1e999", "the first number must be below the second"),
    ],
)
def test_what_is_no_range_is_reported(text: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        read_range(text, Recipe("mine"))


class Drawing:
    """Notes how a value was asked for, and gives the least."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        self.asked: tuple[str, bool] = (name, log)
        return low

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        self.asked = (name, log)
        return low


@pytest.mark.parametrize(
    ("low", "high", "logarithmic"), [(1e-4, 1e-2, True), (0.0, 10.0, False), (1.0, 19.0, False), (1.0, 20.0, True)]
)
def test_wide_ranges_are_searched_by_powers(low: float, high: float, logarithmic: bool) -> None:
    trial = Drawing()
    assert SettingRange("a.b", low, high).draw(trial) == low
    assert trial.asked == ("a.b", logarithmic)
    assert SettingRange("a.b", low, high, whole=True).draw(trial) == int(low)


@pytest.mark.slow
def test_a_tuning_of_cnn48_finds_goes_on_and_tells(tmp_path: Path, optuna: object) -> None:
    dataset: ExpressionDataset = bright_or_dark()
    recipe = load_recipe("cnn48", overrides=CNN48)
    ranges = [read_range(text, recipe) for text in ("train.learning_rate=1e-5..1e-1", "network.dropout=0..0.5")]
    first = tune("cnn48", dataset, tmp_path, settings=CNN48, ranges=ranges, trials=1)
    assert "1 trial ran to the end, 0 were ended early." in first.read_text()
    assert "Too few trials ran to the end to tell (1 of 12)." in first.read_text()
    text = tune("cnn48", dataset, tmp_path, settings=CNN48, ranges=ranges, trials=9).read_text()
    rows = [line for line in text.splitlines() if re.match(r"\| \d+ \| (whole|ended early) \|", line)]
    assert len(rows) == 9
    assert len(list(tmp_path.glob("trial-*/*.ckpt"))) in (1, 2)  # of the best trial
    rates = [float(row.split("|")[5]) for row in rows]
    assert len(set(rates)) == 9
    assert all(1e-5 <= rate <= 1e-1 for rate in rates)
    again = tune("cnn48", dataset, tmp_path, settings=CNN48, ranges=ranges, trials=9).read_text()
    assert again == text
    with pytest.raises(RecipeError, match="holds the tuning of another recipe, dataset or ranges"):
        tune("cnn48", dataset, tmp_path, settings=[*CNN48, "train.seed=7"], ranges=ranges, trials=9)


def test_the_page_says_what_was_best_and_what_mattered(optuna: object) -> None:
    import optuna as library

    library.logging.set_verbosity(library.logging.WARNING)
    study = library.create_study(direction="maximize", sampler=library.samplers.RandomSampler(seed=0))
    rng = np.random.default_rng(0)
    distributions: dict[str, library.distributions.BaseDistribution] = {
        "train.learning_rate": library.distributions.FloatDistribution(1e-4, 1e-1, log=True),
        "augment.shift": library.distributions.FloatDistribution(0.0, 0.2),
    }
    for number in range(20):
        rate = 10 ** rng.uniform(-4, -1)
        shift = rng.uniform(0, 0.2)
        study.add_trial(
            library.trial.create_trial(
                params={"train.learning_rate": rate, "augment.shift": shift},
                distributions=distributions,
                value=1 - abs(np.log10(rate) + 2) / 3,  # the shift does not matter
                intermediate_values={0: 0.1, 1: 0.2},
                state=library.trial.TrialState.COMPLETE if number else library.trial.TrialState.PRUNED,
            )
        )
    text = page(study, small_recipe())
    assert "19 trials ran to the end, 1 were ended early." in text
    best = study.best_trial
    assert f"The best is trial {best.number} with " in text
    assert f"    --set train.learning_rate={best.params['train.learning_rate']:.4g}" in text
    mattered = text.split("## What mattered")[1]
    assert mattered.index("train.learning_rate") < mattered.index("augment.shift")
