import pytest
import torch

from facemood.train.networks.pixels import StandardizePixels, pixel_layer


def test_standardized_images_have_mean_zero_and_deviation_one() -> None:
    images = StandardizePixels()(torch.rand(3, 1, 20, 20) * 200 + 30)
    torch.testing.assert_close(images.mean(dim=(2, 3)), torch.zeros(3, 1), atol=1e-4, rtol=0)
    torch.testing.assert_close(images.std(dim=(2, 3)), torch.ones(3, 1), atol=2e-3, rtol=0)


def test_a_flat_image_becomes_zero() -> None:
    assert StandardizePixels()(torch.full((1, 1, 8, 8), 90.0)).abs().max() == 0


def test_unit_pixels_are_between_zero_and_one() -> None:
    images = torch.tensor([0.0, 127.5, 255.0]).reshape(1, 1, 1, 3)
    torch.testing.assert_close(pixel_layer("unit", 1)(images), torch.tensor([0.0, 0.5, 1.0]).reshape(1, 1, 1, 3))


def test_imagenets_mean_becomes_zero_and_a_deviation_more_one() -> None:
    mean = 255 * torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    more = mean + 255 * torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    layer = pixel_layer("imagenet", 3)
    torch.testing.assert_close(layer(mean), torch.zeros(1, 3, 1, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(layer(more), torch.ones(1, 3, 1, 1), atol=1e-5, rtol=0)
    assert pixel_layer("imagenet", 1)(torch.full((1, 1, 1, 1), 255 * 0.449)).item() == pytest.approx(0, abs=1e-5)


def test_half_pixels_are_about_minus_one_to_one() -> None:
    images = torch.tensor([0.0, 127.0, 255.0]).expand(1, 3, 1, 3)
    torch.testing.assert_close(pixel_layer("half", 3)(images), torch.tensor([-0.9921875, 0, 1]).expand(1, 3, 1, 3))


def test_caffes_pixels_are_blue_green_and_red_around_imagenets_mean() -> None:
    images = torch.tensor([123.68, 116.779, 203.939]).reshape(1, 3, 1, 1)  # red, green, blue
    expected = torch.tensor([100.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    torch.testing.assert_close(pixel_layer("caffe", 3)(images), expected, atol=1e-4, rtol=0)
    assert pixel_layer("caffe", 1)(torch.full((1, 1, 1, 1), 114.799)).item() == pytest.approx(0, abs=1e-3)
