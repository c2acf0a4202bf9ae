"""Training on cached features is training on the same images."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from facemood.datasets import ExpressionDataset
from facemood.errors import RecipeError
from facemood.models.session import ModelSession
from facemood.train import Hardware, Recipe, fit, load_trained
from facemood.train.cached_features import CachedFeatures
from facemood.train.data.batches import BatchDataset, training_batches, validation_batches
from facemood.train.data.feature_store import FeatureStore
from facemood.train.data.targets import make_targets
from facemood.train.export import export
from facemood.train.module import ExpressionModule
from facemood.train.networks.frozen_part import FrozenPart
from facemood.train.trainer import History
from tests.train.test_fit import Killed, bright_or_dark, history, kill_in_second_epoch, small_recipe

PLAIN = ["network.kind='cnn'", "network.widths=[8, 16]", "network.blocks=[1, 1]", "input.pixels='unit'"]
CACHED = [*PLAIN, "train.freeze_through='4'", "train.cached_versions=2", "train.crop=0", "train.freeze_epochs=4"]
"""A plain network whose first stage (convolution, activation, batch norm, pooling, dropout) is frozen."""


def cached_recipe(*more: str) -> Recipe:
    return small_recipe(*CACHED, "train.epochs=4", *more)


def begin(recipe: Recipe, dataset: ExpressionDataset, folder: Path) -> tuple[ExpressionModule, CachedFeatures]:
    """A module with a cache, as `fit` makes them."""
    torch.manual_seed(2)
    module = ExpressionModule(recipe, {"fer2013": 7, "ferplus": 8}, size=32)
    part = FrozenPart(module.network, recipe.train.freeze_through, 255 * torch.rand(2, 1, 32, 32))
    loaders = (
        training_batches(dataset, make_targets(dataset), batch_size=16, seed=1),
        validation_batches(dataset),
    )
    training, validation = (loader.dataset for loader in loaders)
    assert isinstance(training, BatchDataset)
    assert isinstance(validation, BatchDataset)
    cache = CachedFeatures(recipe, 32, part, training=training, validation=validation, folder=folder)
    module.part, module.cache = part, cache
    return module, cache


def test_gradients_are_those_of_the_network_on_the_same_pixels(tmp_path: Path) -> None:
    still = [
        "augment.mirror=0.0",
        "augment.rotation=0.0",
        "augment.shift=0.0",
        "augment.shear=0.0",
        "augment.gamma=1.0",
    ]
    still += ["augment.scale=[1.0, 1.0]", "augment.blur=0.0", "augment.noise=0.0", "augment.erase=0.0"]
    still += ["network.dropout=0.0", "train.precision='float32'"]
    module, cache = begin(cached_recipe(*still), bright_or_dark(), tmp_path)
    assert module.part is not None
    module.part.freeze()
    batch = cache.images[0][torch.tensor([5, 0, 33, 12])]
    exact = module._run(batch.images.float())
    rounded = module.part.last.register_forward_hook(lambda part, inputs, output: output.half().float())
    uncached = module._run(batch.images.float())
    rounded.remove()
    for head, values in uncached.items():
        torch.testing.assert_close(values, exact[head], rtol=1e-2, atol=1e-2)  # what float16 costs
    found = []
    for logits in (
        uncached,
        module._run_from(cache.training(0, batch.rows)),
        module._run_from(cache.validation(batch.rows)),
    ):
        module.zero_grad()
        loss: Tensor = sum(module._losses(logits, batch).values(), start=torch.zeros(()))
        loss.backward()  # type: ignore[no-untyped-call]
        found.append({name: weight.grad for name, weight in module.named_parameters() if weight.grad is not None})
    assert len(found[0]) > 4
    for other in found[1:]:
        assert found[0].keys() == other.keys()
        for name, slope in found[0].items():
            torch.testing.assert_close(other[name], slope, rtol=1e-4, atol=1e-5)


def test_versions_differ_and_each_comes_again(tmp_path: Path) -> None:
    _, cache = begin(cached_recipe(), bright_or_dark(), tmp_path)
    rows = torch.tensor([3, 40])
    first, second, third = (cache.training(epoch, rows) for epoch in range(3))
    assert not torch.allclose(first, second)
    assert torch.equal(first, third)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0.npy", "1.npy", "features.json"]


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ("train.seed=2", "seed"),
        ("augment.rotation=3.0", "augment"),
        ("train.freeze_through='8'", "shape, module and weights"),
    ],
)
def test_features_of_other_images_or_another_part_are_refused(tmp_path: Path, settings: str, changed: str) -> None:
    begin(cached_recipe(), bright_or_dark(), tmp_path)[1].training(0, torch.tensor([0]))
    begin(cached_recipe("loss.kind='focal'"), bright_or_dark(), tmp_path)[1].training(0, torch.tensor([0]))
    with pytest.raises(RecipeError, match=f"holds features with another {changed}"):
        begin(cached_recipe(settings), bright_or_dark(), tmp_path)[1].training(0, torch.tensor([0]))
    dimmed = dataclasses.replace(bright_or_dark(), images=np.asarray(bright_or_dark().images) // 2)
    with pytest.raises(RecipeError, match="holds features with another images"):
        begin(cached_recipe(), dimmed, tmp_path)[1].training(0, torch.tensor([0]))


@pytest.mark.slow
def test_a_network_learns_on_cached_features_and_is_exported_whole(tmp_path: Path) -> None:
    dataset = bright_or_dark()
    recipe = cached_recipe("train.freeze_epochs=8", "train.epochs=8", "train.learning_rate=0.05", "train.warmup=0.0")
    fit(recipe, dataset, tmp_path / "run")
    last = history(tmp_path / "run")[-1]
    assert last["fer2013_accuracy"] == last["fer2013_recall"] == 1.0
    module, _ = load_trained(tmp_path / "run")
    export(tmp_path / "run", dataset, tmp_path / "model.onnx", half=False)
    part = dataset.split("PublicTest")
    logits = module.network(torch.from_numpy(np.asarray(part.images)[:, None]).float())["fer2013"]
    assert (logits.argmax(1).numpy() == part.labels).all()
    session = ModelSession(tmp_path / "model.onnx", device="cpu")
    np.testing.assert_allclose(session.run(np.asarray(part.images))["fer2013"], logits.detach().numpy(), atol=1e-2)


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_curve_and_computes_nothing_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, dataset = cached_recipe("train.freeze_epochs=3"), bright_or_dark()  # the last epoch is not frozen
    fit(recipe, dataset, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(History, "on_train_batch_start", kill_in_second_epoch)
        with pytest.raises(Killed):
            fit(recipe, dataset, tmp_path / "killed", features=tmp_path / "shared")
    filled: list[str] = []
    original = FeatureStore.fill

    def noting(self: FeatureStore, version: str, compute: object, **options: int) -> None:
        if self.done.get(version, 0) < self.versions[version]:
            filled.append(version)
        original(self, version, compute, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(FeatureStore, "fill", noting)
    fit(recipe, dataset, tmp_path / "killed", resume=True, features=tmp_path / "shared")
    assert filled == []
    assert history(tmp_path / "killed") == history(tmp_path / "whole")
    assert not (tmp_path / "killed" / "features").exists()
    weights = [load_trained(tmp_path / run)[0].state_dict() for run in ("whole", "killed")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_what_cannot_be_cached_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="needs train.crop=0 and augment.mixup=0"):
        cached_recipe("train.crop=24")
    with pytest.raises(RecipeError, match="need train.freeze_epochs: in how many epochs"):
        cached_recipe("train.freeze_epochs=0")
    with pytest.raises(RecipeError, match="cached_versions is for one process"):
        fit(cached_recipe(), bright_or_dark(), tmp_path, hardware=Hardware(devices=1, nodes=2))
