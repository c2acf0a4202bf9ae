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
from facemood.errors import FacemoodError, RecipeError, WorkerError
from facemood.evaluation.run_images import TEST, TRAINING, VALIDATION, write_images
from facemood.spacing import evenly_spaced
from facemood.switches import check_switches
from facemood.text import joined
from facemood.train.cached_features import FEATURES, CachedFeatures
from facemood.train.data.batches import as_tensor, training_batches, validation_batches
from facemood.train.data.contact_sheet import write_contact_sheet
from facemood.train.data.divide import class_weights, prepare, test_images
from facemood.train.data.fit_input import fit_input
from facemood.train.data.soft_labels import read_soft_labels, teachers_of
from facemood.train.data.targets import heads_of, make_targets
from facemood.train.data.upright import UPRIGHT_FILE, upright_matrices
from facemood.train.module import ExpressionModule
from facemood.train.networks.frozen_part import FrozenPart
from facemood.train.networks.plain import TrunkNetwork
from facemood.train.networks.start import check_heads, load_start, read_start, with_shape_of_start
from facemood.train.networks.weights_file import find_weights
from facemood.train.recipe import Recipe
from facemood.train.run_folder import (
    BEST,
    LAST,
    RUN_FILE,
    check_weights_of,
    cut_history,
    load_weights_of,
    read_checkpoint,
    read_facts,
    read_recipe,
)
from facemood.train.trainer import Hardware, Watch, has_begun, leads, lost_another, open_trainer

logger: logging.Logger = logging.getLogger("facemood")

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
    features: Path | None = None,
    watch: Watch | None = None,
) -> Path:
    """Train a network and return the path of its checkpoint.

    The folder `run` gets ``run.json`` (recipe, classes, counts, environment), ``images.csv`` (which image files are for
    training, validation and test), ``augmented.png`` (augmented training images), ``upright.npz`` (the landmarks of the
    training images, if the recipe turns them upright), ``history.jsonl`` (the logged figures of each epoch),
    ``last.ckpt``, which is written after every epoch, and ``best.ckpt`` if the recipe keeps the best. Cached features
    are kept in ``features``; they may be deleted after the run. An interrupted run can be resumed from its last
    complete epoch.

    Args:
        recipe: The recipe.
        dataset: The dataset; it must have the split that the recipe trains on.
        run: The run's folder.
        resume: Resume the run in that folder.
        progress: Show a progress bar on the terminal.
        hardware: Devices and machines to train on; None for one device.
        features: Folder of cached features that several runs share; None for one in the run's folder.
        watch: Is told each epoch and its monitored figure; an exception that it raises ends the training.

    Raises:
        RecipeError: The folder has another run, a damaged one, or nothing to resume; there is not enough memory; or the
            network cannot be frozen as the recipe says.
        DatasetError: The dataset lacks a split, or a class is too small to be split.
        OutputError: The folder cannot be written, or has no space for the features.
        WorkerError: Another of several processes that train together is gone.
        OptionError: `resume` or `progress` is no bool.
    """
    check_switches(resume=resume, progress=progress)
    hardware = hardware or Hardware()
    if recipe.train.cached_versions and hardware.devices * hardware.nodes > 1:
        raise RecipeError("train.cached_versions is for one process; train on one device, or set it to 0")
    training, validation = prepare(recipe, dataset)
    test = test_images(dataset)
    recipe = with_shape_of_start(recipe)
    facts = {**_facts(recipe, training, validation, test), **({} if resume else _origins(recipe))}
    checkpoint = _open_run(run, facts, resume=resume)
    before = read_checkpoint(checkpoint) if checkpoint else None
    lightning.seed_everything(recipe.train.seed, verbose=False)
    weights, config = class_weights(training, recipe.loss), recipe.train
    module = ExpressionModule(
        recipe, facts["heads"], size=facts["input_size"], class_weights=weights, pretrained=before is None
    )
    if checkpoint and before:
        check_weights_of(module, checkpoint, before)
    elif recipe.network.start:
        _start(module, training)
    targets = make_targets(
        training,
        smoothing=config.label_smoothing,
        from_votes=recipe.loss.targets == "votes",
        distill=recipe.distill,
    )
    done = before["epoch"] + 1 if before else 0  # Lightning opens the loader before it sets the epoch
    upright = upright_matrices(training, run / UPRIGHT_FILE) if recipe.turns_upright else None
    batches = training_batches(
        training, targets, batch_size=config.batch_size, seed=config.seed, epoch=done, upright=upright
    )
    watched = validation_batches(validation)
    if config.freeze_epochs:
        _freeze(module, batches, watched, features or run / FEATURES)
    if leads():
        cut_history(run, done)
        parts = {TRAINING: training, VALIDATION: validation, **({TEST: test} if test else {})}
        write_images(run, dataset, parts)
        write_contact_sheet(run / CONTACT_SHEET, training, recipe, upright)
    trainer = open_trainer(module, run, progress=progress, hardware=hardware, watch=watch)
    _run(trainer, module, batches, watched, checkpoint)
    return kept_checkpoint(run, recipe)


def _freeze(module: ExpressionModule, batches: Any, watched: Any, folder: Path) -> None:
    """Tell a module which part of its network is frozen at first, and where the features of that part are kept."""
    recipe, size = module.recipe, module.size
    if not (recipe.train.freeze_through or recipe.train.cached_versions or isinstance(module.network, TrunkNetwork)):
        return  # all but the heads is frozen
    images = 255 * torch.rand(2, *batches.dataset[torch.arange(1)].images.shape[1:], generator=torch.Generator())
    module.part = FrozenPart(module.network, recipe.train.freeze_through, fit_input(images, recipe, size))
    if recipe.train.cached_versions:
        module.cache = CachedFeatures(
            recipe, size, module.part, training=batches.dataset, validation=watched.dataset, folder=folder
        )


def _start(module: ExpressionModule, training: ExpressionDataset) -> None:
    """Load the weights of the model that a recipe starts from."""
    recipe = module.recipe
    if recipe.network.start_heads:
        check_heads(recipe.network.start, heads_of(training, votes=recipe.train.ferplus_weight > 0))
    images = _sample(training, recipe, module.size)
    load_start(module.network, read_start(recipe.network.start), images, heads=recipe.network.start_heads)


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
        except Exception as error:
            if lost_another(error):
                raise WorkerError(
                    f"another of the {trainer.world_size} processes that train together is gone; start all of them "
                    "again with --resume, and they go on from the last complete epoch"
                ) from error
            if (explained := _explain(error, module, start, begun=has_begun(trainer))) is None:
                raise
            raise explained from error


def _explain(error: Exception, module: ExpressionModule, start: Path | None, *, begun: bool) -> RecipeError | None:
    """Say what an error of the training means, where that is known: too little memory, or a damaged checkpoint."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or "not enough memory" in str(error):
        return RecipeError(
            f"there is not enough memory for batches of {module.recipe.train.batch_size} images of {module.size} "
            "pixels; lower train.batch_size, input.size or the network's widths, and resume or start again"
        )
    if start is not None and not begun and not isinstance(error, FacemoodError):
        return RecipeError(
            f"{start}: cannot be resumed from: it is damaged, or of another version of Lightning "
            f"({type(error).__name__}: {str(error)[:200]})"
        )
    return None


def kept_checkpoint(run: Path, recipe: Recipe) -> Path:
    """Return the checkpoint with the final weights of a run."""
    return run / (BEST if recipe.stop.keep == "best" else LAST)


def load_trained(run: Path) -> tuple[ExpressionModule, dict[str, Any]]:
    """Load a run's averaged weights, ready for inference, and the facts in ``run.json``.

    Raises:
        RecipeError: The folder has no run with a checkpoint, or a file of it is damaged.
    """
    if not (run / LAST).is_file():
        raise RecipeError(f"{run}: expected a training run's folder with {LAST}, but there is none")
    facts, recipe = read_facts(run), read_recipe(run)
    module = ExpressionModule(recipe, facts["heads"], size=facts["input_size"], pretrained=False)
    file = kept_checkpoint(run, recipe)
    last, kept = read_checkpoint(run / LAST), read_checkpoint(file)
    load_weights_of(module, file, kept)
    return module.eval(), {**facts, "epochs_done": last["epoch"] + 1, "epoch_kept": kept["epoch"] + 1}


def _facts(
    recipe: Recipe, training: ExpressionDataset, validation: ExpressionDataset, test: ExpressionDataset | None
) -> dict[str, Any]:
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
        **({"kept_aside": {"images": len(test)}} if test else {}),
        "unreadable": list(training.unreadable),
        "versions": {"facemood": __version__, "torch": torch.__version__, "lightning": lightning.__version__},
        "environment": {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()},
    }


def _origins(recipe: Recipe) -> dict[str, Any]:
    """Return what else a run learns from: the file of pretrained weights, and the teachers of the soft labels."""
    network, labels = recipe.network, recipe.distill.labels
    started = network.weights and network.pretrained
    return {
        **({"weights": find_weights(network.weights, sha256=network.weights_sha256).facts()} if started else {}),
        **({"teachers": teachers_of(read_soft_labels(labels).about)} if labels else {}),
    }


def _open_run(run: Path, facts: dict[str, Any], *, resume: bool) -> Path | None:
    """Create a run's folder, or check that it has the same run; return the checkpoint to resume from."""
    if resume:
        if not (run / LAST).is_file():
            raise RecipeError(f"{run}: nothing to resume, {LAST} is missing; start without resuming")
        before = read_facts(run)
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
    return None
