from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from facemood.datasets import ExpressionDataset
from facemood.errors import DatasetError
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
from tests.conftest import PHOTOS

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
    photos = [PHOTOS / "astronaut.png", PHOTOS / "grace_hopper.jpg"]
    export_appearance(network, tmp_path / "appearance.onnx", points, photos)
    assert 0 < float(network.centre.norm()) <= 1
    assert (tmp_path / "appearance.onnx").stat().st_size < 1_000_000
    session = ModelSession(tmp_path / "appearance.onnx", device="cpu")
    assert session.card.heads == APPEARANCE_CARD.heads
    assert set(session.card.framing) == {"landmarks"}
    crops = np.random.default_rng(0).random((3, 1, SIZE, SIZE), np.float32) * 255
    with torch.no_grad():
        expected = network(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(session.run_batch(crops)["embedding"], expected, atol=0.01)


def test_photos_without_a_face_cannot_centre_it(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((120, 120, 3), 128, np.uint8))
    points = np.random.default_rng(0).uniform(0, 1, (5, 68, 2)).astype(np.float32)
    with pytest.raises(DatasetError, match=r"grey\.png: found no face to centre the network on; give other photos"):
        export_appearance(AppearanceNetwork(), tmp_path / "a.onnx", points, [tmp_path / "grey.png"])


def test_centred_embeddings_have_no_common_part() -> None:
    torch.manual_seed(0)
    network, images = AppearanceNetwork(), torch.rand(40, 1, SIZE, SIZE) * 100
    with torch.no_grad():
        before = network.eval()(images).mean(0).norm()
        network.set_centre(images)
        assert float(network(images).mean(0).norm()) < 0.5 * float(before)
