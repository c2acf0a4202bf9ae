"""Test-time augmentation (TTA): run a network on several views of a face and average the logits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from facemood.errors import OptionError
from facemood.models.session import ModelSession, prepare

SHIFTS: dict[int, tuple[tuple[int, int], ...]] = {1: (), 2: (), 10: ((-1, -1), (-1, 1), (1, -1), (1, 1))}
"""Additional shifts of the face for each number of views: across and down, in units of `STEP`."""

STEP = 1 / 16
"""A shift as a share of the crop's side: 3 of 48 pixels. An even number would gain less: if the first layer has a
stride of 2, its maps are shifted but hardly change."""


def run_views(
    session: ModelSession, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, views: int = 1
) -> dict[str, NDArray[np.float32]]:
    """Run a model over crops and return the mean logits of several views (TTA).

    Args:
        session: The model.
        crops: N images (h, w) or (h, w, 3) uint8 BGR.
        views: 1 is the crop itself; 2 adds its mirror image; 10 adds both, shifted towards the four corners.

    Returns:
        The mean logits of each head, (N, K) float32.

    Raises:
        OptionError: Another number of views.
    """
    if check_views(views) == 1 or not len(crops):
        return session.run(crops)
    runs = [session.run_batch(view) for view in make_views(prepare(crops, session.card), views)]
    return {head: np.mean([run[head] for run in runs], axis=0, dtype=np.float32) for head in session.card.heads}


def check_views(views: int) -> int:
    """Return the number of views, after checking that it is supported.

    Raises:
        OptionError: Another number of views.
    """
    if views not in SHIFTS:
        raise OptionError(f"views must be one of {', '.join(map(str, SHIFTS))}, but is {views}")
    return views


def make_views(batch: NDArray[np.float32], views: int) -> Iterator[NDArray[np.float32]]:
    """Yield the views of a batch (N, C, h, w); shifts repeat the pixels of the edge.

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
