import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import OutputError, Result
from facemood.render.overlay import POINT
from tests.conftest import make_face


def few_labels() -> Result:
    """A result of a model with three labels, one of them custom."""
    face = make_face()
    return Result("a.jpg", faces=(face,), labels=("happy", "bored"), image=np.zeros((90, 120, 3), np.uint8))


def test_a_result_is_a_sequence_of_faces() -> None:
    result = few_labels()
    assert len(result) == 1
    assert [face.emotion for face in result] == ["happy"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_an_image_is_saved_in_the_format_of_its_suffix(tmp_path: Path, name: str) -> None:
    from PIL import Image

    path = few_labels().save(tmp_path / name)
    with Image.open(path) as picture:
        assert picture.size == (120, 90)


def test_saving_json_and_csv(tmp_path: Path) -> None:
    result = few_labels()
    assert json.loads(result.save(tmp_path / "a.json").read_text())["source"] == "a.jpg"
    assert result.save(tmp_path / "a.csv").read_text().startswith("source,")


def test_an_unknown_suffix_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"use a name that ends in \.png"):
        few_labels().save(tmp_path / "a.xyz")


def test_a_saved_image_shows_the_requested_layers(tmp_path: Path) -> None:
    face = dataclasses.replace(make_face(), landmarks=np.full((68, 2), 30, np.float32))
    result = dataclasses.replace(few_labels(), faces=(face,))
    plain, dotted = result.draw(), result.draw(layers=["points"])
    assert plain[30, 30].tolist() == [0, 0, 0]
    np.testing.assert_allclose(dotted[30, 30], POINT, atol=2)
    saved = cv2.imread(str(result.save(tmp_path / "a.png", layers="points")))
    np.testing.assert_array_equal(saved, dotted)
    with pytest.raises(OutputError, match=r"'point' is no layer that can be drawn.*Did you mean 'points'\?"):
        result.save(tmp_path / "b.png", layers=["point"])
    assert not (tmp_path / "b.png").exists()


def test_drawing_without_an_image_is_an_error() -> None:
    with pytest.raises(ValueError, match="keep_images=True"):
        Result("a.jpg").draw()


def test_a_notebook_displays_the_annotated_image() -> None:
    png = few_labels()._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert Result("a.jpg")._repr_png_() is None
