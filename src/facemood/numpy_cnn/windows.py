"""Sliding windows for convolution and pooling, as views without copies.

A side of n pixels with padding p on both ends has this number of windows of side f with stride s:

    floor((n + 2p - f) / s) + 1
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from facemood.numpy_cnn.layer import Floats, Layer, Shape, check_image_shape


def count_windows(side: int, size: int, *, stride: int = 1, padding: int = 0) -> int:
    """Return the number of windows along a side; 0 or less if there is no room for one.

    Example:
        >>> count_windows(48, 5, stride=2, padding=2), count_windows(7, 2, stride=2)
        (24, 3)
    """
    return (side + 2 * padding - size) // stride + 1


def window_grid(layer: Layer, shape: Shape, size: int, *, stride: int, padding: int = 0) -> tuple[int, int]:
    """Return the rows and columns of windows of a layer in an image of (h, w, c).

    Raises:
        ValueError: Size or stride is below 1, the shape is not an image's, or the window is larger than the image.
    """
    height, width, _ = check_image_shape(layer, shape)
    if size < 1 or stride < 1:
        raise ValueError(f"{layer}: size and stride must be 1 or more")
    rows, columns = (count_windows(side, size, stride=stride, padding=padding) for side in (height, width))
    if min(rows, columns) < 1:
        raise ValueError(f"{layer}: a window of {size} x {size} does not fit into {height} x {width} pixels")
    return rows, columns


def pad(images: Floats, padding: int) -> Floats:
    """Pad images with zeros: (N, h, w, c) to (N, h + 2p, w + 2p, c)."""
    if not padding:
        return images
    count, height, width, channels = images.shape
    padded = np.zeros((count, height + 2 * padding, width + 2 * padding, channels), images.dtype)
    unpad(padded, padding)[...] = images
    return padded


def unpad(images: Floats, padding: int) -> Floats:
    """Return the inside of padded images, a view: (N, h + 2p, w + 2p, c) to (N, h, w, c)."""
    return images[:, padding:-padding, padding:-padding] if padding else images


def take_windows(images: Floats, size: int, *, stride: int) -> Floats:
    """Return all windows of images, without copying.

    Args:
        images: (N, h, w, c).
        size: Side f of a window.
        stride: Pixels from one window to the next.

    Returns:
        (N, rows, columns, f, f, c), a view that must not be written to, because windows share pixels.

    Example:
        >>> image = np.arange(9.0).reshape(1, 3, 3, 1)
        >>> take_windows(image, 2, stride=1)[0, 0, 1, :, :, 0].tolist()
        [[1.0, 2.0], [4.0, 5.0]]
    """
    windows = sliding_window_view(images, (size, size), axis=(1, 2))  # (N, h - f + 1, w - f + 1, c, f, f)
    return windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


def add_windows(windows: Floats, shape: Shape, *, stride: int) -> Floats:
    """Add windows back into images, summing where they overlap: the transpose of `take_windows`.

    Args:
        windows: (N, rows, columns, f, f, c).
        shape: Shape of the images, (N, h, w, c).
        stride: Pixels from one window to the next.
    """
    images = np.zeros(shape, windows.dtype)
    size = windows.shape[3]
    for place, pixels in enumerate(pixels_of_windows(images, size, stride=stride)):
        pixels += windows[:, :, :, place // size, place % size]
    return images


def pixels_of_windows(images: Floats, size: int, *, stride: int) -> Iterator[Floats]:
    """Yield the first pixel of all windows, then the second, and so on, f * f views of (N, rows, columns, c).

    The pixels of one view are all different, so it can be written to.
    """
    rows, columns = (count_windows(side, size, stride=stride) for side in images.shape[1:3])
    for top in range(size):
        for left in range(size):
            yield images[:, top : top + stride * rows : stride, left : left + stride * columns : stride]
