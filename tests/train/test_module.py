import numpy as np
import torch

from facemood.models import ModelCard
from facemood.models.session import prepare
from facemood.train.data.batches import Batch, training_batches
from facemood.train.data.fit_input import fit_input
from facemood.train.data.targets import heads_of, make_targets
from facemood.train.head_losses import consistency_loss
from facemood.train.module import ExpressionModule
from tests.train.test_fit import bright_or_dark, small_recipe

STILL = [f"augment.{key}=0.0" for key in ("mirror", "rotation", "shift", "shear", "blur", "noise", "erase")]
STILL += ["augment.scale=[1.0, 1.0]", "augment.gamma=1.0", "train.crop=0", "network.dropout=0.0"]
"""Settings with which the usual view is the image itself."""


def test_input_is_brought_to_the_networks_colour_and_size() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    rgb = fit_input(torch.from_numpy(tiles)[:, None].float(), small_recipe("input.colour='rgb'"), 96)
    assert rgb.shape == (2, 3, 96, 96)
    torch.testing.assert_close(rgb[:, 0], rgb[:, 2])
    card = ModelCard("m", {"a": ("x",)}, "a", input_size=(96, 96), colour="rgb", mean=(0.0,) * 3, std=(1.0,) * 3)
    np.testing.assert_allclose(rgb.numpy(), prepare(tiles, card), atol=1)  # inference rounds to whole numbers
    pure = torch.tensor([255.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(fit_input(pure, small_recipe(), 4), torch.full((1, 1, 4, 4), 255 * 0.299))


def module_and_batch(*settings: str) -> tuple[ExpressionModule, Batch]:
    """A small network, and the first batch of its training."""
    training = bright_or_dark().split("Training")
    heads = {head: len(labels) for head, labels in heads_of(training).items()}
    torch.manual_seed(0)
    module = ExpressionModule(small_recipe(*STILL, *settings), heads, size=32)
    targets = make_targets(training, smoothing=0.1)
    return module, next(iter(training_batches(training, targets, batch_size=16, seed=1, epoch=0)))


def same_views() -> list[str]:
    """Settings with which the degraded view is the image itself, too."""
    return [setting.replace("augment.", "degraded.") for setting in STILL if setting.startswith("augment.")]


def test_two_equal_views_cost_what_one_costs_and_agree() -> None:
    module, batch = module_and_batch("train.consistency=0.5", *same_views())
    usual, degraded = module._run_both(batch)
    for head, logits in usual.items():
        torch.testing.assert_close(logits, degraded[head])
    one = sum(module._losses(usual, batch).values())
    torch.testing.assert_close(module._agreement(degraded, usual, batch), 0.5 * one, atol=1e-5, rtol=1e-5)


def test_a_degraded_view_learns_the_answer_to_the_usual_one() -> None:
    module, batch = module_and_batch("train.consistency=1.0", "degraded.noise=1.0", "degraded.noise_level=60")
    usual, degraded = module._run_both(batch)
    expected = torch.stack([consistency_loss(degraded[head], usual[head]) for head in usual]).sum()
    assert expected.item() > 1e-4
    torch.testing.assert_close(module._agreement(degraded, usual, batch), expected)


def test_the_heads_count_in_the_agreement_as_they_do_in_the_loss() -> None:
    module, batch = module_and_batch("train.consistency=1.0", "train.ferplus_weight=0.5")
    usual, degraded = module._run_both(batch)
    label, vote = (consistency_loss(degraded[head], usual[head]) for head in ("fer2013", "ferplus"))
    torch.testing.assert_close(module._agreement(degraded, usual, batch), label + 0.5 * vote)
