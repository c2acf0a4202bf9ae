from pathlib import Path

import numpy as np
import pytest
import torch

from facemood.datasets import ExpressionDataset
from facemood.models import ModelSession
from facemood.train.faces.appearance_network import (
    NUMBERS,
    SIZE,
    AppearanceNetwork,
    LookSampler,
    alter,
    contrast_loss,
)
from facemood.train.faces.export_parts import APPEARANCE_CARD, export_appearance

STILL = torch.eye(2, 3)[None]


def tiles(count: int) -> ExpressionDataset:
    images = np.random.default_rng(3).integers(0, 255, (count, 3, 3)).astype(np.uint8).repeat(16, 1).repeat(16, 2)
    cluster = np.arange(count) // 2
    return ExpressionDataset("made", images, np.zeros(count, np.int64), ("happy",), np.full(count, "Training"),
                             cluster=cluster)  # fmt: skip


def test_two_looks_of_a_tile_differ_and_repeat_with_their_seed() -> None:
    sampler = LookSampler(tiles(12), STILL.repeat(12, 1, 1))
    looks, cluster = sampler.draw(np.random.default_rng(1), 8)
    assert looks.shape == (16, 1, SIZE, SIZE)
    assert looks.min() >= 0
    assert looks.max() <= 255
    first, second = looks[:8], looks[8:]
    apart = (first - second).abs().mean(dim=(1, 2, 3))
    assert float(apart.min()) > 5
    again, same = sampler.draw(np.random.default_rng(1), 8)
    torch.testing.assert_close(again, looks)
    torch.testing.assert_close(same, cluster)


def test_looks_of_a_tile_are_nearer_than_those_of_others() -> None:
    images = torch.from_numpy(tiles(10).pixels)[:, None].float()
    generator = torch.Generator().manual_seed(0)
    looks = [alter(images, STILL.repeat(10, 1, 1), generator).flatten(1) for _ in range(2)]
    one, other = ((look - look.mean(1, keepdim=True)) / look.std(1, keepdim=True) for look in looks)
    similar = one @ other.T / SIZE**2
    assert float(similar.diagonal().mean()) > float(similar.mean()) + 0.2


def test_near_duplicates_are_not_pushed_apart() -> None:
    looks = torch.nn.functional.normalize(torch.randn(8, 5, generator=torch.Generator().manual_seed(2)), dim=1)
    moved = looks.clone()
    moved[1] = looks[0]
    apart, together = torch.tensor([0, 1, 2, 3]), torch.tensor([0, 0, 2, 3])
    assert float(contrast_loss(moved, together)) < float(contrast_loss(moved, apart))
    perfect = torch.eye(4).repeat(2, 1)
    assert float(contrast_loss(perfect, apart)) == pytest.approx(0, abs=1e-3)


def test_an_embedding_has_length_one_and_no_brightness() -> None:
    torch.manual_seed(0)
    network = AppearanceNetwork().eval()
    images = torch.rand(3, 1, SIZE, SIZE) * 100
    with torch.no_grad():
        found, brighter = network(images), network(1.5 * images + 20)
    assert found.shape == (3, NUMBERS)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(brighter, found, atol=1e-3, rtol=1e-3)


def test_the_written_network_gives_what_the_trained_one_gives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = AppearanceNetwork().eval()
    points = np.random.default_rng(0).uniform(0, 1, (5, 68, 2)).astype(np.float32)
    points[3] = np.nan
    export_appearance(network, tmp_path / "appearance.onnx", points)
    assert (tmp_path / "appearance.onnx").stat().st_size < 1_000_000
    session = ModelSession(tmp_path / "appearance.onnx", device="cpu")
    assert session.card.heads == APPEARANCE_CARD.heads
    assert set(session.card.framing) == {"landmarks"}
    crops = np.random.default_rng(0).random((3, 1, SIZE, SIZE), np.float32) * 255
    with torch.no_grad():
        expected = network(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(session.run_batch(crops)["embedding"], expected, atol=0.01)
