from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional

from facemood import EmotionRecognizer
from facemood.datasets import ExpressionDataset
from facemood.errors import DatasetError
from facemood.sources import load_image
from facemood.train.data.upright import find_points, upright_matrices


@pytest.fixture(scope="module")
def dataset(recognizer: EmotionRecognizer, astronaut: Path) -> ExpressionDataset:
    """A face upright, the same tilted to both sides, and a tile without a face."""
    image = load_image(astronaut)
    (crop,) = recognizer.pipeline.crops(image, recognizer.detect(image))
    grey = cv2.cvtColor(cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    turns = [cv2.getRotationMatrix2D((23.5, 23.5), degrees, 1.0) for degrees in (0, 20, -20)]
    tiles = [cv2.warpAffine(grey, turn, (48, 48), borderMode=cv2.BORDER_REPLICATE) for turn in turns]
    images = np.stack([*tiles, np.full((48, 48), 90, np.uint8)])
    return ExpressionDataset("mine", images, np.zeros(4, int), ("calm",), np.array(["train"] * 4))


def test_tilted_tiles_become_upright_and_the_others_stay(dataset: ExpressionDataset, tmp_path: Path) -> None:
    matrices = upright_matrices(dataset, tmp_path / "upright.npz")
    torch.testing.assert_close(matrices[3], torch.eye(2, 3))
    images = torch.from_numpy(dataset.pixels).float()[:, None]
    grid = functional.affine_grid(matrices, [4, 1, 48, 48], align_corners=False)
    turned = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
    inside = turned[:3, 0, 8:40, 8:40].reshape(3, -1)
    alike = torch.corrcoef(inside)
    assert alike.min() > 0.93
    before = torch.corrcoef(images[:3, 0, 8:40, 8:40].reshape(3, -1))
    assert before[1, 2] < 0.7


def test_landmarks_are_stored_once(dataset: ExpressionDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "upright.npz"
    first = upright_matrices(dataset, file)
    written = file.read_bytes()
    monkeypatch.setattr("facemood.train.data.upright.find_points", None)  # would fail if it was called
    torch.testing.assert_close(upright_matrices(dataset, file), first)
    assert file.read_bytes() == written


@pytest.mark.parametrize("damage", [b"", b"PK", None])
def test_a_damaged_file_is_made_again(dataset: ExpressionDataset, tmp_path: Path, damage: bytes | None) -> None:
    file = tmp_path / "upright.npz"
    first = upright_matrices(dataset, file)
    if damage is None:
        np.savez(file, points=np.zeros((3, 68, 2), np.float32))  # of other images
    else:
        file.write_bytes(damage)
    torch.testing.assert_close(upright_matrices(dataset, file), first)


def test_images_without_faces_are_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 48, 48), np.uint8)
    assert np.isnan(find_points(noise)).all()
    dataset = ExpressionDataset("mine", noise, np.zeros(2, int), ("calm",), np.array(["train"] * 2))
    with pytest.raises(DatasetError, match="none of 2 tiles has landmarks"):
        upright_matrices(dataset, tmp_path / "upright.npz")
