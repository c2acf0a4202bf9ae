import numpy as np
import torch

from facemood.models import ModelCard
from facemood.models.session import prepare
from facemood.train.data.fit_input import fit_input
from tests.train.test_fit import small_recipe


def test_input_is_brought_to_the_networks_colour_and_size() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    rgb = fit_input(torch.from_numpy(tiles)[:, None].float(), small_recipe("input.colour='rgb'"), 96)
    assert rgb.shape == (2, 3, 96, 96)
    torch.testing.assert_close(rgb[:, 0], rgb[:, 2])
    card = ModelCard("m", {"a": ("x",)}, "a", input_size=(96, 96), colour="rgb", mean=(0.0,) * 3, std=(1.0,) * 3)
    np.testing.assert_allclose(rgb.numpy(), prepare(tiles, card), atol=1)  # inference rounds to whole numbers
    pure = torch.tensor([255.0, 0.0, 0.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    torch.testing.assert_close(fit_input(pure, small_recipe(), 4), torch.full((1, 1, 4, 4), 255 * 0.299))
