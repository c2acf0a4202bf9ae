"""The camera in a notebook cell: the script runs in a real browser, as in Colab."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.errors import DeviceError, ImageError
from facemood.notebook import decode_photo, take_photo
from tests.moving_faces import read_photo
from tests.server.browser import Browser, Page

Colab = Callable[[Callable[[str], str]], None]


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> Colab:
    """A stand-in for Colab's module: a function that runs a script in the cell and returns its value."""

    def install(eval_js: Callable[[str], str]) -> None:
        google, found, output = (ModuleType(name) for name in ("google", "google.colab", "google.colab.output"))
        output.eval_js = eval_js  # type: ignore[attr-defined]
        found.output = output  # type: ignore[attr-defined]
        for module in (google, found, output):
            module.__path__ = []
            module.__spec__ = __import__("importlib.machinery").machinery.ModuleSpec(module.__name__, None)
            monkeypatch.setitem(sys.modules, module.__name__, module)

    return install


@pytest.fixture
def cell(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A separate page, like the output of a cell."""
    (tmp_path / "cell.html").write_text("<!doctype html><body data-ready=1></body>")
    with browser.page() as page:
        page.open(f"file://{tmp_path}/cell.html")
        yield page


def pressing(page: Page, button: str) -> Callable[[str], str]:
    """Run a script as Colab does, and press a button of the cell meanwhile."""

    def eval_js(script: str) -> str:
        page.run(f"window.answer = null; {script}.then((value) => (window.answer = value)); 0")
        found = f"[...document.querySelectorAll('button')].find((one) => one.textContent === {button!r})"
        page.wait(f"window.answer || !!{found}")
        page.run(f"{found}?.click()")
        return str(page.wait("window.answer"))

    return eval_js


@pytest.mark.browser
def test_the_photo_has_the_pixels_of_the_camera(cell: Page, colab: Colab, recognizer: EmotionRecognizer) -> None:
    colab(pressing(cell, "Take the photo"))
    photo = take_photo(width=640)
    assert photo.shape == (480, 640, 3)
    assert np.abs(photo[100:400, :40].astype(float) - 90).mean() < 4
    result = recognizer.analyze_image(photo)
    assert [face.emotion for face in result] == ["happy"]
    assert result._repr_png_() is not None
    assert cell.run("document.body.children.length") == 0  # nothing stays in the cell


@pytest.mark.browser
def test_the_photo_is_no_wider_than_requested(cell: Page, colab: Colab) -> None:
    colab(pressing(cell, "Take the photo"))
    assert take_photo(width=320).shape == (240, 320, 3)


@pytest.mark.browser
def test_cancelling_is_an_error(cell: Page, colab: Colab) -> None:
    colab(pressing(cell, "Cancel"))
    with pytest.raises(DeviceError, match="no photo was taken"):
        take_photo()


@pytest.mark.browser
@pytest.mark.parametrize(("name", "words"), [("NotFoundError", "Plug one in"), ("NotAllowedError", "Allow it")])
def test_camera_errors_are_raised_and_shown_in_the_cell(cell: Page, colab: Colab, name: str, words: str) -> None:
    cell.run(f"navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', '{name}')); 0")
    colab(pressing(cell, "Take the photo"))
    with pytest.raises(DeviceError, match=words):
        take_photo()
    assert words in cell.run("document.body.innerText")


def test_outside_a_notebook_the_error_names_the_alternative() -> None:
    with pytest.raises(DeviceError, match="analyze_image"):
        take_photo()


@pytest.mark.parametrize(("width", "quality"), [(0, 0.9), (640, 0.0), (640, 1.1), (-5, 0.5)])
def test_options_out_of_range_are_errors(width: int, quality: float) -> None:
    with pytest.raises(ValueError, match="expected a width"):
        take_photo(width=width, quality=quality)


def test_a_photo_is_decoded(astronaut: Path) -> None:
    data = base64.b64encode(astronaut.read_bytes()).decode()
    np.testing.assert_array_equal(decode_photo(f"data:image/png;base64,{data}"), read_photo("astronaut.png"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("", DeviceError),
        ("None", DeviceError),
        ("error:There is no camera.", DeviceError),
        ("data:text/html;base64,AAAA", DeviceError),
        ("data:image/jpeg;base64,AA*A", ImageError),
        ("data:image/jpeg;base64,", ImageError),
    ],
)
def test_other_answers_are_errors(answer: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        decode_photo(answer)
