import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from facemood.errors import RecipeError
from facemood.models import ModelSession
from facemood.train import fit, load_trained
from facemood.train.average import load_average, mean_weights, measure_norms
from facemood.train.export import export
from tests.train.test_fit import bright_or_dark, small_recipe

STARTED = ("network.start='nano'", "train.epochs=1", "train.fine_epochs=0")


@pytest.fixture(scope="module")
def kin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs that started from one model."""
    runs = tmp_path_factory.mktemp("kin")
    fit(small_recipe(*STARTED), bright_or_dark(), runs / "clean")
    fit(small_recipe(*STARTED, "augment.noise=0.5", "network.dropout=0.1"), bright_or_dark(), runs / "noisy")
    return runs / "clean", runs / "noisy"


def network_with(*layers: nn.Module) -> nn.Sequential:
    """A network with wrong batch norms."""
    network = nn.Sequential(*layers)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)  # type: ignore[arg-type]
    return network


def test_floats_are_averaged_and_counts_are_the_firsts() -> None:
    states = [{"weight": torch.tensor([float(value)]), "count": torch.tensor(value)} for value in (1, 2, 6)]
    mean = mean_weights(states)
    assert mean["weight"].item() == 3.0
    assert mean["count"].item() == 1
    assert mean["count"].dtype == torch.int64


@pytest.mark.slow
def test_the_mean_of_two_runs_is_one_network_with_their_differences(kin: tuple[Path, Path]) -> None:
    module, facts = load_average(kin, bright_or_dark().split("Training"))
    one, other = (load_trained(run)[0].network.state_dict() for run in kin)
    for name, value in module.network.state_dict().items():
        if "running" not in name and value.is_floating_point():
            torch.testing.assert_close(value, (one[name] + other[name]) / 2)
    assert facts["averaged_with"] == [{"network.dropout": 0.1, "augment.noise": 0.5}]
    assert facts["recipe"]["augment"]["noise"] != 0.5
    assert not module.network.training


@pytest.mark.slow
def test_one_run_is_loaded_without_averaging(kin: tuple[Path, Path]) -> None:
    module, facts = load_average(kin[:1], bright_or_dark().split("Training"))
    expected, _ = load_trained(kin[0])
    for name, value in module.network.state_dict().items():
        torch.testing.assert_close(value, expected.network.state_dict()[name], rtol=0, atol=0)
    assert "averaged_with" not in facts


@pytest.mark.slow
def test_the_card_of_an_exported_mean_names_the_runs(kin: tuple[Path, Path], tmp_path: Path) -> None:
    card = export(kin, bright_or_dark(), tmp_path / "mean.onnx")
    assert card.trained_on["averaged_with"] == [{"network.dropout": 0.1, "augment.noise": 0.5}]
    session = ModelSession(tmp_path / "mean.onnx", device="cpu")
    assert session.card == card
    images = np.asarray(bright_or_dark().images[:4])
    network = load_average(kin, bright_or_dark().split("Training"))[0].network
    with torch.no_grad():
        expected = network(torch.from_numpy(images)[:, None].float())
    for head, logits in session.run(images).items():
        np.testing.assert_allclose(logits, expected[head].numpy(), atol=2e-2)


@pytest.mark.slow
def test_runs_that_cannot_be_averaged_are_rejected(kin: tuple[Path, Path], tmp_path: Path) -> None:
    random, few, unit = tmp_path / "random", tmp_path / "few", tmp_path / "unit"
    once = ("train.epochs=1", "train.fine_epochs=0")
    fit(small_recipe(*once), bright_or_dark(), random)
    fit(small_recipe(*STARTED), bright_or_dark(48), few)
    fit(small_recipe(*STARTED, "input.pixels=unit"), bright_or_dark(), unit)
    with pytest.raises(RecipeError, match="started from random weights.*--set network.start=FILE"):
        load_average([random, random], bright_or_dark().split("Training"))
    with pytest.raises(RecipeError, match=r"clean and .*random differ in network.start, network.widths"):
        load_average([kin[0], random], bright_or_dark().split("Training"))
    with pytest.raises(RecipeError, match=r"clean and .*few differ in trained_on"):
        load_average([kin[0], few], bright_or_dark().split("Training"))
    with pytest.raises(RecipeError, match=r"clean and .*unit differ in input.pixels"):
        load_average([kin[0], unit], bright_or_dark().split("Training"))


def test_norms_get_the_mean_and_variance_of_whole_training_images() -> None:
    training = bright_or_dark().split("Training")
    norm = nn.BatchNorm2d(1)
    network = network_with(norm)
    measure_norms(network, training, small_recipe(), size=32)
    pixels = np.asarray(training.images, np.float64)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    np.testing.assert_allclose(norm.running_mean.numpy(), [pixels.mean()], rtol=1e-4)
    np.testing.assert_allclose(norm.running_var.numpy(), [pixels.var(ddof=1)], rtol=1e-4)
    assert norm.momentum == 0.1
    assert not any(module.training for module in network.modules())


def test_dropout_is_off_and_weights_stay() -> None:
    training = bright_or_dark().split("Training")
    first, second = (nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)), (nn.Dropout(0.5), nn.Conv2d(4, 2, 3), nn.BatchNorm2d(2))
    network = network_with(*first, *second)
    weights = [value.clone() for value in network.parameters()]
    measure_norms(network, training, small_recipe(), size=32)
    with torch.no_grad():
        out = network(torch.from_numpy(np.asarray(training.images))[:, None].float())
    torch.testing.assert_close(out.mean(dim=(0, 2, 3)), torch.zeros(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(out.std(dim=(0, 2, 3)), torch.ones(2), atol=0.05, rtol=0)
    assert all(torch.equal(before, after) for before, after in zip(weights, network.parameters(), strict=True))


def test_colour_and_size_are_those_of_the_recipe() -> None:
    training = bright_or_dark().split("Training")
    seen: list[torch.Size] = []
    network = network_with(nn.BatchNorm2d(3))
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0].shape))
    recipe = small_recipe()
    colour = dataclasses.replace(recipe, input=dataclasses.replace(recipe.input, colour="rgb"))
    measure_norms(network, training, colour, size=40)
    assert seen == [(48, 3, 40, 40)]


@pytest.mark.slow
def test_a_blend_lies_between_a_run_and_the_model_that_it_started_from(kin: tuple[Path, Path], tmp_path: Path) -> None:
    """The heads of nano have other labels than those of this data, so they are made by a first run."""
    first, second = tmp_path / "first.onnx", tmp_path / "second"
    export(kin[0], bright_or_dark(), first)
    fit(small_recipe(f"network.start='{first}'", "train.epochs=1", "train.fine_epochs=0"), bright_or_dark(), second)
    training = bright_or_dark().split("Training")
    images = torch.from_numpy(np.asarray(bright_or_dark().images[:8]))[:, None].float()

    def logits(share: float) -> torch.Tensor:
        module, facts = load_average([second], training, start_share=share)
        assert facts.get("start_share", 0.0) == share
        with torch.no_grad():
            return torch.cat(list(module.network(images).values()), dim=1)

    expected = torch.from_numpy(
        np.concatenate(list(ModelSession(first, device="cpu").run(images[:, 0].byte().numpy()).values()), axis=1)
    )
    own, start = logits(0.0), logits(1.0)
    assert (start - expected).abs().mean() < 0.3 * (own - expected).abs().mean()
    half = logits(0.5)
    assert (half - own).abs().mean() < (start - own).abs().mean()
    card = export(second, bright_or_dark(), tmp_path / "half.onnx", start_share=0.5, name="mine", version="2")
    assert (card.name, card.version, card.trained_on["start_share"]) == ("mine", "2", 0.5)


def test_a_blend_needs_one_run_with_a_start(kin: tuple[Path, Path], tmp_path: Path) -> None:
    training = bright_or_dark().split("Training")
    with pytest.raises(RecipeError, match="there are 2 runs"):
        load_average(kin, training, start_share=0.5)
    with pytest.raises(RecipeError, match="the share is 1.5"):
        load_average(kin[:1], training, start_share=1.5)
    fit(small_recipe("train.epochs=1"), bright_or_dark(), tmp_path / "alone")
    with pytest.raises(RecipeError, match="started from no facemood model"):
        load_average([tmp_path / "alone"], training, start_share=0.5)
