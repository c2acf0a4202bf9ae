"""Every public function that takes an image takes arrays and Pillow images, and says what to give in their place."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from facemood import EmotionRecognizer
from facemood.errors import ImageError
from facemood.explain import ExplainOptions, InputScorer, explain_crop, explain_faces, segment_face
from facemood.imaging import as_image
from facemood.render import anonymize, draw_faces
from facemood.schema import Face

PIXELS = np.random.default_rng(1).integers(0, 256, (90, 80, 3), np.uint8)
SHOWN = Pillow.fromarray(PIXELS[:, :, ::-1])
FACE = Face(np.array([10, 20, 60, 80], np.float32), score=0.9)


@pytest.fixture(scope="module")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer("nano", threads=1)


TAKERS: dict[str, Callable[[EmotionRecognizer, Any], Any]] = {
    "crop": lambda _, image: FACE.crop(image),
    "draw_faces": lambda _, image: draw_faces(image, [FACE]),
    "anonymize": lambda _, image: anonymize(image, [FACE]),
    "classify": lambda recognizer, image: recognizer.classify([image]),
    "features": lambda recognizer, image: recognizer.features([image]),
    "explain_faces": lambda recognizer, image: (
        explain_faces(recognizer.pipeline, image, [FACE], ExplainOptions(method="occlusion"))[0].attribution
    ),
    "explain_crop": lambda recognizer, image: (
        explain_crop(
            InputScorer(recognizer.session, "ferplus", "dataset"), image, ExplainOptions(method="occlusion")
        ).attribution
    ),
}
"""What takes an image."""


@pytest.mark.parametrize("name", TAKERS)
def test_a_pillow_image_gives_what_its_pixels_give(name: str, recognizer: EmotionRecognizer) -> None:
    np.testing.assert_array_equal(TAKERS[name](recognizer, SHOWN), TAKERS[name](recognizer, PIXELS))


def test_a_pillow_image_has_the_segments_of_its_pixels() -> None:
    pytest.importorskip("skimage", reason="segments need the extra explain")
    np.testing.assert_array_equal(segment_face(SHOWN), segment_face(PIXELS))


@pytest.mark.parametrize("name", TAKERS)
def test_something_else_is_an_image_error(name: str, recognizer: EmotionRecognizer) -> None:
    with pytest.raises(ImageError, match="expected an array or a Pillow image, but got a str; read a file"):
        TAKERS[name](recognizer, "photo.jpg")


def test_arrays_are_checked() -> None:
    assert as_image(np.zeros((4, 5), np.uint8)).shape == (4, 5, 3)
    with pytest.raises(ImageError, match=r"for values 0\.\.1 use"):
        as_image(np.zeros((4, 5, 3), np.float32))
    with pytest.raises(ImageError, match=r"expected \(H, W, 3\)"):
        as_image(np.zeros((4, 5, 4), np.uint8))
    with pytest.raises(ImageError, match="the array is empty"):
        as_image(np.zeros((0, 5, 3), np.uint8))


def test_one_pillow_image_is_no_list_of_crops(recognizer: EmotionRecognizer) -> None:
    with pytest.raises(ImageError, match=r"for one crop pass \[crop\]"):
        recognizer.classify(SHOWN)  # type: ignore[arg-type]


def test_an_image_is_returned_itself_and_is_not_changed() -> None:
    assert as_image(PIXELS) is PIXELS
    before = PIXELS.copy()
    anonymize(PIXELS, [FACE], "box")
    draw_faces(PIXELS, [FACE])
    np.testing.assert_array_equal(PIXELS, before)


def test_a_tensor_gets_its_hint() -> None:
    torch = pytest.importorskip("torch", reason="a tensor needs torch")
    with pytest.raises(ImageError, match=r"image\.detach\(\)\.cpu\(\)\.numpy\(\)"):
        as_image(torch.zeros(3, 40, 40))


def test_an_array_with_other_rules_is_read_as_a_plain_one() -> None:
    grey = PIXELS[:, :, 0]
    image = as_image(grey.view(np.matrix))
    assert type(image) is np.ndarray
    np.testing.assert_array_equal(image, as_image(grey))


@pytest.mark.parametrize("name", ["classify", "features"])
def test_one_colour_image_is_no_list_of_crops(name: str, recognizer: EmotionRecognizer) -> None:
    with pytest.raises(ImageError, match=r"for one crop pass crop\[None\]"):
        getattr(recognizer, name)(PIXELS)
