"""Show an image: in the cell of a notebook, or in a window until a key is pressed."""

from __future__ import annotations

import sys
import time
from importlib import import_module

import cv2
import numpy as np

from facemood.errors import DeviceError
from facemood.render.display import Window
from facemood.render.image_files import encode_png
from facemood.schema import Image

TICK = 0.05
"""Seconds between two looks at the keys."""


def show_image(image: Image, *, title: str) -> None:
    """Show an image, and wait until its window is closed or Enter, q or Esc is pressed; a notebook does not wait.

    Args:
        image: (H, W, 3) uint8 BGR.
        title: Title of the window.

    Raises:
        MissingExtraError: pygame is not installed (extra ``live``).
        DeviceError: There is no display.
    """
    if _has_cells():
        display = import_module("IPython.display")
        display.display(display.Image(data=encode_png(image)))
        return
    with _window(title) as window:
        window.open((image.shape[1], image.shape[0]))
        shown = None
        while "close" not in window.actions():
            if window.size != shown:
                shown = window.size
                window.show(_fit(image, shown))
            time.sleep(TICK)


def _window(title: str) -> Window:
    """Return a window.

    Raises:
        DeviceError: There is no display; the message says what to do without one.
    """
    try:
        return Window(f"facemood · {title}")
    except DeviceError as error:
        raise DeviceError(
            "there is no display to show the image on; write it to a file: result.save('drawn.png'), or "
            "result.plot().savefig('figure.png')"
        ) from error


def _fit(image: Image, size: tuple[int, int]) -> Image:
    """Scale an image into a width and height, in the middle of black."""
    width, height = size
    scale = min(width / image.shape[1], height / image.shape[0])
    inside = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = image if scale == 1 else cv2.resize(image, inside, interpolation=method)
    canvas = np.zeros((height, width, 3), np.uint8)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    canvas[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return canvas


def _has_cells() -> bool:
    """Return whether this runs in a notebook's kernel."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return hasattr(shell, "kernel")
