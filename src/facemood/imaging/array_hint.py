"""What to write so that an array or a tensor becomes an image: an expression that fits the one at hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.imaging.pixel_values import value_range
from facemood.text import joined

CHANNELS = (1, 3, 4)
"""How many channels an image can have: grey, BGR, BGR with transparency."""


def array_hint(array: Any) -> str:
    """Say how an array or a tensor becomes an image that is read; empty where that cannot be told.

    Args:
        array: A NumPy array, or a tensor of torch, TensorFlow, JAX or the like; the hint calls it ``image``.

    Example:
        >>> array_hint(np.zeros((4, 5, 4), np.uint8))
        'for 4 channels use image[..., :3]'
        >>> array_hint(np.full((3, 8, 9), 0.5))
        "for channels first and values 0..1 use (image.transpose(1, 2, 0) * 255).clip(0, 255).astype('uint8')"
        >>> array_hint(np.zeros((2, 8, 9, 3), np.uint8))
        'for a batch of images use analyze(list(image))'
    """
    reasons, expression, values = _as_numpy(array)
    if values.ndim not in (2, 3, 4) or not values.size or values.dtype.kind not in "buif":
        return ""
    shapes = _shape_steps(values.shape, expression)
    if shapes is None:
        return ""
    more, expression = shapes
    reason, expression = _depth_step(values, expression)
    batch = values.ndim == 4
    reasons = [*reasons, *["a batch of images"] * batch, *more, *filter(None, [reason])]
    wanted = f"analyze(list({expression}))" if batch else expression
    return f"for {joined(reasons)} use {wanted}" if reasons else ""


def _as_numpy(array: Any) -> tuple[list[str], str, NDArray[Any]]:
    """Return what makes a NumPy array of a tensor: the reason, the expression and the array."""
    if isinstance(array, np.ndarray):
        return [], "image", array
    try:
        if not hasattr(array, "detach"):
            return ["a tensor"], "np.asarray(image)", np.asarray(array)
        plain = array.detach().cpu()
        try:
            return ["a tensor"], "image.detach().cpu().numpy()", plain.numpy()
        except TypeError:  # bfloat16, which NumPy does not have
            return ["a tensor"], "image.detach().cpu().float().numpy()", plain.float().numpy()
    except Exception:  # every library has errors of its own for tensors that cannot be copied
        return [], "image", np.empty(0)


def _shape_steps(shape: tuple[int, ...], expression: str) -> tuple[list[str], str] | None:
    """Return the reasons and the expression that bring a shape to (..., H, W) or (..., H, W, 3); None if it is none."""
    if len(shape) == 2:
        return [], expression
    reasons, channels = [], shape[-1]
    if channels not in CHANNELS:
        channels = shape[-3]
        reasons.append("channels first")
        axes = "1, 2, 0" if len(shape) == 3 else "0, 2, 3, 1"
        expression = f"{expression}.transpose({axes})"
    if channels not in CHANNELS:
        return None
    if channels == 3:
        return reasons, expression
    few = channels == 1
    return [*reasons, "1 channel" if few else "4 channels"], f"{expression}[..., {'0' if few else ':3'}]"


def _depth_step(values: NDArray[Any], expression: str) -> tuple[str, str]:
    """Return the reason and the expression that bring values to 0..255 and uint8."""
    if values.dtype == np.uint8:
        return "", expression
    if values.dtype == bool:
        return "true and false", f"({expression} * 255).astype('uint8')"
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not finite.size:
        return "", expression
    low, high = float(finite.min()), float(finite.max())
    if finite.size < values.size:
        expression = f"np.nan_to_num({expression}, nan={low:g}, posinf={high:g}, neginf={low:g})"
    least, most = value_range(low, high, floating=values.dtype.kind == "f")
    if least:
        expression = f"({expression} + {-least:.9g})"
    if (least, most) == (0, 1):
        expression = f"({expression} * 255)"
    elif (least, most) != (0, 255):
        expression = f"({expression} * (255 / {most - least:.9g}))"
    return f"values {least:g}..{most:g}", f"{expression}.clip(0, 255).astype('uint8')"
