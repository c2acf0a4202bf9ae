"""Set up Lightning's trainer for a recipe: weight averaging, history, checkpoints, early stopping, several devices."""

from __future__ import annotations

import functools
import io
import json
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import lightning
import torch
from lightning.pytorch.callbacks import EarlyStopping, EMAWeightAveraging, ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.plugins.io import TorchCheckpointIO
from lightning.pytorch.utilities import rank_zero_only

from facemood.atomic import replacing
from facemood.errors import RecipeError, require
from facemood.train.module import ExpressionModule
from facemood.train.run_folder import BEST, HISTORY, LAST

logger: logging.Logger = logging.getLogger("facemood")

Watch: TypeAlias = Callable[[int, float], None]
"""Is told each epoch and its monitored figure; an exception that it raises ends the training."""


LOST = ("Connection closed by peer", "Connection reset by peer", "Broken pipe", "Timed out waiting")
"""What gloo, with which processors train together, says when another process is gone."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """The devices that a run trains on.

    Attributes:
        devices: Devices or processes of each machine (distributed data parallel if there are several).
        nodes: Machines.
        tensorboard: Also log for TensorBoard, into the run's folder.

    Raises:
        RecipeError: There are fewer devices.
    """

    devices: int = 1
    nodes: int = 1
    tensorboard: bool = False

    def __post_init__(self) -> None:
        there = torch.cuda.device_count() or os.cpu_count() or 1
        if not 1 <= self.devices <= there:
            what = "GPUs" if torch.cuda.is_available() else "processor cores"
            raise RecipeError(
                f"cannot train on {self.devices} devices: expected 1 to {there}, the {what} of this machine"
            )


class History(lightning.Callback):
    """Append a JSON line per epoch: the figures that Lightning logged, and the seconds since the (re)start."""

    def __init__(self, file: Path, watch: Watch | None = None) -> None:
        self.file: Path = file
        self.watch: Watch | None = watch
        self.started: float = time.monotonic()
        self.begun: bool = False

    def on_train_batch_end(self, *_: object) -> None:
        """Note that the checkpoint, if there was one, could be gone on from."""
        self.begun = True

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write and log the epoch's figures, in the first of several processes."""
        if not trainer.is_global_zero:
            return
        metrics = {name: round(float(value), 4) for name, value in sorted(trainer.callback_metrics.items())}
        line = {"epoch": trainer.current_epoch, "seconds": round(time.monotonic() - self.started, 1), **metrics}
        with self.file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(line) + "\n")
        logger.info("epoch %d: %s", line["epoch"], json.dumps(metrics))
        if self.watch is not None and isinstance(pl_module, ExpressionModule):
            self.watch(trainer.current_epoch, metrics[pl_module.watched])


class LocalCheckpoint(ModelCheckpoint):
    """Keeps checkpoints in a folder of this machine.

    Lightning first asks whether the folder lies in an object store. If s3fs is installed, it imports it for that, which
    opens a socket to see whether there is IPv6. The run's folder was checked before.
    """

    def _ModelCheckpoint__warn_if_dir_not_empty(self, dirpath: object) -> None:  # noqa: N802 - Lightning's private name
        """Do nothing."""


class WholeCheckpoints(TorchCheckpointIO):
    """Writes checkpoints that are renamed into place when they are whole, so that a killed run keeps the one before."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        """Write one.

        Raises:
            OutputError: The file cannot be written to.
        """
        stored = io.BytesIO()  # in memory first: torch swallows a Ctrl-C that comes while it writes to a file
        torch.save(checkpoint, stored)
        with replacing(path, "wb") as file:
            file.write(stored.getbuffer())


def has_begun(trainer: Any) -> bool:
    """Tell whether a trainer of Lightning's has trained on a batch."""
    return any(isinstance(callback, History) and callback.begun for callback in trainer.callbacks)


def leads() -> bool:
    """Return whether this process writes the run's files: the only one, or the first of several.

    Lightning knows the number of a process among all only when its trainer is open. Before, it is the first of its
    machine, whose number stands in the environment: NODE_RANK is Lightning's variable, GROUP_RANK that of torchrun.
    """
    node = os.environ.get("NODE_RANK") or os.environ.get("GROUP_RANK") or "0"
    return int(getattr(rank_zero_only, "rank", 0) or 0) == 0 and node == "0"


def lost_another(error: Exception) -> bool:
    """Return whether an error of the training means that another process of it is gone."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return False
    return isinstance(error, torch.distributed.DistError) or any(word in str(error) for word in LOST)


def open_trainer(
    module: ExpressionModule, run: Path, *, progress: bool, hardware: Hardware, watch: Watch | None = None
) -> lightning.Trainer:
    """Set Lightning up for a run.

    Args:
        module: The module to train.
        run: The folder for checkpoints and history.
        progress: Show a progress bar on the terminal.
        hardware: Devices and machines to train on.
        watch: Is told the monitored figure of each epoch.
    """
    together = "ddp_find_unused_parameters_true" if module.recipe.train.freeze_epochs else "ddp"
    return lightning.Trainer(
        max_epochs=module.recipe.train.epochs,
        accelerator="auto",
        devices=hardware.devices,
        num_nodes=hardware.nodes,
        strategy=together if hardware.devices * hardware.nodes > 1 else "auto",
        use_distributed_sampler=False,  # EpochSampler divides the batches itself
        callbacks=[*_callbacks(module, run, watch), *([RichProgressBar()] if progress else [])],
        plugins=[WholeCheckpoints()],
        logger=_tensorboard(run) if hardware.tensorboard else False,
        log_every_n_steps=1,
        enable_progress_bar=progress,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )


def _callbacks(module: ExpressionModule, run: Path, watch: Watch | None) -> list[lightning.Callback]:
    """Return the callbacks; the last checkpoint comes last, so that it has the state of all others."""
    train, stop = module.recipe.train, module.recipe.stop
    mode = "min" if stop.monitor == "loss" else "max"
    checkpoint = functools.partial(
        LocalCheckpoint, dirpath=run, enable_version_counter=False, save_on_train_epoch_end=True
    )
    callbacks: list[lightning.Callback] = [History(run / HISTORY, watch)]
    if train.ema:
        callbacks.append(EMAWeightAveraging(decay=train.ema))
    if stop.patience:
        callbacks.append(EarlyStopping(module.watched, mode=mode, patience=stop.patience, min_delta=stop.min_delta))
    if stop.keep == "best":
        callbacks.append(checkpoint(filename=Path(BEST).stem, monitor=module.watched, mode=mode))
    return [*callbacks, checkpoint(filename=Path(LAST).stem)]


def _tensorboard(run: Path) -> Any:
    """Open a log for TensorBoard in the run's folder."""
    require("tensorboard", extra="tensorboard")
    return TensorBoardLogger(run, name="", version="tensorboard")
