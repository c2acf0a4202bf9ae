"""JPEG compression of whole batches on their device: what its rounding does to the grey levels, without any file."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 8
"""Side of JPEG's blocks in pixels."""

MIDDLE = 128
"""The grey level that JPEG subtracts before it transforms."""

STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Steps of the brightness' coefficients at quality 50 (ITU-T T.81, annex K.1)."""


def compress(images: Tensor, quality: Tensor) -> Tensor:
    """Round the cosine coefficients of each block of 8 x 8 pixels, as JPEG does; each channel by itself.

    Args:
        images: (N, C, h, w) float32, 0..255.
        quality: (N,) float, 1..100, with the meaning that libjpeg gives it.

    Returns:
        (N, C, h, w) float32, 0..255.
    """
    height, width = images.shape[-2:]
    margin = (0, -width % BLOCK, 0, -height % BLOCK)
    padded = functional.pad(images, margin, mode="replicate") - MIDDLE
    rows, columns = (side // BLOCK for side in padded.shape[-2:])
    split = (*padded.shape[:2], rows, BLOCK, columns, BLOCK)
    blocks = padded.reshape(split).transpose(3, 4)  # (N, C, rows, columns, 8, 8)
    basis = _cosines().to(images.device)
    steps = _steps(quality).to(images.device)[:, None, None, None]
    rounded = torch.round(basis @ blocks @ basis.T / steps) * steps
    restored = (basis.T @ rounded @ basis).transpose(3, 4).reshape(padded.shape)
    return (restored[..., :height, :width] + MIDDLE).clamp(0, 255)


def _cosines() -> Tensor:
    """Return the orthonormal cosine transform of eight values, (8, 8): row k times the values gives coefficient k."""
    places = torch.arange(BLOCK, dtype=torch.float32)
    waves = torch.cos(math.pi / BLOCK * (places[None, :] + 0.5) * places[:, None]) * math.sqrt(2 / BLOCK)
    waves[0] /= math.sqrt(2)
    return waves


def _steps(quality: Tensor) -> Tensor:
    """Return the steps of the coefficients at each quality, (N, 8, 8), as libjpeg scales them."""
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality)
    table = torch.tensor(STEPS, dtype=torch.float32)
    return torch.floor((table * percent[:, None, None] + 50) / 100).clamp(1, 255)
