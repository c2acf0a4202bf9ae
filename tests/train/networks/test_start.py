from pathlib import Path

import numpy as np
import pytest
import torch

from facemood.errors import RecipeError
from facemood.labels import BASIC_EXPRESSIONS
from facemood.models import FINDER, ModelSession, find_model
from facemood.train import fit, load_recipe, load_trained
from facemood.train.data.targets import heads_of
from facemood.train.networks.se_resnet import ExpressionNetwork
from facemood.train.networks.start import check_heads, load_start, read_start, shape_of
from tests.train.test_fit import bright_or_dark, small_recipe

IMAGES = np.random.default_rng(0).integers(0, 256, (32, 48, 48), np.uint8)


def started() -> tuple[ExpressionNetwork, dict[str, np.ndarray]]:
    """A network with the weights of a shipped model, its heads included."""
    weights = read_start("nano")
    shape = shape_of(weights)
    heads = {head: len(weights[f"heads.{head}.bias"]) for head in ("fer2013", "ferplus")}
    network = ExpressionNetwork(heads, **shape)
    load_start(network, weights, torch.from_numpy(IMAGES)[:, None].float())
    for head in heads:
        for key in ("weight", "bias"):
            getattr(network.heads[head], key).data.copy_(torch.from_numpy(weights[f"heads.{head}.{key}"]))
    return network, weights


def test_the_network_gives_what_the_model_gives_in_use_and_while_it_learns() -> None:
    network, _ = started()
    expected = ModelSession(find_model("nano"), device="cpu").run(IMAGES)
    for training in (False, True):
        network.train(training)
        network.pool.eval()  # dropout stands still
        with torch.no_grad():
            logits = network(torch.from_numpy(IMAGES)[:, None].float())
        for head, values in logits.items():
            np.testing.assert_allclose(values.numpy(), expected[head], atol=2e-2 if training else 1e-3)


def test_the_shape_is_read_from_the_weights() -> None:
    network, weights = started()
    assert shape_of(weights) == {"stem": "single", "widths": (24, 48, 96), "blocks": (1, 2, 2)}
    names = dict(network.named_parameters())
    assert all(weights[name].shape == tuple(names[name].shape) for name in weights if name in names)


def test_a_deep_stem_is_recognized_by_the_weights() -> None:
    network = ExpressionNetwork({"fer2013": 7}, widths=(8, 16), blocks=(1, 1), stem="deep")
    weights = {name: values.numpy() for name, values in network.state_dict().items()}
    assert shape_of(weights) == {"stem": "deep", "widths": (8, 16), "blocks": (1, 1)}


def test_a_model_of_another_kind_is_rejected() -> None:
    with pytest.raises(RecipeError, match="expected a model with a network of kind se-resnet"):
        read_start(FINDER)


def test_a_start_that_is_not_trained_yet_is_rejected() -> None:
    with pytest.raises(RecipeError, match="no model 'runs/first/model.onnx'.*first train the model that the recipe"):
        read_start("runs/first/model.onnx")
    with pytest.raises(RecipeError, match=r"starts from \(facemood train default-start --data ...\), or give its file"):
        read_start(load_recipe("default").network.start)


def test_heads_for_other_labels_are_rejected() -> None:
    check_heads("nano", heads_of(bright_or_dark()))
    happy_first = tuple(sorted(BASIC_EXPRESSIONS, key=lambda label: label != "happy"))
    with pytest.raises(
        RecipeError, match=r"start_heads: the heads of 'nano' are for .*, not for fer2013 \(happy, angry"
    ):
        check_heads("nano", {**heads_of(bright_or_dark()), "fer2013": happy_first})


def test_a_run_can_start_with_the_heads_of_a_model(tmp_path: Path) -> None:
    still = ("train.epochs=1", "train.fine_epochs=1", "train.learning_rate=0.0", "train.ema=0.0")
    fit(small_recipe("network.start='nano'", "network.start_heads=true", *still), bright_or_dark(), tmp_path)
    state = load_trained(tmp_path)[0].network.state_dict()
    np.testing.assert_array_equal(state["heads.ferplus.weight"].numpy(), read_start("nano")["heads.ferplus.weight"])


@pytest.mark.slow
def test_a_run_starts_from_a_model_with_a_frozen_trunk(tmp_path: Path) -> None:
    recipe = small_recipe(
        "network.start='nano'", "train.epochs=2", "train.freeze_epochs=2", "train.ema=0.0", "network.dropout=0.0"
    )
    fit(recipe, bright_or_dark(), tmp_path)
    module, facts = load_trained(tmp_path)
    weights = read_start("nano")
    assert tuple(facts["recipe"]["network"]["widths"]) == shape_of(weights)["widths"]
    state = module.network.state_dict()
    for name in ("stem.0.weight", "stages.4.body.3.weight"):
        np.testing.assert_array_equal(state[name].numpy(), weights[name])
    assert not np.array_equal(state["heads.fer2013.weight"].numpy(), weights["heads.fer2013.weight"])
