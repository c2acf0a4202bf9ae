"""Small image files for the tests of readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def save(path: Path, value: int | tuple[int, int, int] = 0, *, size: tuple[int, int] = (20, 30)) -> Path:
    """Write an image of one grey level or (red, green, blue), of (width, height); return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(value, int) else "RGB", size, value).save(path)
    return path


def save_noise(path: Path, seed: int, *, side: int = 20) -> Path:
    """Write a grey image of noise, different for each seed; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)).save(path)
    return path


def spoil(path: Path) -> Path:
    """Write a file that is not an image; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("no image")
    return path
