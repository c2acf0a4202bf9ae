"""Take photos with the user's camera in a notebook (Colab or Jupyter), also if the kernel runs elsewhere.

    from facemood import EmotionRecognizer
    from facemood.notebook import take_photo

    EmotionRecognizer().analyze_image(take_photo())

The browser opens the camera. A button in the cell takes the photo, which is returned as an image.
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
"""Script of the camera in the cell, for all kinds of notebooks."""

WIDTH = 1280
"""Default of the photo's largest width, in pixels: enough for a face at a desk."""

QUALITY = 0.9
"""Default JPEG quality of the photo, 0..1."""


def take_photo(*, width: int = WIDTH, quality: float = QUALITY) -> Image:
    """Show the user's camera with a button in the cell, and return the photo.

    Args:
        width: Largest width of the photo in pixels.
        quality: JPEG quality for the transfer from the browser, above 0 and up to 1.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        DeviceError: This is not a notebook, there is no camera, or its use was not allowed; the cell shows the reason.
        ValueError: An option is out of its range.

    Example:
        >>> take_photo()
        Traceback (most recent call last):
        facemood.errors.DeviceError: take_photo works only in a notebook; use analyze_image with a file instead
    """
    if width < 1 or not 0 < quality <= 1:
        raise ValueError(f"expected a width of 1 or more and a quality in (0, 1], but got {width} and {quality}")
    return decode_photo(_find_runner()(json.dumps({"width": width, "quality": quality})))


def decode_photo(answer: str) -> Image:
    """Decode the answer of the script in the cell.

    Args:
        answer: ``data:image/jpeg;base64,...``, or ``error:`` and a message.

    Returns:
        (H, W, 3) uint8 BGR.

    Raises:
        DeviceError: The camera could not be used, or no photo was taken.
        ImageError: The photo is incomplete.
    """
    kind, _, rest = answer.partition(":")
    if kind == "error":
        raise DeviceError(rest)
    head, _, data = rest.partition(",")
    if kind != "data" or not head.startswith("image/"):
        raise DeviceError("no photo was taken; run the cell again and press the button to take one")
    try:
        return load_image(base64.b64decode(data, validate=True), name="photo")
    except binascii.Error as error:
        raise ImageError("the photo is incomplete; run the cell again") from error


def _script(options: str, then: str = "") -> str:
    """Return the script that takes a photo, followed by `then`; its value is a promise of the answer."""
    return f"(() => {{\n{SCRIPT.read_text(encoding='utf-8')}\nreturn takePhoto({options}){then};\n}})()"


def _find_runner() -> Callable[[str], str]:
    """Return the function that runs the script in the cell and waits for its answer. It takes the options as JSON.

    Raises:
        DeviceError: This is not a notebook.
    """
    if _is_installed("google.colab"):
        return _run_in_colab
    if _in_jupyter():
        return _run_in_jupyter
    raise DeviceError("take_photo works only in a notebook; use analyze_image with a file instead")


def _run_in_colab(options: str) -> str:
    """Run the script in Colab's cell, which waits for promises."""
    return str(import_module("google.colab.output").eval_js(_script(options)))


def _run_in_jupyter(options: str) -> str:
    """Run the script in Jupyter's cell. The answer arrives as a line of input, because only `input` makes a cell wait.

    The script finds the input field by its prompt, a random word, and enters the answer there.
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
    """Return whether this runs in a Jupyter kernel, which has cells."""
    if not _is_installed("IPython"):
        return False
    shell = import_module("IPython").get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def _is_installed(module: str) -> bool:
    """Return whether a module can be imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
