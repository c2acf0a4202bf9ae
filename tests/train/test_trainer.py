import os
from pathlib import Path
from typing import Any

import pytest
import torch

from facemood.errors import RecipeError
from facemood.train import Hardware
from facemood.train.module import ExpressionModule
from facemood.train.run_folder import BEST, LAST
from facemood.train.trainer import open_trainer
from tests.train.test_fit import small_recipe


def test_more_devices_than_there_are_is_reported() -> None:
    there = torch.cuda.device_count() or os.cpu_count() or 1
    assert Hardware(devices=there).devices == there
    for wrong in (0, there + 1):
        with pytest.raises(RecipeError, match=f"cannot train on {wrong} devices: expected 1 to {there}"):
            Hardware(devices=wrong)


def kinds(trainer: Any) -> list[str]:
    return [type(one).__name__ for one in trainer.callbacks]


def opened(run: Path, *settings: str) -> Any:
    """Lightning's trainer for a recipe."""
    module = ExpressionModule(small_recipe(*settings), {"fer2013": 7, "ferplus": 8}, size=32)
    return open_trainer(module, run, progress=False, hardware=Hardware())


def test_the_last_checkpoint_is_always_kept_and_written_last(tmp_path: Path) -> None:
    trainer = opened(tmp_path)
    assert kinds(trainer)[-1] == "LocalCheckpoint"
    assert trainer.callbacks[-1].filename == Path(LAST).stem
    assert "EarlyStopping" not in kinds(trainer)
    assert "EMAWeightAveraging" in kinds(trainer)


def test_averaging_early_stopping_and_the_best_weights_follow_the_recipe(tmp_path: Path) -> None:
    trainer = opened(tmp_path, "stop.keep=best", "stop.patience=3", "stop.monitor=loss", "train.ema=0.0")
    assert "EMAWeightAveraging" not in kinds(trainer)
    stopping = trainer.callbacks[kinds(trainer).index("EarlyStopping")]
    assert (stopping.monitor, stopping.mode, stopping.patience) == ("fer2013_loss", "min", 3)
    kept = [one.filename for one in trainer.callbacks if type(one).__name__ == "LocalCheckpoint"]
    assert kept == [Path(BEST).stem, Path(LAST).stem]


def test_a_higher_accuracy_is_better_and_a_lower_loss(tmp_path: Path) -> None:
    modes = {
        figure: opened(tmp_path, "stop.keep=best", f"stop.monitor={figure}").callbacks[-2].mode
        for figure in ("accuracy", "loss")
    }
    assert modes == {"accuracy": "max", "loss": "min"}
