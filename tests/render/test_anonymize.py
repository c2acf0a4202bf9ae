from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood import EmotionRecognizer
from facemood.errors import OutputError
from facemood.render.anonymize import BLUR_CELLS, MARGIN, anonymize
from facemood.schema import Face, Image
from facemood.sources import load_image

FACE = Face(np.array([181, 64, 269, 175], np.float32), score=0.9)
"""The box of the astronaut's face."""


@pytest.fixture(scope="module")
def portrait(astronaut: Path) -> Image:
    return load_image(astronaut)


def hidden_area(face: Face, image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The mask of a face with its margin, (H, W) bool."""
    width, height = face.size
    x1, y1, x2, y2 = face.box + np.array([-width, -height, width, height]) * MARGIN
    rows, columns = np.indices(image.shape[:2])
    return np.asarray((columns >= x1 - 1) & (columns <= x2) & (rows >= y1 - 1) & (rows <= y2))


def details(image: Image) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The detail in a region that is finer than an eighth of the face: eyes, nose, lips."""
    region = np.asarray(cv2.cvtColor(FACE.crop(image), cv2.COLOR_BGR2GRAY), np.float64)
    return np.asarray(region - cv2.GaussianBlur(region, (0, 0), region.shape[1] / 8)).ravel()


@pytest.mark.parametrize("how", ["blur", "box"])
def test_hidden_faces_have_no_detail(portrait: Image, how: str) -> None:
    before, after = details(portrait), details(anonymize(portrait, [FACE], how))
    assert after.std() < 0.35 * before.std()
    assert abs(before @ after) < 0.3 * (before @ before)


def test_a_blurred_face_is_not_detected(recognizer: EmotionRecognizer, portrait: Image) -> None:
    for how in ("blur", "box"):
        (found,) = recognizer.detect(portrait)
        assert recognizer.detect(anonymize(portrait, [found], how)) == []


@pytest.mark.parametrize("how", ["blur", "box"])
def test_the_rest_of_the_image_is_unchanged(portrait: Image, how: str) -> None:
    kept = portrait.copy()
    hidden = anonymize(portrait, [FACE], how)
    outside = ~hidden_area(FACE, portrait)
    np.testing.assert_array_equal(portrait, kept)
    np.testing.assert_array_equal(hidden[outside], portrait[outside])
    assert (hidden != portrait).any(axis=2).sum() > 0.8 * (~outside).sum()


@given(side=st.sampled_from([30, 60, 120, 300]), seed=st.integers(0, 99))
def test_a_blurred_face_has_no_detail_finer_than_its_cells(side: int, seed: int) -> None:
    """Two faces with the same 6 x 6 mean colours become identical."""
    rng = np.random.default_rng(seed)
    cell = side // BLUR_CELLS
    coarse = rng.integers(60, 190, (BLUR_CELLS, BLUR_CELLS, 3)).repeat(cell, axis=0).repeat(cell, axis=1)
    noise = rng.integers(-50, 51, (BLUR_CELLS, cell, BLUR_CELLS, cell, 3)).astype(float)
    noise -= noise.mean(axis=(1, 3), keepdims=True)
    fine = np.rint(coarse + noise.reshape(side, side, 3)).clip(0, 255)
    reach = side * MARGIN / (1 + 2 * MARGIN)
    face = Face(np.array([reach, reach, side - reach, side - reach], np.float32), score=0.9)
    one, other = (anonymize(image.astype(np.uint8), [face]) for image in (coarse, fine))
    np.testing.assert_allclose(one, other, atol=1)


@given(
    box=st.tuples(st.floats(-150, 150), st.floats(-150, 150), st.floats(1, 300), st.floats(1, 300)),
    how=st.sampled_from(["blur", "box"]),
)
def test_faces_may_reach_beyond_the_image(box: tuple[float, float, float, float], how: str) -> None:
    x, y, width, height = box
    image = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    face = Face(np.array([x, y, x + width, y + height], np.float32), score=0.9)
    hidden = anonymize(image, [face], how)
    outside = ~hidden_area(face, image)
    np.testing.assert_array_equal(hidden[outside], image[outside])
    if how == "box":
        inside = np.zeros((60, 80), bool)
        inside[max(0, int(np.ceil(y))) : max(0, int(y + height)), max(0, int(np.ceil(x))) : max(0, int(x + width))] = (
            True
        )
        assert hidden[inside].max(initial=0) == 0


def test_each_face_is_hidden(portrait: Image) -> None:
    other = Face(np.array([400, 300, 500, 420], np.float32), score=0.5)
    hidden = anonymize(portrait, [FACE, other], "box")
    for face in (FACE, other):
        assert face.crop(hidden).max() == 0


def test_an_image_without_faces_is_copied(portrait: Image) -> None:
    same = anonymize(portrait, [])
    np.testing.assert_array_equal(same, portrait)
    assert not np.shares_memory(same, portrait)


@pytest.mark.parametrize("how", ["blurr", "", "mosaic"])
def test_an_unknown_method_is_an_error(portrait: Image, how: str) -> None:
    with pytest.raises(OutputError, match="is no way to hide a face; expected blur or box"):
        anonymize(portrait, [FACE], how)
