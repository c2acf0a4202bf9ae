import torch

from facemood.train.networks.se_resnet import ExpressionNetwork

HEADS = {"fer2013": 7, "ferplus": 8}


def test_every_head_gives_its_logits_at_any_size() -> None:
    network = ExpressionNetwork(HEADS, widths=(8, 16, 24), blocks=(1, 2, 1)).eval()
    for side in (40, 48, 64):
        logits = network(torch.rand(2, 1, side, side) * 255)
        assert {head: tuple(values.shape) for head, values in logits.items()} == {"fer2013": (2, 7), "ferplus": (2, 8)}


def test_the_baseline_has_the_parameters_that_documents_state() -> None:
    network = ExpressionNetwork(HEADS, widths=(40, 80, 160), blocks=(1, 2, 2))
    assert round(sum(weight.numel() for weight in network.parameters()) / 1e6, 1) == 1.1


def test_every_weight_learns() -> None:
    network = ExpressionNetwork(HEADS, widths=(8, 16), blocks=(1, 1))
    sum(logits.square().sum() for logits in network(torch.rand(4, 1, 48, 48) * 255).values()).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
