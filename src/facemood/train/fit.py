"""Run a recipe: prepare the data, train with Lightning, and write the run's folder."""

from __future__ import annotations

import json
import logging
import os
import platform
import warnings
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor

from facemood import __version__
from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.errors import RecipeError
from facemood.spacing import evenly_spaced
from facemood.text import joined
from facemood.train.data.batches import as_tensor, training_batches, validation_batches
from facemood.train.data.contact_sheet import write_contact_sheet
from facemood.train.data.divide import class_weights, prepare
from facemood.train.data.targets import heads_of, make_targets
from facemood.train.module import ExpressionModule, fit_input
from facemood.train.networks.start import load_start, read_start, with_shape_of_start
from facemood.train.recipe import Recipe
from facemood.train.recipe_file import recipe_from_dict
from facemood.train.trainer import BEST, HISTORY, LAST, Hardware, leads, open_trainer

logger: logging.Logger = logging.getLogger("facemood")

RUN_FILE = "run.json"
"""File of a run's facts: recipe, classes, counts, environment."""

CONTACT_SHEET = "augmented.png"
"""File of augmented training images in a run's folder."""

NORM_IMAGES = 512
"""Training images on which the batch norms are measured if a network starts from a model's weights."""


def fit(
    recipe: Recipe,
    dataset: ExpressionDataset,
    run: Path,
    *,
    resume: bool = False,
    progress: bool = False,
    hardware: Hardware | None = None,
) -> Path:
    """Train a network and return the path of its checkpoint.

    The folder `run` gets ``run.json`` (recipe, classes, counts, environment), ``augmented.png`` (augmented training
    images), ``history.jsonl`` (the logged figures of each epoch), ``last.ckpt``, which is written after every epoch,
    and ``best.ckpt`` if the recipe keeps the best. An interrupted run can be resumed from its last complete epoch.

    Args:
        recipe: The recipe.
        dataset: The dataset; it must have the split that the recipe trains on.
        run: The run's folder.
        resume: Resume the run in that folder.
        progress: Show a progress bar on the terminal.
        hardware: Devices and machines to train on; None for one device.

    Raises:
        RecipeError: The folder has another run, or nothing to resume; or there is not enough memory.
        DatasetError: The dataset lacks a split, or a class is too small to be split.
        OutputError: The folder cannot be written.
    """
    training, validation = prepare(recipe, dataset)
    recipe = with_shape_of_start(recipe)
    facts = _facts(recipe, training, validation)
    checkpoint = _open_run(run, facts, resume=resume)
    lightning.seed_everything(recipe.train.seed, verbose=False)
    weights, config = class_weights(training, recipe.loss), recipe.train
    module = ExpressionModule(recipe, facts["heads"], size=facts["input_size"], class_weights=weights)
    if recipe.network.start and checkpoint is None:
        load_start(module.network, read_start(recipe.network.start), _sample(training, recipe, module.size))
    targets = make_targets(
        training,
        smoothing=config.label_smoothing,
        from_votes=recipe.loss.targets == "votes",
        distill=recipe.distill,
    )
    batches = training_batches(
        training, targets, batch_size=config.batch_size, seed=config.seed, epoch=_first_epoch(checkpoint)
    )
    if leads():
        write_contact_sheet(run / CONTACT_SHEET, training, recipe)
    trainer = open_trainer(module, run, progress=progress, hardware=hardware or Hardware())
    _run(trainer, module, batches, validation_batches(validation), checkpoint)
    return kept_checkpoint(run, recipe)


def _sample(training: ExpressionDataset, recipe: Recipe, size: int) -> Tensor:
    """Return evenly spaced training images as the network's input."""
    rows = evenly_spaced(len(training), NORM_IMAGES)
    return fit_input(as_tensor(np.asarray(training.images[rows])).float(), recipe, size)


def _run(
    trainer: lightning.Trainer, module: ExpressionModule, training: Any, validation: Any, start: Path | None
) -> None:
    """Train with Lightning, and convert its errors on interruptions and memory."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # run.json is there
        warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)  # in Lightning, not here
        warnings.filterwarnings("ignore", ".*does not have many workers")  # batches are slices of arrays in memory
        try:
            trainer.fit(module, training, validation, ckpt_path=start)
        except SystemExit:
            if trainer.interrupted:  # Lightning turns Ctrl-C into an exit; the caller decides what it means
                raise KeyboardInterrupt from None
            raise
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "not enough memory" not in str(error):
                raise
            config = module.recipe.train
            raise RecipeError(
                f"there is not enough memory for batches of {config.batch_size} images of {module.size} pixels; lower "
                "train.batch_size, input.size or the network's widths, and resume or start again"
            ) from error


def kept_checkpoint(run: Path, recipe: Recipe) -> Path:
    """Return the checkpoint with the final weights of a run."""
    return run / (BEST if recipe.stop.keep == "best" else LAST)


def load_trained(run: Path) -> tuple[ExpressionModule, dict[str, Any]]:
    """Load a run's averaged weights, ready for inference, and the facts in ``run.json``.

    Raises:
        RecipeError: The folder has no run with a checkpoint.
    """
    if not (run / LAST).is_file():
        raise RecipeError(f"{run}: expected a training run's folder with {LAST}, but there is none")
    facts, recipe = _read_facts(run), read_recipe(run)
    size = facts.get("input_size", 48)  # not recorded by version 0.1, which only had 48 pixels
    module = ExpressionModule(recipe, facts["heads"], size=size, pretrained=False)
    last = torch.load(run / LAST, map_location="cpu", weights_only=True)
    kept = torch.load(kept_checkpoint(run, recipe), map_location="cpu", weights_only=True)
    module.load_state_dict(kept["state_dict"])
    return module.eval(), {**facts, "epochs_done": last["epoch"] + 1, "epoch_kept": kept["epoch"] + 1}


def read_recipe(run: Path) -> Recipe:
    """Return the recipe of a run.

    Raises:
        RecipeError: The folder has no run.
    """
    return recipe_from_dict(_read_facts(run)["recipe"])


def _facts(recipe: Recipe, training: ExpressionDataset, validation: ExpressionDataset) -> dict[str, Any]:
    """Collect the facts of a run for ``run.json``."""
    heads = heads_of(training, votes=recipe.train.ferplus_weight > 0)
    return {
        "recipe": recipe.to_dict(),
        "dataset": training.name,
        "classes": list(training.classes),
        "heads": {head: len(words) for head, words in heads.items()},
        "input_size": recipe.input.size or training.images.shape[1],
        "trained_on": {"split": recipe.data.train, "images": len(training), "classes": training.counts()},
        "validated_on": {"split": recipe.data.validate, "images": len(validation)},
        "unreadable": list(training.unreadable),
        "versions": {"facemood": __version__, "torch": torch.__version__, "lightning": lightning.__version__},
        "environment": {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()},
    }


def _read_facts(run: Path) -> dict[str, Any]:
    """Read the facts of a run from ``run.json``."""
    try:
        facts: dict[str, Any] = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{run / RUN_FILE}: is missing or damaged ({error}); train again in another folder") from None
    return facts


def _open_run(run: Path, facts: dict[str, Any], *, resume: bool) -> Path | None:
    """Create a run's folder, or check that it has the same run; return the checkpoint to resume from."""
    if resume:
        if not (run / LAST).is_file():
            raise RecipeError(f"{run}: nothing to resume, {LAST} is missing; start without resuming")
        before = _read_facts(run)
        same = ("recipe", "dataset", "classes", "trained_on", "validated_on")
        changed = [key for key in same if json.dumps(before[key]) != json.dumps(facts[key])]
        if changed:
            raise RecipeError(
                f"{run}: was started with another {joined(changed)}; resume with the same, or start a new run"
            )
        return run / LAST
    if (run / LAST).exists():
        raise RecipeError(f"{run}: already has a run; resume it, or choose another folder")
    if not leads():
        return None
    with replacing(run / RUN_FILE, encoding="utf-8") as text:
        json.dump(facts, text, indent=1)
    (run / HISTORY).unlink(missing_ok=True)  # from a run that was stopped before its first checkpoint
    return None


def _first_epoch(checkpoint: Path | None) -> int:
    """Return the first epoch of a new or resumed run; Lightning opens the loader before it sets the epoch."""
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["epoch"]) + 1 if checkpoint else 0
