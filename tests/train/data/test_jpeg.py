import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from facemood.train.data.jpeg import compress


def smooth(height: int = 48, width: int = 40) -> np.ndarray:
    """A grey image with soft edges."""
    noise = np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.2))


def compressed(image: np.ndarray, *quality: float) -> Tensor:
    """An image at several qualities, (N, h, w)."""
    images = torch.from_numpy(image).float().expand(len(quality), 1, *image.shape)
    return compress(images, torch.tensor(quality))[:, 0]


@pytest.mark.parametrize("quality", [5, 10, 30, 50, 80])
def test_the_grey_levels_are_those_of_libjpeg(quality: int) -> None:
    image = smooth()
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    expected = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)
    difference = np.abs(compressed(image, quality)[0].numpy() - expected)
    assert difference.mean() < 0.5
    assert (difference > 1.5).mean() < 0.05  # a coefficient in the middle between two steps may fall to either


def test_a_lower_quality_changes_more_and_each_image_has_its_own() -> None:
    image = smooth()
    changes = (compressed(image, 5, 20, 95) - torch.from_numpy(image)).abs().mean(dim=(1, 2))
    assert changes[0] > 2 * changes[1] > 4 * changes[2] > 0


@pytest.mark.parametrize("shape", [(48, 48), (45, 41), (3, 8)])
def test_any_size_and_any_channels_stay_in_range(shape: tuple[int, int]) -> None:
    images = torch.randint(0, 256, (2, 3, *shape), generator=torch.Generator().manual_seed(0)).float()
    changed = compress(images, torch.tensor([1.0, 100.0]))
    assert changed.shape == images.shape
    assert float(changed.min()) >= 0
    assert float(changed.max()) <= 255
    torch.testing.assert_close(changed[1], images[1], atol=4, rtol=0)
