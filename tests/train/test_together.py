"""Two processes train one network: the same weights in both, one of them writes, and a killed run goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from facemood.train import load_trained
from tests.train.test_fit import history

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kills a process"),
    pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="needs two cores"),
]

SCRIPT = """
import os, sys
from pathlib import Path
import torch
from facemood.train import Hardware, fit
from facemood.train.trainer import History
from tests.train.test_fit import bright_or_dark, small_recipe

run, how = Path(sys.argv[1]), sys.argv[2]

def keep_weights(self, trainer, module):
    torch.save(module.state_dict(), run / f"rank-{trainer.global_rank}.pt")

def die(self, trainer, module, batch, index):
    if how == "killed" and trainer.current_epoch == 1 and index == 1 and trainer.global_rank == 1:
        os.kill(os.getpid(), 9)

History.on_fit_end, History.on_train_batch_start = keep_weights, die
recipe = small_recipe("train.batch_size=12")
fit(recipe, bright_or_dark(), run, resume=how == "resumed", hardware=Hardware(devices=2))
"""
"""What both processes run; Lightning starts the second one. The weights are those after averaging."""


def train(folder: Path, run: str, how: str) -> subprocess.CompletedProcess[str]:
    """Train with two processes, and wait until both have ended."""
    script = folder / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GLOO_SOCKET_IFNAME": "lo"}
    return subprocess.run([sys.executable, str(script), str(folder / run), how], env=environment, capture_output=True,
                          text=True, timeout=300)  # fmt: skip


def test_both_processes_have_the_same_network_and_a_killed_run_goes_on_to_it(tmp_path: Path) -> None:
    whole = train(tmp_path, "whole", "whole")
    assert whole.returncode == 0, whole.stderr
    first, second = (torch.load(tmp_path / "whole" / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    kept = load_trained(tmp_path / "whole")[0].state_dict()
    assert all(torch.equal(first[name], kept[name]) for name in kept)
    assert [line["epoch"] for line in history(tmp_path / "whole")] == [0, 1, 2]  # one process writes

    killed = train(tmp_path, "other", "killed")
    assert killed.returncode != 0
    said = "another of the 2 processes that train together is gone; start all of them again"
    assert said in killed.stderr or "Forcefully terminating all other processes" in killed.stderr  # who notices first
    assert len(history(tmp_path / "other")) == 1
    resumed = train(tmp_path, "other", "resumed")
    assert resumed.returncode == 0, resumed.stderr
    assert history(tmp_path / "other") == history(tmp_path / "whole")
    again = load_trained(tmp_path / "other")[0].state_dict()
    assert all(torch.equal(again[name], kept[name]) for name in kept)
