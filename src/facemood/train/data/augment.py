"""Augment whole batches on their device: one affine pass, then tone, blur, noise, compression and erasing."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional

from facemood.train.augment_config import AugmentConfig
from facemood.train.data.batches import Batch
from facemood.train.data.jpeg import compress

PADDING = {"reflect": "reflection", "nearest": "border", "constant": "zeros"}
"""Torch's names of the fills for pixels from outside."""


def augment(
    images: Tensor, config: AugmentConfig, *, size: int, generator: Generator, upright: Tensor | None = None
) -> Tensor:
    """Augment each image of a batch independently.

    Args:
        images: (N, C, h, h) float32, 0..255.
        config: The settings.
        size: Side of the resulting crops, at the scale of the images; at most h.
        generator: Generator of the random numbers.
        upright: (N, 2, 3) matrices of the images' upright crops, of which the share `config.upright` is used.

    Returns:
        (N, C, size, size) float32, 0..255.
    """
    warped = _warp(images, config, size=size, generator=generator, upright=upright)
    toned = _tone(warped, config, generator=generator)
    return _erase(toned, config, generator=generator)


def mixup(images: Tensor, batch: Batch, config: AugmentConfig) -> tuple[Tensor, Batch]:
    """Mix each image of some batches with another, and their targets as well (mixup, Zhang et al. 2018).

    The random numbers come from torch's global generator.

    Args:
        images: (N, C, h, w) float32, augmented.
        batch: The targets; labels and majority stay those of the first image.
        config: The settings: probability and distribution of the shares.
    """
    if config.mixup == 0 or torch.rand(()) >= config.mixup:
        return images, batch
    part = torch.distributions.Beta(config.mixup_alpha, config.mixup_alpha).sample()
    other = torch.randperm(len(images), device=images.device)
    share = torch.lerp(batch.share[other], batch.share, part)
    votes = batch.votes * batch.share[:, None]
    mixed = torch.lerp(votes[other], votes, part) / share.clamp(min=1e-6)[:, None]
    targets = torch.lerp(batch.targets[other], batch.targets, part)
    return torch.lerp(images[other], images, part), batch._replace(targets=targets, votes=mixed, share=share)


def _uniform(count: int, low: float, high: float, generator: Generator) -> Tensor:
    """Draw (count,) numbers between low and high."""
    return low + (high - low) * torch.rand(count, generator=generator)


def _chance(count: int, probability: float, generator: Generator) -> Tensor:
    """Draw (count,) bools that are true with a probability."""
    return torch.rand(count, generator=generator) < probability


def _warp(images: Tensor, config: AugmentConfig, *, size: int, generator: Generator, upright: Tensor | None) -> Tensor:
    """Turn upright, mirror, rotate, zoom, shear, shift and crop in one resampling."""
    count, side = len(images), images.shape[-1]
    flip = 1.0 - 2.0 * _chance(count, config.mirror, generator)
    angle = torch.deg2rad(_uniform(count, -config.rotation, config.rotation, generator))
    shear = torch.tan(torch.deg2rad(_uniform(count, -config.shear, config.shear, generator)))
    zoom = torch.exp(_uniform(count, math.log(config.scale[0]), math.log(config.scale[1]), generator))
    room = (
        side - size
    ) / side + 2 * config.shift  # a smaller crop may be anywhere inside the image, or slightly outside
    shift = room * (2 * torch.rand(count, 2, generator=generator) - 1)
    part = size / side / zoom
    cosine, sine = torch.cos(angle) * part, torch.sin(angle) * part
    # Rows of the matrix from output to input coordinates, both -1..1: (N, 2, 3)
    across = torch.stack([flip * cosine, flip * (shear * cosine - sine), shift[:, 0]], dim=1)
    down = torch.stack([sine, shear * sine + cosine, shift[:, 1]], dim=1)
    theta = torch.stack([across, down], dim=1)
    if upright is not None and config.upright:
        turned = _chance(count, config.upright, generator)[:, None, None]
        theta = torch.where(turned, _after(upright.cpu(), theta), theta)
    theta = theta.to(images.device)
    grid = functional.affine_grid(theta, [count, images.shape[1], size, size], align_corners=False)
    return functional.grid_sample(images, grid, padding_mode=PADDING[config.fill], align_corners=False)


def _after(outer: Tensor, inner: Tensor) -> Tensor:
    """Return the affine matrices (N, 2, 3) that apply the inner ones first."""
    linear = outer[:, :, :2]
    return torch.cat([linear @ inner[:, :, :2], linear @ inner[:, :, 2:] + outer[:, :, 2:]], dim=2)


def _tone(images: Tensor, config: AugmentConfig, *, generator: Generator) -> Tensor:
    """Change the tone curve of each image; overexpose, blur, add noise to and compress some."""
    count = len(images)
    limit = math.log(config.gamma)
    exponent = torch.exp(_uniform(count, -limit, limit, generator)).to(images.device)
    toned = 255 * (images.clamp(0, 255) / 255) ** exponent[:, None, None, None]
    limit = math.log(config.brightness)
    gain = torch.exp(_uniform(count, -limit, limit, generator))
    gain = gain * (
        1 + _uniform(count, 0, config.overexposure - 1, generator) * _chance(count, config.overexpose, generator)
    )
    toned = (toned * gain.to(images.device)[:, None, None, None]).clamp(max=255)
    blurred = _chance(count, config.blur, generator).to(images.device)
    kernel = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]], device=images.device) / 16
    channels = toned.shape[1]
    padded = functional.pad(toned[blurred], (1, 1, 1, 1), mode="replicate")
    toned[blurred] = functional.conv2d(padded, kernel.expand(channels, 1, 3, 3), groups=channels)
    if config.low_resolution:
        toned = _shrink(toned, config, generator=generator)
    strength = _uniform(count, 0, config.noise_level, generator) * _chance(count, config.noise, generator)
    noise = torch.randn(toned.shape, generator=generator) * strength[:, None, None, None]
    noisy = (toned + noise.to(images.device)).clamp(0, 255)
    return _compress(noisy, config, generator=generator) if config.jpeg else noisy


def _compress(images: Tensor, config: AugmentConfig, *, generator: Generator) -> Tensor:
    """Compress some images as JPEG does."""
    quality = _uniform(len(images), config.jpeg_quality, 100, generator)
    chosen = _chance(len(images), config.jpeg, generator)
    compressed = images.clone()
    compressed[chosen] = compress(images[chosen], quality[chosen])
    return compressed


def _shrink(images: Tensor, config: AugmentConfig, *, generator: Generator) -> Tensor:
    """Shrink some images and enlarge them again, as if the face was small in the picture; one size for the batch."""
    side = images.shape[-1]
    small = max(1, round(float(_uniform(1, side / 4, side, generator))))
    chosen = _chance(len(images), config.low_resolution, generator).to(images.device)
    shrunk = functional.interpolate(images, size=(small, small), mode="area")
    large = functional.interpolate(shrunk, size=(side, side), mode="bilinear", align_corners=False)
    return torch.where(chosen[:, None, None, None], large, images)


def _erase(images: Tensor, config: AugmentConfig, *, generator: Generator) -> Tensor:
    """Cover a rectangle of some images with a random grey (random erasing, Zhong et al. 2020)."""
    count, side = len(images), images.shape[-1]
    area = _uniform(count, 0.02, 0.2, generator) * side * side * _chance(count, config.erase, generator)
    aspect = torch.exp(_uniform(count, -0.7, 0.7, generator))
    height, width = torch.sqrt(area * aspect), torch.sqrt(area / aspect)
    top, left = (torch.rand(count, generator=generator) * (side - extent) for extent in (height, width))
    line = torch.arange(side)[None, :] + 0.5  # (1, side)
    rows = (line > top[:, None]) & (line < (top + height)[:, None])
    columns = (line > left[:, None]) & (line < (left + width)[:, None])
    covered = (rows[:, None, :, None] & columns[:, None, None, :]).to(images.device)
    grey = _uniform(count, 0, 255, generator).to(images.device)
    return torch.where(covered, grey[:, None, None, None], images)
