"""The figures show the outputs of the layers."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the figures need the extra plot")

from facemood.errors import OutputError
from facemood.numpy_cnn import Conv2D, Dense, Epoch, Flatten, Layer, ReLU, Residual, Sequential, Softmax
from facemood.numpy_cnn.drawings import draw_filters, draw_history, draw_layers, montage


def test_every_layer_is_in_the_figure_with_its_shape(tmp_path: Path) -> None:
    layers: list[Layer] = [Residual([Conv2D(1, padding="same"), ReLU()]), Conv2D(3), Flatten(), Dense(2), Softmax()]
    model = Sequential(layers, input_shape=(8, 8, 1))
    draw_layers(model, np.arange(64, dtype=np.uint8).reshape(8, 8), ("happy", "sad"), tmp_path / "layers.svg")
    text = (tmp_path / "layers.svg").read_text()
    steps = ["pixels", "0.0 Conv2D", "0.1 ReLU", "0 Residual", "1 Conv2D", "2 Flatten", "3 Dense", "4 Softmax"]
    assert [step for step in steps if f"<!-- {step} " not in text] == []
    assert all(f"<!-- {words}" in text for words in ("1 Conv2D   6 x 6 x 3", "3 Dense   2", "happy", "sad"))


def test_a_montage_holds_the_maps_from_black_to_white() -> None:
    output = np.zeros((2, 2, 3))
    output[0, 0, 0], output[1, 1, 2] = -1, 3
    image = montage(output)
    assert image.shape == (2, 8)
    assert np.isnan(image[:, [2, 5]]).all()
    assert (image[0, 0], image[1, 7], image[0, 3]) == (0, 1, 0.25)
    assert montage(np.zeros((4, 4, 30))).shape == (4, 49)  # ten maps and nine gaps


def test_filters_and_curves_are_written(tmp_path: Path) -> None:
    draw_filters(np.arange(400).reshape(20, 20) % 256, tmp_path / "filters.png")
    picture = cv2.imread(str(tmp_path / "filters.png"))
    assert picture is not None
    assert picture.std() > 10
    draw_history([Epoch(2.0, 0.2, 1.9, 0.25, 1.0), Epoch(1.0, 0.6, 1.5, 0.4, 1.0)], tmp_path / "curves.svg")
    assert "<!-- validation -->" in (tmp_path / "curves.svg").read_text()
    draw_history([Epoch(2.0, 0.2, None, None, 1.0)], tmp_path / "curves.svg")
    assert "<!-- validation -->" not in (tmp_path / "curves.svg").read_text()
    draw_history([Epoch(2.0, 0.2, None, None, 1.0)], tmp_path / "curves.pdf")
    assert (tmp_path / "curves.pdf").read_bytes().startswith(b"%PDF")


def test_an_unknown_extension_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"unknown kind of figure; expected one of \.png, \.svg, \.pdf"):
        draw_history([], tmp_path / "curves.gif")
