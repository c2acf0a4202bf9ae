"""Frames whose faces go through the network together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from facemood.schema import Frame

BATCH_PIXELS = 50_000_000
"""Most pixels of a batch that has several frames. It bounds the memory for large images."""


class FrameBatch:
    """Frames that wait to be read together.

    Args:
        size: Most frames; a batch of `BATCH_PIXELS` pixels is full earlier.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._frames: list[Frame] = []
        self._pixels = 0

    def add(self, frame: Frame) -> bool:
        """Add a frame; return whether the batch is full."""
        self._frames.append(frame)
        self._pixels += frame.size[0] * frame.size[1]
        return len(self._frames) == self._size or self._pixels >= BATCH_PIXELS

    def take(self) -> list[Frame]:
        """Return the frames, and begin the next batch."""
        frames, self._frames, self._pixels = self._frames, [], 0
        return frames


def batched(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Yield frames in batches of at most `size` frames; a batch of `BATCH_PIXELS` pixels is complete earlier.

    Example:
        >>> import numpy as np
        >>> [len(batch) for batch in batched([Frame(np.zeros((4, 4, 3), np.uint8))] * 5, 2)]
        [2, 2, 1]
    """
    batch = FrameBatch(size)
    for frame in frames:
        if batch.add(frame):
            yield batch.take()
    if rest := batch.take():
        yield rest
