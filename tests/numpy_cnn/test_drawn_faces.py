"""Drawn faces: labelled, repeatable, and bent as they should be."""

import numpy as np
import pytest

from facemood.numpy_cnn.drawn_faces import INK, MOODS, draw_face, draw_faces, draw_smiles


def mouth_of(smile: float) -> list[tuple[int, int]]:
    """Row and column of the mouth's pixels, without noise of the skin."""
    face = draw_face(np.random.default_rng(0), smile=smile, shift=0)
    return [(row, column) for row, column in np.argwhere(face == INK).tolist() if row > 11]


def test_a_smile_goes_up_at_its_ends_and_a_sad_mouth_down() -> None:
    heights = {smile: {column: row for row, column in mouth_of(smile)} for smile in (-1.0, 0.0, 1.0)}
    assert heights[1.0][8] < heights[1.0][12]
    assert heights[-1.0][8] > heights[-1.0][12]
    assert len(set(heights[0.0].values())) == 1


def test_the_same_seed_draws_the_same_faces_with_all_moods() -> None:
    (faces, labels), (again, _) = draw_faces(60, seed=3), draw_faces(60, seed=3)
    np.testing.assert_array_equal(faces, again)
    assert faces.shape == (60, 24, 24, 1)
    assert faces.dtype == np.uint8
    assert set(labels) == set(range(len(MOODS)))


@pytest.mark.parametrize("shift", [0, 3])
def test_faces_lie_within_the_image_and_are_shifted_by_so_much(shift: int) -> None:
    faces = draw_smiles(np.zeros(150), seed=0, shift=shift)[..., 0]
    tops = {int(np.argwhere((face == INK).sum(axis=1) >= 4)[0, 0]) for face in faces}
    assert tops == set(range(8 - shift, 9 + shift))
