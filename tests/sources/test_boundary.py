"""Whatever goes wrong with one input becomes an error that names it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from facemood.errors import FacemoodError, ImageError, ModelError, SourceError, VideoError
from facemood.sources.boundary import input_errors, short_name


def fail_in_opencv() -> None:
    cv2.cvtColor(np.empty((0, 0, 3), np.uint8), cv2.COLOR_BGR2GRAY)


def fail_in_av() -> None:
    import av

    av.open("nowhere.mp4")


def fail_with(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (PermissionError(13, "Permission denied"), "(Permission denied)"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "(UnicodeDecodeError: 'utf-8' codec"),
        (MemoryError(), "it needs more memory than there is"),
        (RecursionError("maximum recursion depth exceeded"), "it is nested too deeply"),
        (RuntimeError("Could not determine home directory."), "(RuntimeError: Could not determine home directory.)"),
        (ZeroDivisionError(), "(ZeroDivisionError)"),
        (OSError("image file is truncated"), "(OSError: image file is truncated)"),
        (StopIteration(), "(StopIteration)"),
    ],
)
def test_any_exception_names_its_input(error: Exception, told: str) -> None:
    with pytest.raises(VideoError) as raised, input_errors("a\n.mp4", VideoError):
        fail_with(error)
    assert str(raised.value).startswith(r"a\n.mp4: cannot be read (")
    assert told in str(raised.value)
    assert raised.value.__cause__ is error


def test_errors_of_packages_are_turned_too() -> None:
    with pytest.raises(SourceError, match="a.jpg: cannot be read .error: .*cvtColor"), input_errors("a.jpg"):
        fail_in_opencv()
    with pytest.raises(SourceError, match="a.mp4: cannot be read .No such file or directory"), input_errors("a.mp4"):
        fail_in_av()


@pytest.mark.parametrize(
    "error", [ImageError("b.jpg: no"), ModelError("c.onnx: no"), KeyboardInterrupt(), SystemExit(3)]
)
def test_our_own_errors_and_the_end_of_the_program_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as raised, input_errors("a.jpg"):
        fail_with(error)
    assert raised.value is error


def test_a_very_long_name_is_cut_in_its_middle() -> None:
    name = "data:" + "A" * 100_000 + "=="
    with pytest.raises(FacemoodError) as raised, input_errors(name):
        fail_with(ValueError("no"))
    assert len(str(raised.value)) < 300
    assert short_name(name).endswith("==")
