"""Test-time augmentation (TTA): run the network on several views of a face, and average its logits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.models.session import ModelSession, prepare

SHIFTS: dict[int, tuple[tuple[int, int], ...]] = {1: (), 2: (), 10: ((-1, -1), (-1, 1), (1, -1), (1, 1))}
"""For each number of views, where the face is moved to besides its own place: across and down, in units of `STEP`."""

STEP = 1 / 16
"""A shift, as a share of the crop's side: 3 of 48 pixels. By an even number, the maps of a network whose first layer
takes every other pixel are moved but hardly change, so that less is gained."""


def run_views(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, views: int = 1
) -> dict[str, NDArray[np.float32]]:
    """Run a model over crops and return the mean logits of several views.

    Args:
        session: The model.
        crops: N images (h, w) or (h, w, 3) uint8 BGR.
        views: 1 reads each crop as it is; 2 adds its mirror image; 10 adds both moved to four corners.

    Returns:
        For each head the mean logits, (N, K) float32.

    Raises:
        ValueError: Another number of views.
    """
    if check_views(views) == 1 or not len(crops):
        return session.run(crops)
    seen = [session.run_batch(view) for view in make_views(prepare(crops, session.card), views)]
    return {head: np.mean([view[head] for view in seen], axis=0, dtype=np.float32) for head in session.card.heads}


def check_views(views: int) -> int:
    """Return a number of views that there is.

    Raises:
        ValueError: Another number of views.
    """
    if views not in SHIFTS:
        raise ValueError(f"views must be one of {', '.join(map(str, SHIFTS))}, but is {views}")
    return views


def make_views(batch: NDArray[np.float32], views: int) -> Iterator[NDArray[np.float32]]:
    """Yield a batch (N, C, h, w) in its views; what is moved in from outside repeats the edge.

    Example:
        >>> [float(view[0, 0, 0, 0]) for view in make_views(np.array([[[[1, 2]]]], np.float32), 2)]
        [1.0, 2.0]
    """
    height, width = batch.shape[2:]
    down, across = max(1, round(height * STEP)), max(1, round(width * STEP))
    wide = np.pad(batch, ((0, 0), (0, 0), (down, down), (across, across)), mode="edge")
    for x, y in ((0, 0), *SHIFTS[views]):
        top, left = down - y * down, across - x * across
        view = wide[:, :, top : top + height, left : left + width]
        yield np.ascontiguousarray(view)
        if views > 1:
            yield np.ascontiguousarray(view[..., ::-1])
