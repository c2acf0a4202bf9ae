"""The expressional vector: values worked out by hand, its order, and its invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood.ferc import PAIRS, PARTS, distances, expressional_vector, facial_parts
from facemood.ferc.vector import MIRRORED_PAIRS
from facemood.geometry import MIRRORED, Floats
from facemood.stages.pose import generic_face

HAND = {
    "LE": (6, 0), "RE": (-6, 0), "LY": (3, 0), "RY": (-3, 0), "CN": (0, 4), "LP": (2, 7), "RP": (-2, 7), "CP": (0, 8),
    "CF": (0, -5), "LH": (11 / 3, 11 / 3), "RH": (-11 / 3, 11 / 3),
}  # fmt: skip
"""Positions of the parts of `made_face`."""

APART = {
    ("LE", "RE"): 12, ("LE", "LY"): 3, ("RY", "LY"): 6, ("RY", "CN"): 5, ("LE", "CN"): 52**0.5, ("LE", "LP"): 65**0.5,
    ("CN", "CP"): 4, ("CP", "LE"): 10, ("CF", "RE"): 61**0.5, ("CF", "CN"): 9, ("CF", "LY"): 34**0.5,
    ("LH", "LE"): 170**0.5 / 3, ("LH", "RE"): 962**0.5 / 3, ("LH", "RH"): 22 / 3, ("CF", "CP"): 13,
}  # fmt: skip
"""Their distances in pixels, by Pythagoras."""

ISSUE = (
    "LE-RE, LE-LY, RE-RY, RY-LY, RY-CN, LY-CN, LE-CN, RE-CN, LE-LP, RE-RP, CN-CP, CP-LE, CP-RE, "
    "CF-RE, CF-LE, CF-CN, CF-LY, CF-RY, LH-LE, LH-RE, RH-LE, RH-RE, LH-RH, CF-CP"
)


def made_face(x: float = 0.0, y: float = 0.0) -> Floats:
    """68 points with the parts of `HAND`, shifted by x and y."""
    points = np.zeros((68, 2), np.float32)
    points[36:42], points[42:48], points[30:36] = (-3, 0), (3, 0), (0, 4)
    points[48], points[54], points[[51, 57, 62, 66]] = (-2, 7), (2, 7), (0, 8)
    points[[21, 22]] = (0, -2)
    points[[0, 16, 2, 14]] = (-6, 0), (6, 0), (-6, 4), (6, 4)
    return points + np.array([x, y], np.float32)


def faces() -> st.SearchStrategy[NDArray[np.float32]]:
    """Random upright faces, about 100 pixels wide."""

    def moved(seed: int) -> NDArray[np.float32]:
        noise = np.random.default_rng(seed).normal(0, 0.03, (68, 2))
        return np.asarray((generic_face()[:, :2] + noise) * 60 + 200, np.float32)

    return st.integers(0, 10_000).map(moved)


def test_the_pairs_are_the_required_ones_in_their_order() -> None:
    assert ", ".join("-".join(pair) for pair in PAIRS) == ISSUE
    assert {part for pair in PAIRS for part in pair} == set(PARTS)


def test_parts_are_those_worked_out_by_hand() -> None:
    np.testing.assert_allclose(facial_parts(made_face()), [HAND[part] for part in PARTS], atol=1e-5)


def test_distances_are_those_worked_out_by_hand() -> None:
    vector = dict(zip(PAIRS, expressional_vector(made_face(50, 70)).tolist(), strict=True))
    places = np.array([HAND[part] for part in PARTS])
    size = np.sqrt(((places - places.mean(axis=0)) ** 2).sum(axis=1).mean())
    for pair, pixels in APART.items():
        assert vector[pair] == pytest.approx(pixels / size, rel=1e-4), pair


def test_the_edge_of_the_mask_is_used() -> None:
    mask = np.zeros((40, 40), np.float32)
    mask[8:36, 11:29] = 1  # from the face's middle at (20, 20): 9 to each side, 12 up
    parts = dict(zip(PARTS, (facial_parts(made_face(20, 20), mask) - 20).tolist(), strict=True))
    assert parts["LE"] == pytest.approx((9, 0), abs=0.1)
    assert parts["RE"] == pytest.approx((-9, 0), abs=0.1)
    assert parts["CF"] == pytest.approx((0, -7), abs=0.1)
    assert parts["LH"] == pytest.approx(((3 + 2 + 9) / 3, 11 / 3), abs=0.1)
    assert parts["CN"] == pytest.approx((0, 4), abs=1e-4)


def test_a_mask_ends_at_the_edge_of_the_image() -> None:
    parts = facial_parts(made_face(20, 20), np.ones((40, 40), np.float32))
    assert parts[PARTS.index("LE")].tolist() == pytest.approx((40, 20), abs=0.3)


def test_an_empty_mask_gives_nan() -> None:
    empty, half = np.zeros((40, 40), np.float32), np.ones((40, 40), np.float32)
    half[:, 20:] = 0  # the left eye is outside
    for mask in (empty, half):
        assert np.isnan(expressional_vector(made_face(20, 20), mask)).all()


@settings(max_examples=40, deadline=None)
@given(faces(), st.floats(0.2, 5), st.floats(-300, 300), st.floats(-np.pi, np.pi))
def test_the_vector_does_not_depend_on_size_position_and_tilt(
    points: Floats, scale: float, shift: float, turn: float
) -> None:
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = (scale * points @ rotation.T + (shift, -shift)).astype(np.float32)
    np.testing.assert_allclose(expressional_vector(moved), expressional_vector(points), atol=2e-3)


@settings(max_examples=40, deadline=None)
@given(faces())
def test_a_mirrored_face_has_the_mirrored_vector(points: Floats) -> None:
    mirrored = (points[MIRRORED] * (-1, 1)).astype(np.float32)
    np.testing.assert_allclose(expressional_vector(mirrored), expressional_vector(points)[MIRRORED_PAIRS], atol=1e-4)
    assert MIRRORED_PAIRS[MIRRORED_PAIRS].tolist() == list(range(24))


@settings(max_examples=30, deadline=None)
@given(faces())
def test_distances_satisfy_the_triangle_inequality(points: Floats) -> None:
    vector = dict(zip(PAIRS, expressional_vector(points).tolist(), strict=True))
    assert vector["CF", "CP"] <= vector["CF", "CN"] + vector["CN", "CP"] + 1e-5
    assert vector["LE", "RE"] <= vector["CP", "LE"] + vector["CP", "RE"] + 1e-5
    assert min(vector.values()) > 0


def test_several_faces_are_measured_at_once() -> None:
    parts = np.stack([facial_parts(made_face()), facial_parts(made_face(9, 9) * 2)])
    both = distances(parts)
    assert both.shape == (2, 24)
    np.testing.assert_allclose(both[0], both[1], atol=1e-5)


def test_wrong_shapes_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"facial parts need 68 points \(68, 2\), but got \(5, 2\)"):
        expressional_vector(np.zeros((5, 2), np.float32))
    with pytest.raises(ValueError, match=r"a mask must be \(h, w\)"):
        expressional_vector(made_face(), np.zeros((4, 4, 3), np.float32))
