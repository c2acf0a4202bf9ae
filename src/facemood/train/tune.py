"""Tune a recipe: train it with other settings, chosen by Optuna, and compare the trials on the validation images.

A trial is a training run. Settings are drawn by a tree-structured Parzen estimator (Bergstra et al. 2011), which
prefers those of good trials. A trial that is worse than the median of those before it, at the same epoch, is ended.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.errors import RecipeError, require
from facemood.text import count, exact_percent, markdown_table
from facemood.train.fit import fit
from facemood.train.recipe import Recipe
from facemood.train.recipe_file import load_recipe
from facemood.train.run_folder import BEST, LAST

JOURNAL = "trials.journal"
"""File of all trials in a tuning's folder, as Optuna writes it; a tuning goes on from it."""

PAGE = "tuning.md"
"""File of the page that tells what was found."""

FIRST = 5
"""Trials that are never ended early, because there is nothing to compare them with."""

TELLING = 12
"""Whole trials from which on the page says which settings mattered."""

ENDS = {"COMPLETE": "whole", "PRUNED": "ended early"}
"""How a trial can end, by Optuna's name of its state; one that failed counts as none."""

GOOD = 0.25
"""Share of the trials that are looked at for what sets them apart; a tenth is too few of some dozen trials."""

RANGE = re.compile(r"([a-z_0-9]+\.[a-z_0-9]+)=(-?[0-9.e+-]+)\.\.(-?[0-9.e+-]+)", re.IGNORECASE)
"""A range on the command line: ``train.learning_rate=1e-4..1e-2``."""

WIDE = 20.0
"""Ranges whose ends differ by this factor or more are searched by powers: 0.01 is midway between 0.001 and 0.1."""


@dataclass(frozen=True, slots=True)
class SettingRange:
    """The values that a setting of a recipe may have in a trial.

    Attributes:
        key: The setting, such as ``"train.learning_rate"``.
        low: The least value.
        high: The greatest.
        whole: Whether only whole numbers are drawn.
    """

    key: str
    low: float
    high: float
    whole: bool = False

    def draw(self, trial: Any) -> float | int:
        """Draw a value for a trial of Optuna."""
        logarithmic = self.low > 0 and self.high / self.low >= WIDE
        if self.whole:
            return int(trial.suggest_int(self.key, int(self.low), int(self.high), log=logarithmic))
        return float(trial.suggest_float(self.key, self.low, self.high, log=logarithmic))


def read_range(text: str, recipe: Recipe) -> SettingRange:
    """Read a range as it stands on the command line.

    Args:
        text: ``KEY=LOW..HIGH``, such as ``"train.learning_rate=1e-4..1e-2"``.
        recipe: The recipe, which must have a number there.

    Raises:
        RecipeError: It is none, or the recipe has no number of that name.

    Example:
        >>> read_range("augment.rotation=0..20", Recipe("mine"))
        SettingRange(key='augment.rotation', low=0.0, high=20.0, whole=False)
    """
    match = RANGE.fullmatch(text)
    section, _, name = text.partition("=")[0].partition(".")
    value = recipe.to_dict().get(section, {})
    value = value.get(name) if isinstance(value, dict) else None
    if not match or type(value) not in (int, float):
        raise RecipeError(
            f"{text!r} is no range of a setting; expected KEY=LOW..HIGH, as train.learning_rate=1e-4..1e-2"
        )
    try:
        low, high = float(match[2]), float(match[3])
    except ValueError:
        raise RecipeError(f"{text!r} is no range of a setting: its ends must be numbers") from None
    if not (low < high and math.isfinite(low) and math.isfinite(high)):
        raise RecipeError(f"{text!r} is no range of a setting: the first number must be below the second")
    return SettingRange(match[1], low, high, whole=type(value) is int)


def usual_ranges(recipe: Recipe) -> tuple[SettingRange, ...]:
    """Return the ranges that are searched unless others are named: around the recipe's learning rate, and the usual."""
    rate = recipe.train.learning_rate
    return (
        SettingRange("train.learning_rate", rate / 10, rate * 10),
        SettingRange("train.weight_decay", 1e-6, 1e-2),
        SettingRange("train.label_smoothing", 0.0, 0.2),
        SettingRange("network.dropout", 0.0, 0.6),
        SettingRange("augment.rotation", 0.0, 25.0),
        SettingRange("augment.shift", 0.0, 0.15),
        SettingRange("augment.erase", 0.0, 0.5),
    )


def tune(
    name: str,
    dataset: ExpressionDataset,
    folder: Path,
    *,
    settings: Sequence[str] = (),
    ranges: Sequence[SettingRange] = (),
    trials: int = 20,
    hours: float = math.inf,
) -> Path:
    """Train a recipe in several trials, and write a page on what was found.

    A tuning that was stopped goes on in the same folder. A trial that was running then is begun again.

    Args:
        name: The recipe's name or file.
        dataset: The dataset.
        folder: The folder of the tuning; each trial is a run in it.
        settings: Settings that are changed in all trials, such as ``"train.epochs=20"``.
        ranges: What is searched; none for `usual_ranges`.
        trials: Number of trials, those of earlier calls included.
        hours: Hours after which no further trial begins.

    Returns:
        The page.

    Raises:
        RecipeError: The folder holds the tuning of another recipe, or no trial could be finished.
        MissingExtraError: Optuna is not installed (extra ``tune``).
        OutputError: The folder cannot be written to.
    """
    recipe = load_recipe(name, overrides=settings)
    ranges = tuple(ranges) or usual_ranges(recipe)
    study = _open_study(recipe, dataset, folder, ranges)
    left = trials - sum(trial.state.name in ENDS for trial in study.get_trials(deepcopy=False))

    def run(trial: Any) -> float:
        drawn = [f"{entry.key}={entry.draw(trial)!r}" for entry in ranges]
        return _run_trial(load_recipe(name, overrides=[*settings, *drawn]), dataset, folder, trial)

    if left > 0:
        study.optimize(run, n_trials=left, timeout=None if hours == math.inf else 3600 * hours)
    _keep_best(study, folder)
    with replacing(folder / PAGE, encoding="utf-8") as text:
        text.write(page(study, recipe))
    return folder / PAGE


def page(study: Any, recipe: Recipe) -> str:
    """Write what a study of Optuna found, as Markdown.

    Args:
        study: The study, with one whole trial at least.
        recipe: The recipe that was tuned.
    """
    done = [trial for trial in study.get_trials(deepcopy=False) if trial.state.name in ENDS]
    whole = [trial for trial in done if trial.state.name == "COMPLETE"]
    best = study.best_trial
    parts = [
        f"# Tuning of {recipe.name}",
        f"{count(len(whole), 'trial')} ran to the end, {len(done) - len(whole)} were ended early. They are compared by "
        f"the {recipe.stop.monitor} on the validation images, which is too good for the best of many: measure that one "
        "on images that chose nothing.",
        f"The best is trial {best.number} with {_figure(best.value, recipe)}:",
        "\n".join(f"    --set {key}={value:.4g}" for key, value in best.params.items()),
        f"## What mattered\n\n{_importances(study, len(whole))}",
        f"## Trials\n\n{markdown_table([_row(trial, recipe) for trial in done])}\n",
    ]
    return "\n\n".join(parts)


def _run_trial(recipe: Recipe, dataset: ExpressionDataset, folder: Path, trial: Any) -> float:
    """Train one trial, and return its figure; it is ended if others were better at the same epoch."""
    optuna = require("optuna", extra="tune")
    run = folder / f"trial-{trial.number}"
    seen: list[float] = []

    def watch(epoch: int, figure: float) -> None:
        seen.append(figure)
        trial.report(figure, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    fit(recipe, dataset, run, watch=watch)
    return (max if _rises(recipe) else min)(seen) if recipe.stop.keep == "best" else seen[-1]


def _open_study(recipe: Recipe, dataset: ExpressionDataset, folder: Path, ranges: Sequence[SettingRange]) -> Any:
    """Open the journal of a tuning, or begin one; trials that were running when it stopped are put in line again."""
    optuna = require("optuna", extra="tune")
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
        study_name="tuning",
        direction="maximize" if _rises(recipe) else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST, n_warmup_steps=recipe.train.epochs // 5),
        load_if_exists=True,
    )
    begun = len(study.get_trials(deepcopy=False))  # a sampler that begins again must not draw the same again
    study.sampler = optuna.samplers.TPESampler(seed=recipe.train.seed + begun)
    about = {
        "recipe": recipe.to_dict(),
        "dataset": [dataset.name, len(dataset)],
        "ranges": [dataclasses.asdict(entry) for entry in ranges],
    }
    told = json.loads(json.dumps(about))
    if study.user_attrs.get("about", told) != told:
        raise RecipeError(f"{folder}: holds the tuning of another recipe, dataset or ranges; name another folder")
    study.set_user_attr("about", told)
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def _keep_best(study: Any, folder: Path) -> None:
    """Remove the checkpoints of all trials but the best, and make sure that there is a best."""
    try:
        best = study.best_trial.number
    except ValueError:
        raise RecipeError(f"{folder}: no trial was finished; allow more trials or hours, or fewer epochs") from None
    for trial in study.get_trials(deepcopy=False):
        if trial.number != best:
            for name in (LAST, BEST):
                (folder / f"trial-{trial.number}" / name).unlink(missing_ok=True)


def _importances(study: Any, whole: int) -> str:
    """Say which settings made good trials good (PED-ANOVA, Watanabe et al. 2023)."""
    if whole < TELLING:
        return f"Too few trials ran to the end to tell ({whole} of {TELLING})."
    optuna = require("optuna", extra="tune")
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=GOOD)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            found = optuna.importance.get_param_importances(study, evaluator=evaluator)
        except UserWarning:  # it cannot set the best trials apart
            return "Too many trials are equally good to tell."
    rows = [{"setting": key, "share": exact_percent(share)} for key, share in found.items()]
    told = "The share of each setting in what sets the best quarter of the trials apart (PED-ANOVA)."
    return f"{markdown_table(rows)}\n\n{told}"


def _row(trial: Any, recipe: Recipe) -> dict[str, str]:
    """Return the row of a trial."""
    return {
        "trial": str(trial.number),
        "end": ENDS[trial.state.name],
        "epochs": str(len(trial.intermediate_values)),
        recipe.stop.monitor: _figure(trial.value, recipe),
        **{key: f"{value:.4g}" for key, value in trial.params.items()},
    }


def _figure(value: float, recipe: Recipe) -> str:
    """Write a monitored figure."""
    return exact_percent(value) if _rises(recipe) else f"{value:.4f}"


def _rises(recipe: Recipe) -> bool:
    """Return whether higher figures are better."""
    return recipe.stop.monitor != "loss"
