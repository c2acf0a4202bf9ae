"""What may be asked for with --on, and what is told when the package of an engine is not there."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from facemood.archive import EngineChoice, Reading, engine_choice
from facemood.archive.part import ArchivePart, PlannedItem
from facemood.archive.ray_engine import BoardTeller
from facemood.archive.remote_work import _open_worker, read_part
from facemood.archive.worker_process import WorkerSetup
from facemood.errors import MissingExtraError, OptionError, WorkerError


@pytest.fixture(autouse=True)
def _named_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the packages, which need not be installed to choose an engine."""
    monkeypatch.setattr(engine_choice, "MODULES", {"ray": "json", "dask": "no_such_package"})


@pytest.mark.parametrize(
    "text", ["spark", "ray:", "ray://", "ray://head", "ray://head:port", "ray://:10001", "", "Ray"]
)
def test_what_is_no_engine_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="an engine is ray, ray://HOST:PORT, dask or dask://HOST:PORT, but is"):
        EngineChoice.parse(text)


def test_addresses_are_those_of_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_choice, "MODULES", {"ray": "json", "dask": "json"})
    assert EngineChoice.parse("ray", 3, 0.5) == EngineChoice("ray", "", 3, 0.5)
    assert EngineChoice.parse("ray://head:10001").address == "ray://head:10001"
    assert EngineChoice.parse("dask://[::1]:8786").address == "tcp://[::1]:8786"
    with pytest.raises(OptionError, match="from 0 on, but are -1"):
        EngineChoice.parse("ray", gpus=-1)
    with pytest.raises(OptionError, match="GPUs of a worker are for ray"):
        EngineChoice.parse("dask", gpus=1)


def test_a_missing_package_names_the_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"pip install '\.\[dask\]'"):
        EngineChoice.parse("dask")


def test_a_machine_without_the_folders_says_so_and_fails_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the worker changes its folder
    part = ArchivePart((PlannedItem("in/a.jpg", 5, 7),), "key", str(tmp_path))
    for folder in (tmp_path / "none", tmp_path):
        setup = WorkerSetup(Reading(), str(folder), str(tmp_path / "out"))
        answer = read_part(pickle.dumps(setup), part, BoardTeller("none"))
        assert isinstance(answer.outcome, WorkerError)
        assert "does not have this folder (No such file or directory); mount inputs and archive" in str(answer.outcome)
    _open_worker.cache_clear()
