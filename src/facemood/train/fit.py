"""Run a recipe: data, module, Lightning's trainer, and the folder that a run leaves."""

from __future__ import annotations

import json
import logging
import time
import warnings
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint, RichProgressBar

from facemood import __version__
from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.errors import RecipeError
from facemood.labels import EXPRESSIONS
from facemood.train.batches import training_batches, validation_batches
from facemood.train.module import ExpressionModule
from facemood.train.recipe import Recipe, recipe_from_dict
from facemood.train.targets import LABEL_HEAD, VOTE_HEAD, make_targets

logger = logging.getLogger("facemood")

LAST, RUN_FILE, HISTORY = "last.ckpt", "run.json", "history.jsonl"


class History(lightning.Callback):
    """Append a JSON line for each epoch: what Lightning logged, and the seconds since training started or went on."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.started = time.monotonic()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write and log the epoch's figures."""
        metrics = {name: round(float(value), 4) for name, value in sorted(trainer.callback_metrics.items())}
        line = {"epoch": trainer.current_epoch, "seconds": round(time.monotonic() - self.started, 1), **metrics}
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
        logger.info("epoch %d: %s", line["epoch"], json.dumps(metrics))


def fit(recipe: Recipe, dataset: ExpressionDataset, run: Path, *, resume: bool = False, progress: bool = False) -> Path:
    """Train a network and return the path of its last checkpoint.

    The folder `run` gets ``run.json`` (recipe, classes, counts, environment), ``history.jsonl`` (what was logged of
    each epoch) and ``last.ckpt``, which is written after every epoch. A run that was killed goes on from there.

    Args:
        recipe: What to do.
        dataset: Where from; it must have the splits that the recipe names.
        run: The run's folder.
        resume: Go on with the run in that folder.
        progress: Show a bar on the terminal.

    Raises:
        RecipeError: The folder holds another run, or nothing to resume.
        DatasetError: The dataset lacks a split.
        OutputError: The folder cannot be written to.
    """
    training, validation = prepare(recipe, dataset)
    heads = {LABEL_HEAD: len(dataset.classes)} | ({VOTE_HEAD: len(EXPRESSIONS)} if dataset.votes is not None else {})
    facts = _facts(recipe, training, validation, heads)
    checkpoint = _open_run(run, facts, resume=resume)
    lightning.seed_everything(recipe.train.seed, verbose=False)
    module = ExpressionModule(recipe, heads)
    config = recipe.train
    targets = make_targets(training, smoothing=config.label_smoothing, distill=recipe.distill)
    batches = training_batches(
        training, targets, batch_size=config.batch_size, seed=config.seed, epoch=_first_epoch(checkpoint)
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Checkpoint directory .* exists and is not empty")  # we put run.json there
        warnings.filterwarnings("ignore", ".*LeafSpec.* is deprecated", FutureWarning)  # Lightning's, not ours
        warnings.filterwarnings("ignore", ".*does not have many workers")  # batches are slices of arrays in memory
        trainer = _trainer(recipe, run, progress=progress)
        try:
            trainer.fit(module, batches, validation_batches(validation), ckpt_path=checkpoint)
        except SystemExit:
            if trainer.interrupted:  # Lightning makes an exit of Ctrl-C; what that means is for our caller to say
                raise KeyboardInterrupt from None
            raise
    return run / LAST


def prepare(recipe: Recipe, dataset: ExpressionDataset) -> tuple[ExpressionDataset, ExpressionDataset]:
    """Return the training and validation images; no training image has a twin in a held-out split or in its fold."""
    validation = dataset.split(recipe.data.validate)
    pool = training_pool(recipe, dataset)
    training = pool
    if recipe.data.folds:
        training = pool.subset(pool.folds(recipe.data.folds) != recipe.data.fold)
        logger.info("fold %d of %d: %d images left out", recipe.data.fold, recipe.data.folds, len(pool) - len(training))
    logger.info("training on %d images", len(training))
    return training, validation


def training_pool(recipe: Recipe, dataset: ExpressionDataset) -> ExpressionDataset:
    """Return the images of the training split that have no twin in a held-out split."""
    twins = dataset.twins_of(recipe.data.held_out)
    logger.info("%d twins of held-out images left out", int(twins.sum()))
    return dataset.subset(~twins).split(recipe.data.train)


def load_trained(run: Path) -> tuple[ExpressionModule, dict[str, Any]]:
    """Load a run's averaged weights, ready for inference, and what ``run.json`` says of it.

    Raises:
        RecipeError: The folder holds no run with a checkpoint.
    """
    if not (run / LAST).is_file():
        raise RecipeError(f"{run}: expected a training run's folder with {LAST}, but there is none")
    facts = _read_facts(run)
    module = ExpressionModule(recipe_from_dict(facts["recipe"]), facts["heads"])
    state = torch.load(run / LAST, map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])
    return module.eval(), {**facts, "epochs_done": state["epoch"] + 1}


def _facts(
    recipe: Recipe, training: ExpressionDataset, validation: ExpressionDataset, heads: dict[str, int]
) -> dict[str, Any]:
    """Collect what a run must be able to say of itself."""
    return {
        "recipe": recipe.to_dict(),
        "dataset": training.name,
        "classes": list(training.classes),
        "heads": heads,
        "trained_on": {"split": recipe.data.train, "images": len(training), "classes": training.counts()},
        "validated_on": {"split": recipe.data.validate, "images": len(validation)},
        "versions": {"facemood": __version__, "torch": torch.__version__, "lightning": lightning.__version__},
    }


def _read_facts(run: Path) -> dict[str, Any]:
    """Read what a run wrote of itself when it began."""
    try:
        facts: dict[str, Any] = json.loads((run / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecipeError(f"{run / RUN_FILE}: is missing or damaged ({error}); train anew in another folder") from None
    return facts


def _open_run(run: Path, facts: dict[str, Any], *, resume: bool) -> Path | None:
    """Start a run's folder, or check that it holds this very run; return the checkpoint to go on from."""
    if resume:
        if not (run / LAST).is_file():
            raise RecipeError(f"{run}: nothing to resume, {LAST} is missing; start without resuming")
        before = _read_facts(run)
        same = ("recipe", "classes", "trained_on")
        changed = [key for key in same if json.dumps(before[key]) != json.dumps(facts[key])]
        if changed:
            raise RecipeError(
                f"{run}: was started with another {' and '.join(changed)}; resume with the same, or start a new run"
            )
        return run / LAST
    if (run / LAST).exists():
        raise RecipeError(f"{run}: already holds a run; resume it, or choose another folder")
    with replacing(run / RUN_FILE, encoding="utf-8") as text:
        json.dump(facts, text, indent=1)
    (run / HISTORY).unlink(missing_ok=True)  # of a run that was stopped before its first checkpoint
    return None


def _first_epoch(checkpoint: Path | None) -> int:
    """Return the epoch with which a run begins or goes on. Lightning opens the loader before it sets the epoch."""
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["epoch"]) + 1 if checkpoint else 0


def _trainer(recipe: Recipe, run: Path, *, progress: bool) -> lightning.Trainer:
    """Set Lightning up: averaged weights, a line of history and a checkpoint after each epoch."""
    callbacks: list[lightning.Callback] = [
        EMAWeightAveraging(decay=recipe.train.ema),
        History(run / HISTORY),
        ModelCheckpoint(
            dirpath=run, filename=Path(LAST).stem, enable_version_counter=False, save_on_train_epoch_end=True
        ),
    ]
    if progress:
        callbacks.append(RichProgressBar())
    return lightning.Trainer(
        max_epochs=recipe.train.epochs,
        accelerator="auto",
        devices=1,
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
