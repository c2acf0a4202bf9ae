from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.ferc import mask_overlap
from facemood.models import ModelSession
from facemood.train.faces import teach
from facemood.train.faces.export_parts import export_mask
from facemood.train.faces.landmark_network import SIZE
from facemood.train.faces.mask_network import MaskNetwork, MaskSampler, fill_oval, mask_loss
from facemood.train.faces.material import Material
from facemood.train.faces.train_loop import Plan


def test_every_example_shows_a_face_and_repeats_with_its_seed(material: Material) -> None:
    sampler = MaskSampler(material)
    made = [sampler.draw_mask(np.random.default_rng(seed)) for seed in range(60)]
    assert all(crop.image.shape == crop.mask.shape == (SIZE, SIZE) for crop in made)
    shares = [float(crop.mask.mean()) for crop in made]
    assert min(shares) > 0.1
    assert max(shares) < 0.95
    middles = [np.argwhere(crop.mask > 0.5).mean(axis=0) / SIZE - 0.5 for crop in made]
    assert np.abs(np.mean(middles, axis=0)).max() < 0.08
    again = sampler.draw_mask(np.random.default_rng(7))
    np.testing.assert_array_equal(again.image, made[7].image)
    np.testing.assert_array_equal(again.mask, made[7].mask)


@settings(max_examples=40, deadline=None)
@given(st.floats(6, 26), st.floats(6, 26), st.floats(20, 44), st.floats(20, 44))
def test_an_oval_is_as_large_as_it_is(width: float, height: float, x: float, y: float) -> None:
    turn = np.linspace(0, 2 * np.pi, 73)[:72]
    oval = np.stack([x + width / 2 * np.cos(turn), y + height / 2 * np.sin(turn)], axis=1).astype(np.float32)
    mask = fill_oval(oval, 64)
    assert mask.sum() == pytest.approx(np.pi / 4 * width * height, rel=0.12)
    down, across = np.mgrid[:64, :64] + 0.5
    assert (mask * across).sum() / mask.sum() == pytest.approx(x, abs=0.15)
    assert (mask * down).sum() / mask.sum() == pytest.approx(y, abs=0.15)


def test_the_loss_is_least_where_the_mask_is_right() -> None:
    wanted = torch.zeros(2, 8, 8)
    wanted[:, 2:6, 2:6] = 1
    right, wrong = (wanted - 0.5) * 24, torch.zeros(2, 8, 8)
    assert float(mask_loss(right, wanted)) < 0.01
    assert float(mask_loss(wrong, wanted)) > 1
    assert float(mask_loss(-right, wanted)) > float(mask_loss(wrong, wanted))


def test_the_network_learns_and_goes_on_to_the_same_weights(material: Material, tmp_path: Path) -> None:
    plan = Plan(steps=4, batch=4, warmup=1, save=2)
    torch.manual_seed(1)
    whole = teach.train_mask(material, plan, tmp_path / "whole")
    torch.manual_seed(1)
    teach.train_mask(material, Plan(steps=2, batch=4, warmup=1, save=2), tmp_path / "half")
    assert torch.load(tmp_path / "half" / "last.pt", weights_only=True)["step"] == 2
    assert whole(torch.zeros(1, 1, SIZE, SIZE)).shape == (1, SIZE, SIZE)


def test_the_exported_network_says_what_the_trained_one_says(tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = MaskNetwork().eval()
    export_mask(network, tmp_path / "mask.onnx")
    session = ModelSession(tmp_path / "mask.onnx", device="cpu")
    crops = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE), np.uint8)
    with torch.no_grad():
        wanted = network(torch.from_numpy(crops)[:, None].float()).numpy()
    np.testing.assert_allclose(session.run(crops)["mask"], wanted, atol=2e-2)  # the weights are in half precision
    assert mask_overlap(session.run(crops)["mask"][0] + 0.5, wanted[0] + 0.5) > 0.9
    assert session.card.task == "mask"
    assert (tmp_path / "mask.onnx").stat().st_size < 250_000
