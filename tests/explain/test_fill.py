import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.errors import ExplanationError
from facemood.explain.fill import HIDES, hide_parts
from facemood.explain.segmenters import masks_of


@given(st.integers(0, 1000), st.integers(2, 9), st.sampled_from(HIDES), st.sampled_from([(12, 9), (24, 31)]))
def test_a_face_with_all_superpixels_visible_is_the_face(
    seed: int, count: int, how: str, size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    whole = rng.uniform(0, 255, (3, 9, 12)).astype(np.float32)
    segments = np.concatenate([np.arange(count), rng.integers(0, count, size[0] * size[1] - count)]).reshape(size[::-1])
    face = hide_parts(whole, masks_of(segments, (12, 9)), how=how)
    shown = face.show(np.stack([np.ones(count, bool), np.zeros(count, bool)]))
    np.testing.assert_allclose(shown[0], whole, atol=0.01)
    np.testing.assert_allclose(shown[1], face.ground, atol=0.01)


def test_a_hidden_superpixel_shows_its_own_mean_and_leaves_the_others_alone() -> None:
    whole = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
    segments = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    shown = hide_parts(whole, masks_of(segments, (4, 2))).show(np.array([[True, False]]))
    assert shown[0, 0].tolist() == [[0, 1, 4.5, 4.5], [4, 5, 4.5, 4.5]]


def test_grey_hides_by_the_mean_of_the_whole_face() -> None:
    whole = np.array([[[0, 0, 30, 30]]], np.float32)
    face = hide_parts(whole, masks_of(np.array([[0, 0, 1, 1]]), (4, 1)), how="grey")
    assert face.show(np.array([[False, True]]))[0, 0].tolist() == [[15, 15, 30, 30]]


def test_an_unknown_way_to_hide_is_rejected() -> None:
    with pytest.raises(ExplanationError, match=r"'gray'; expected mean, blur, grey\. Did you mean 'grey'\?"):
        hide_parts(np.zeros((1, 2, 2), np.float32), np.ones((1, 2, 2), np.float32), how="gray")
