"""Drawn faces: labelled images for exercises, that need no dataset and train in seconds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOODS = ("happy", "sad", "surprise")
"""Labels of the drawn faces, in the order of their numbers."""

SIDE = 24
"""Side of a drawn face in pixels."""

SHIFT = 3
"""Largest shift of a drawn face, in pixels."""

SKIN = 150
"""Mean grey value of the skin, 0..255."""

INK = 20
"""Grey value of eyes and mouth, 0..255."""

NOISE = 25
"""Standard deviation of the noise, in grey values."""


def draw_face(
    random: np.random.Generator, *, smile: float = 0.0, surprised: bool = False, shift: int = SHIFT
) -> NDArray[np.uint8]:
    """Draw a face with two eyes and a mouth.

    Args:
        random: Generator of the noise and of the shift.
        smile: How the mouth is bent, from -1 (sad) over 0 (straight) to 1 (happy).
        surprised: Draw an open mouth instead.
        shift: Largest shift either way, in pixels.

    Returns:
        (24, 24) uint8, grey.

    Example:
        >>> draw_face(np.random.default_rng(0), smile=1).shape
        (24, 24)
    """
    face = random.normal(SKIN, NOISE, (SIDE, SIDE))
    down, right = random.integers(-shift, shift + 1, 2)
    for eye in (8, 15):
        face[8 + down : 10 + down, eye + right : eye + right + 2] = INK
    for x in range(-4, 5):
        bent = 16.5 + smile * (1.5 - x * x / 6)
        for row in (14 + abs(x) // 2, 19 - abs(x) // 2) if surprised else (round(bent),):
            face[row + down, 12 + x + right] = INK
    return face.clip(0, 255).astype(np.uint8)


def draw_faces(count: int, *, seed: int, shift: int = SHIFT) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw faces with random moods.

    Args:
        count: How many.
        seed: Seed of moods, noise and shifts.
        shift: Largest shift either way, in pixels.

    Returns:
        Faces (count, 24, 24, 1) uint8, and labels (count,), the places of their words in `MOODS`.

    Example:
        >>> faces, labels = draw_faces(5, seed=0)
        >>> faces.shape, [MOODS[label] for label in labels]
        ((5, 24, 24, 1), ['surprise', 'sad', 'sad', 'happy', 'happy'])
    """
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(MOODS), count)
    smiles = {0: 1.0, 1: -1.0, 2: 0.0}
    faces = [draw_face(random, smile=smiles[label], surprised=label == 2, shift=shift) for label in labels.tolist()]
    return np.stack(faces)[..., None], labels


def draw_smiles(smiles: NDArray[np.floating], *, seed: int, shift: int = SHIFT) -> NDArray[np.uint8]:
    """Draw one face for each bend of the mouth: (N,) of -1..1 to (N, 24, 24, 1) uint8."""
    random = np.random.default_rng(seed)
    return np.stack([draw_face(random, smile=smile, shift=shift) for smile in smiles.tolist()])[..., None]
