import pytest
import torch
from torch import nn

from facemood.train.networks.se_resnet import STEMS, ExpressionNetwork

HEADS = {"fer2013": 7, "ferplus": 8}


@pytest.mark.parametrize("stem", ["single", "deep"])
def test_every_head_gives_its_logits_at_any_size(stem: str) -> None:
    network = ExpressionNetwork(HEADS, widths=(8, 16, 24), blocks=(1, 2, 1), stem=stem).eval()
    for side in (40, 48, 64):
        logits = network(torch.rand(2, 1, side, side) * 255)
        assert {head: tuple(values.shape) for head, values in logits.items()} == {"fer2013": (2, 7), "ferplus": (2, 8)}


def test_the_baseline_has_the_parameters_that_documents_state() -> None:
    network = ExpressionNetwork(HEADS, widths=(40, 80, 160), blocks=(1, 2, 2))
    assert round(sum(weight.numel() for weight in network.parameters()) / 1e6, 1) == 1.1


def test_a_deep_stem_sees_as_far_as_a_single_one() -> None:
    images = torch.zeros(1, 1, 48, 48)
    images[0, 0, 24, 24] = 1.0
    for stem in STEMS:
        layers = nn.Sequential(*[layer for layer in STEMS[stem](1, 8, 2) if isinstance(layer, nn.Conv2d)])
        seen = (layers(images)[0].abs().sum(dim=0) > 0).nonzero()
        assert layers(images).shape == (1, 8, 24, 24)
        assert (seen.amax(dim=0) - seen.amin(dim=0)).tolist() == [2, 2]


@pytest.mark.parametrize("stem", ["single", "deep"])
def test_every_weight_learns(stem: str) -> None:
    """Chance may begin a network this small with a unit that is never above zero, so the seed is given."""
    torch.manual_seed(0)
    network = ExpressionNetwork(HEADS, widths=(8, 16), blocks=(1, 1), stem=stem)
    sum(logits.square().sum() for logits in network(torch.rand(4, 1, 48, 48) * 255).values()).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
