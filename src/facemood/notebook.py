"""Photos from the reader's own camera in a notebook, wherever the kernel runs: Colab, Jupyter.

    from facemood import EmotionRecognizer
    from facemood.notebook import take_photo

    EmotionRecognizer().analyze_image(take_photo())

The camera is the browser's. A button stands in the cell; one press takes the photo, which comes back as an image.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from facemood.errors import DeviceError, ImageError
from facemood.schema import Image
from facemood.sources import load_image

SCRIPT = Path(__file__).parent / "server" / "static" / "notebook.js"
"""The camera in the cell, the same for every kind of notebook."""

WIDTH, QUALITY = 1280, 0.9
"""The photo's width in pixels at most, and the quality of the JPEG that brings it."""


def take_photo(*, width: int = WIDTH, quality: float = QUALITY) -> Image:
    """Show the reader's camera with a button in the cell, and return the photo that is taken.

    Args:
        width: Of the photo, in pixels at most.
        quality: Of the JPEG that brings it from the browser, above 0 and up to 1.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        DeviceError: This is no notebook, or there is no camera, or it was not allowed; the cell says so too.
        ValueError: An option is out of its range.

    Example:
        >>> take_photo()
        Traceback (most recent call last):
        facemood.errors.DeviceError: take_photo needs a notebook; elsewhere read a file with analyze_image
    """
    if width < 1 or not 0 < quality <= 1:
        raise ValueError(f"expected a width of 1 or more and a quality in (0, 1], but got {width} and {quality}")
    return decode_photo(_find_asker()(json.dumps({"width": width, "quality": quality})))


def decode_photo(answer: str) -> Image:
    """Turn what the cell's script answers into an image.

    Args:
        answer: ``data:image/jpeg;base64,...``, or ``error:`` and what went wrong.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        DeviceError: The camera could not be used, or no photo was taken.
        ImageError: The photo did not come whole.
    """
    kind, _, rest = answer.partition(":")
    if kind == "error":
        raise DeviceError(rest)
    head, _, data = rest.partition(",")
    if kind != "data" or not head.startswith("image/"):
        raise DeviceError("no photo was taken; run the cell again and press the button that says so")
    try:
        return load_image(base64.b64decode(data, validate=True), name="photo")
    except binascii.Error as error:
        raise ImageError("the photo did not come whole; run the cell again") from error


def _script(options: str, then: str = "") -> str:
    """Return the script that takes a photo, with what follows; its value is a promise of the answer."""
    return f"(() => {{\n{SCRIPT.read_text(encoding='utf-8')}\nreturn takePhoto({options}){then};\n}})()"


def _find_asker() -> Callable[[str], str]:
    """Return what runs the script in the cell and waits for its answer; it takes the options as JSON.

    Raises:
        DeviceError: This is no notebook.
    """
    if _is_there("google.colab"):
        return _ask_in_colab
    if _in_jupyter():
        return _ask_in_jupyter
    raise DeviceError("take_photo needs a notebook; elsewhere read a file with analyze_image")


def _ask_in_colab(options: str) -> str:
    """Run the script in Colab's cell, which waits for promises itself."""
    return str(import_module("google.colab.output").eval_js(_script(options)))


def _ask_in_jupyter(options: str) -> str:
    """Run the script in Jupyter's cell; the answer comes back as a line of input, the one way that lets a cell wait.

    The script finds the input's field by its prompt, a word that was made for it, and enters the answer there.
    """
    display = import_module("IPython.display")
    prompt = f"facemood-{secrets.token_hex(4)}"
    script = _script(options, f".then((answer) => enterAnswer({json.dumps(prompt)}, answer))")
    display.display(display.HTML(f"<script>{script}</script>"))
    try:
        return input(prompt)
    finally:
        display.clear_output()


def _in_jupyter() -> bool:
    """Tell whether a kernel runs this, so that there is a cell."""
    if not _is_there("IPython"):
        return False
    shell = import_module("IPython").get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def _is_there(module: str) -> bool:
    """Tell whether a module can be imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
