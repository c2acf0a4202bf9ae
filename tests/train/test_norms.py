import numpy as np
import torch
from torch import nn

from facemood.train.norms import adopt_norms, reestimated_norms


def noise(count: int, channels: int = 1, *, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(3, 2, (count, channels, 4, 4)).astype(np.float32))


def test_all_batches_count_alike_and_what_was_known_is_forgotten() -> None:
    norm = nn.BatchNorm2d(1, momentum=0.3)
    assert norm.running_mean is not None
    norm.running_mean.fill_(99)
    batches = [noise(8, seed=seed) for seed in range(3)]
    with reestimated_norms(norm):
        for batch in batches:
            norm(batch)
    torch.testing.assert_close(norm.running_mean, torch.stack([batch.mean() for batch in batches]).mean()[None])
    assert (norm.momentum, norm.training) == (0.3, False)


def test_dropout_and_gradients_are_off_inside() -> None:
    network = nn.Sequential(nn.Dropout(0.9), nn.BatchNorm2d(1)).train()
    images = noise(16)
    with reestimated_norms(network):
        out = network(images)
    assert not out.requires_grad
    assert torch.is_grad_enabled()
    assert isinstance(network[1], nn.BatchNorm2d)
    torch.testing.assert_close(network[1].running_mean, images.mean(dim=(0, 2, 3)))


def test_a_network_without_batch_norms_is_only_run() -> None:
    network = nn.Conv2d(1, 1, 1)
    before = network.weight.detach().clone()
    with reestimated_norms(network):
        network(noise(2))
    assert torch.equal(network.weight, before)


def test_adopted_norms_hold_their_inputs_statistics_and_give_what_they_gave() -> None:
    network = nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3), nn.ReLU(), nn.BatchNorm2d(3)).eval()
    first, second = network[1], network[3]
    assert isinstance(first, nn.BatchNorm2d)
    assert isinstance(second, nn.BatchNorm2d)
    for norm in (first, second):
        assert norm.running_var is not None
        norm.running_var.fill_(1 - norm.eps)  # so that it changes nothing
    images = noise(64)
    with torch.no_grad():
        before = network(images)
        adopt_norms(network, [first, second], images)
        torch.testing.assert_close(network(images), before, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(first.running_mean, network[0](images).mean(dim=(0, 2, 3)))
        torch.testing.assert_close(network.train()(images), before, atol=5e-2, rtol=5e-2)
