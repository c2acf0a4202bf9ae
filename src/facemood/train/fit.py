"""Run a recipe: data, module, Lightning's trainer, and the folder that a run leaves."""

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
"""Training images on which the batch norms of a network are measured that starts from a model's weights."""


def fit(
    recipe: Recipe,
    dataset: ExpressionDataset,
    run: Path,
    *,
    resume: bool = False,
    progress: bool = False,
    hardware: Hardware | None = None,
) -> Path:
    """Train a network and return the path of the checkpoint that is kept.

    The folder `run` gets ``run.json`` (recipe, classes, counts, environment), ``augmented.png`` (what the network
    sees), ``history.jsonl`` (what was logged of each epoch), ``last.ckpt``, which is written after every epoch, and
    ``best.ckpt`` where the recipe keeps the best. A run that was killed goes on from its last whole epoch.

    Args:
        recipe: What to do.
        dataset: Where from; it must have the split that the recipe trains on.
        run: The run's folder.
        resume: Go on with the run in that folder.
        progress: Show a bar on the terminal.
        hardware: Devices and machines to train on; None takes one device.

    Raises:
        RecipeError: The folder holds another run, or nothing to resume; or memory does not suffice.
        DatasetError: The dataset lacks a split, or a class is too small to be divided.
        OutputError: The folder cannot be written to.
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
    """Let Lightning train, and turn what it says of interruptions and memory into what our callers know."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # we put run.json there
        warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)  # Lightning's, not ours
        warnings.filterwarnings("ignore", ".*does not have many workers")  # batches are slices of arrays in memory
        try:
            trainer.fit(module, training, validation, ckpt_path=start)
        except SystemExit:
            if trainer.interrupted:  # Lightning makes an exit of Ctrl-C; what that means is for our caller to say
                raise KeyboardInterrupt from None
            raise
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not isinstance(error, torch.OutOfMemoryError | MemoryError) and "not enough memory" not in str(error):
                raise
            config = module.recipe.train
            raise RecipeError(
                f"memory does not suffice for batches of {config.batch_size} images of {module.size} pixels; lower "
                "train.batch_size, input.size or the network's widths, and resume or start again"
            ) from error


def kept_checkpoint(run: Path, recipe: Recipe) -> Path:
    """Return the checkpoint whose weights a run is known by."""
    return run / (BEST if recipe.stop.keep == "best" else LAST)


def load_trained(run: Path) -> tuple[ExpressionModule, dict[str, Any]]:
    """Load a run's averaged weights, ready for inference, and what ``run.json`` says of it.

    Raises:
        RecipeError: The folder holds no run with a checkpoint.
    """
    if not (run / LAST).is_file():
        raise RecipeError(f"{run}: expected a training run's folder with {LAST}, but there is none")
    facts, recipe = _read_facts(run), read_recipe(run)
    size = facts.get("input_size", 48)  # runs of version 0.1 did not say: all were of 48 pixels
    module = ExpressionModule(recipe, facts["heads"], size=size, pretrained=False)
    last = torch.load(run / LAST, map_location="cpu", weights_only=True)
    kept = torch.load(kept_checkpoint(run, recipe), map_location="cpu", weights_only=True)
    module.load_state_dict(kept["state_dict"])
    return module.eval(), {**facts, "epochs_done": last["epoch"] + 1, "epoch_kept": kept["epoch"] + 1}


def read_recipe(run: Path) -> Recipe:
    """Return the recipe of a run.

    Raises:
        RecipeError: The folder holds no run.
    """
    return recipe_from_dict(_read_facts(run)["recipe"])


def _facts(recipe: Recipe, training: ExpressionDataset, validation: ExpressionDataset) -> dict[str, Any]:
    """Collect what a run must be able to say of itself."""
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
    """Read what a run wrote of itself when it began."""
    try:
        facts: dict[str, Any] = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{run / RUN_FILE}: is missing or damaged ({error}); train again in another folder") from None
    return facts


def _open_run(run: Path, facts: dict[str, Any], *, resume: bool) -> Path | None:
    """Start a run's folder, or check that it holds this very run; return the checkpoint to go on from."""
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
        raise RecipeError(f"{run}: already holds a run; resume it, or choose another folder")
    if not leads():
        return None
    with replacing(run / RUN_FILE, encoding="utf-8") as text:
        json.dump(facts, text, indent=1)
    (run / HISTORY).unlink(missing_ok=True)  # of a run that was stopped before its first checkpoint
    return None


def _first_epoch(checkpoint: Path | None) -> int:
    """Return the epoch with which a run begins or goes on. Lightning opens the loader before it sets the epoch."""
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["epoch"]) + 1 if checkpoint else 0
