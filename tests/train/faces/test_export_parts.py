from pathlib import Path

import numpy as np
import torch

from facemood.models import ModelSession
from facemood.train.faces.export_parts import CELLS, FINDER_CARD, LANDMARKS_CARD, MASK_CARD, export_mask
from facemood.train.faces.finder_network import FinderNetwork
from facemood.train.faces.landmark_network import SIZE
from facemood.train.faces.mask_network import MaskNetwork
from facemood.train.faces.teach import FINDER, LANDMARKS, REFINED


def test_cards_count_the_composed_images() -> None:
    assert FINDER_CARD.trained_on["pictures"] == FINDER.steps * FINDER.batch
    assert LANDMARKS_CARD.trained_on["steps"] == LANDMARKS.steps + REFINED.steps
    assert LANDMARKS_CARD.trained_on["pictures"] == LANDMARKS.steps * LANDMARKS.batch + REFINED.steps * REFINED.batch


def test_the_finders_channels_have_names() -> None:
    assert FinderNetwork()(torch.zeros(1, 1, 32, 32)).shape[1] == len(CELLS) == len(set(CELLS))


def test_every_card_says_where_the_training_faces_come_from() -> None:
    for card in (FINDER_CARD, LANDMARKS_CARD, MASK_CARD):
        assert any("rights were never cleared" in sentence for sentence in card.limits)


def test_the_written_mask_network_gives_what_the_trained_one_gives(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = MaskNetwork().eval()
    export_mask(network, tmp_path / "mask.onnx")
    session = ModelSession(tmp_path / "mask.onnx", device="cpu")
    assert session.card == MASK_CARD
    crops = np.random.default_rng(0).random((3, 1, SIZE, SIZE), np.float32) * 255
    with torch.no_grad():
        expected = network(torch.from_numpy(crops)).numpy()
    np.testing.assert_allclose(session.run_batch(crops)["mask"], expected, atol=0.05)
