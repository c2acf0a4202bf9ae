import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from facemood.errors import OutputError, RecipeError
from facemood.train.data.feature_store import FeatureStore

COUNT = 10
"""Images of the stores of these tests."""


def values(start: int, stop: int) -> Tensor:
    """The features of some images: their place, and its square root."""
    places = torch.arange(start, stop, dtype=torch.float32)
    return torch.stack([places, places.sqrt()], dim=1)


def store(folder: Path, **origin: object) -> FeatureStore:
    return FeatureStore(folder, {"0": COUNT, "1": COUNT}, (2,), {"network": "tiny", **origin})


def test_features_are_read_as_they_were_computed_in_half_precision(tmp_path: Path) -> None:
    kept = store(tmp_path / "features")
    kept.fill("0", values, step=3)
    rows = torch.tensor([7, 0, 9, 7])
    read = kept.read("0", rows)
    assert read.dtype == torch.float32
    assert torch.equal(read, values(0, COUNT)[rows].half().float())
    assert np.load(tmp_path / "features" / "0.npy").dtype == np.float16
    assert not (tmp_path / "features" / "1.npy").exists()


def test_the_size_is_said_before_and_what_is_done_is_not_done_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "facemood"):
        store(tmp_path).fill("0", values)
    assert caplog.messages[0] == f"features: 0.00 GB in {tmp_path}, 0.00 GB of them to come"
    again = store(tmp_path)
    again.fill("0", never)
    assert torch.equal(again.read("0", torch.tensor([4])), torch.tensor([[4.0, 2.0]]))


def never(start: int, stop: int) -> Tensor:
    raise AssertionError("it was computed already")


def until(limit: int) -> Callable[[int, int], Tensor]:
    """Computes features, and is interrupted at an image."""

    def compute(start: int, stop: int) -> Tensor:
        if start >= limit:
            raise KeyboardInterrupt
        return values(start, stop)

    return compute


def test_an_interrupted_version_goes_on_where_it_was_saved(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path).fill("0", until(6), step=2, save=4)
    begun: list[int] = []

    def compute(start: int, stop: int) -> Tensor:
        begun.append(start)
        return values(start, stop)

    again = store(tmp_path)
    again.fill("0", compute, step=2, save=4)
    assert begun == [4, 6, 8]
    assert torch.equal(again.read("0", torch.arange(COUNT)), values(0, COUNT).half().float())


@pytest.mark.parametrize("value", [70_000.0, float("nan"), float("inf")])
def test_a_feature_that_half_precision_cannot_hold_is_reported(tmp_path: Path, value: float) -> None:
    with pytest.raises(RecipeError, match="float16 has at most 65504; freeze the network up to another"):
        store(tmp_path).fill("0", lambda start, stop: torch.full((stop - start, 2), value))


def test_features_of_another_origin_are_refused(tmp_path: Path) -> None:
    store(tmp_path, seed=1).fill("0", values)
    with pytest.raises(RecipeError, match="holds features with another seed; name another folder"):
        store(tmp_path, seed=2)


@pytest.mark.parametrize("text", ["{", "[]", '{"origin": {}, "done": {"0": "many"}}', '{"origin": 1, "done": {}}'])
def test_a_damaged_description_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "features.json").write_text(text)
    with pytest.raises(RecipeError, match=r"features.json: is damaged .*; delete the folder"):
        store(tmp_path)


def test_missing_and_foreign_files_are_reported(tmp_path: Path) -> None:
    store(tmp_path).fill("0", values)
    np.save(tmp_path / "0.npy", np.zeros((3, 2), np.float16))
    with pytest.raises(RecipeError, match=r"0.npy: has float16 \(3, 2\), but float16 \(10, 2\) is expected"):
        store(tmp_path).read("0", torch.tensor([0]))
    (tmp_path / "0.npy").unlink()
    with pytest.raises(RecipeError, match="0.npy: is missing or damaged"):
        store(tmp_path).read("0", torch.tensor([0]))


def test_a_disk_without_space_is_reported_before_anything_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=50))
    with pytest.raises(OutputError, match="the features need 0.0 GB, but 0.0 GB are free; lower train.cached_versions"):
        store(tmp_path)
    assert json.dumps(sorted(tmp_path.iterdir())) == "[]"
