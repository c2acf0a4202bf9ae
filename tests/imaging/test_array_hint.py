"""Each hint is right for the array at hand: what it says works when it is followed to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.errors import ImageError
from facemood.imaging.array_hint import array_hint
from facemood.sources import find_inputs, read_frame

PICTURE = np.random.default_rng(3).integers(0, 256, (12, 17, 3), np.uint8)
PICTURE[0, 0], PICTURE[0, 1] = 0, 255
GREY = PICTURE[:, :, 0]


Change = Callable[[Any], Any]
"""Makes another array of an image."""


def follow(array: Any) -> list[np.ndarray[Any, Any]]:
    """The images that come out of doing what the message says."""
    with pytest.raises(ImageError) as raised:
        read_frame(next(iter(find_inputs(array))))
    code = str(raised.value).rpartition(" use ")[2]
    names = {"np": np, "image": array, "analyze": lambda images: images}
    result = eval(code, names)
    assert isinstance(result, list) == code.startswith("analyze(")
    return [read_frame(one).image for one in (result if isinstance(result, list) else [result])]


DEPTHS: dict[str, tuple[Change, int]] = {
    "bool": (lambda image: image > 127, 127),
    "int8": (lambda image: (image // 2).astype(np.int8), 127),
    "int64": (lambda image: image.astype(np.int64), 1),
    "uint16": (lambda image: image.astype(np.uint16) * 257, 1),
    "uint16 of 12 bits": (lambda image: (image / 255 * 4095).astype(np.uint16), 1),
    "float 0..1": (lambda image: image / 255, 1),
    "float 0..255": (lambda image: image.astype(np.float32), 1),
    "float -1..1": (lambda image: image / 127.5 - 1, 1),
    "float 0..65535": (lambda image: image.astype(np.float64) * 257, 1),
    "float with NaN": (
        lambda image: np.where(np.arange(image.size).reshape(image.shape) == 40, np.nan, image / 255),
        255,
    ),
}
"""What pixels can be, and by how much they may differ once they are 8 bits."""

SHAPES: dict[str, tuple[Change, Any]] = {
    "HWC": (lambda image: image, PICTURE),
    "CHW": (lambda image: image.transpose(2, 0, 1), PICTURE),
    "HW4": (lambda image: np.concatenate([image, image[:, :, :1]], axis=2), PICTURE),
    "4HW": (lambda image: np.concatenate([image, image[:, :, :1]], axis=2).transpose(2, 0, 1), PICTURE),
    "HW1": (lambda image: image[:, :, :1], np.repeat(GREY[:, :, None], 3, axis=2)),
    "1HW": (lambda image: image[None, :, :, 0], np.repeat(GREY[:, :, None], 3, axis=2)),
    "HW": (lambda image: image[:, :, 0], np.repeat(GREY[:, :, None], 3, axis=2)),
    "NHWC": (lambda image: np.stack([image, image]), PICTURE),
    "NCHW": (lambda image: np.stack([image, image]).transpose(0, 3, 1, 2), PICTURE),
}
"""How axes can lie, and the image that is meant."""


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_hint_gives_the_image_that_is_meant(shape: str, depth: str) -> None:
    change, slack = DEPTHS[depth]
    turn, meant = SHAPES[shape]
    images = follow(turn(change(PICTURE)))
    assert len(images) == 1 + shape.startswith("N")
    for image in images:
        assert np.abs(image.astype(int) - meant).max() <= max(slack, 1) + (depth == "int8")
        if depth == "float with NaN":
            assert (np.abs(image.astype(int) - meant) > 1).sum() <= 3


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in ("HWC", "HW")])
def test_a_hint_for_the_shape_alone(shape: str) -> None:
    turn, meant = SHAPES[shape]
    assert all((image == meant).all() for image in follow(turn(PICTURE)))


@pytest.mark.parametrize("kind", ["uint8", "float32", "bfloat16", "float16", "int64"])
@pytest.mark.parametrize("shape", ["HWC", "CHW", "NCHW"])
def test_a_hint_for_tensors(shape: str, kind: str) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra train")
    turn, meant = SHAPES[shape]
    tensor = torch.from_numpy(turn(PICTURE).copy()).to(getattr(torch, kind))
    if tensor.is_floating_point():
        tensor = (tensor / 255).requires_grad_()
    for image in follow(tensor):
        assert np.abs(image.astype(int) - meant).max() <= 2


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 3, 4, 5, 6)), np.zeros(5), np.zeros((5, 6, 7)), np.zeros((2, 2), complex), np.zeros((0, 5, 3))],
    ids=lambda array: str(array.shape),
)
def test_what_cannot_be_an_image_has_no_hint(array: Any) -> None:
    assert array_hint(array) == ""
    with pytest.raises(ImageError, match=re.escape(str(array.shape))):
        read_frame(array)


@given(st.floats(-1e30, 1e30), st.floats(-1e30, 1e30))
def test_a_hint_works_for_any_range(first: float, second: float) -> None:
    (image,) = follow(np.array([[first, second]] * 2))
    assert image.shape == (2, 2, 3)
