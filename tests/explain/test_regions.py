from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood import Face
from facemood.explain.regions import REGIONS, coverage_of, face_regions, shares_of
from facemood.schema import Image


def region_at(regions: NDArray[np.int64], point: NDArray[np.floating]) -> str:
    """The name of the region in which a point lies."""
    x, y = np.rint(point).astype(int)
    return REGIONS[regions[y, x]]


def test_the_points_of_a_face_lie_in_their_regions(photo: Image, faces: list[Face]) -> None:
    points = faces[0].landmarks
    assert points is not None
    regions = face_regions(points, (photo.shape[1], photo.shape[0]))
    wanted: dict[str, Sequence[NDArray[np.floating]] | NDArray[np.floating]] = {
        "brows": points[17:27], "eyes": [points[36:42].mean(axis=0), points[42:48].mean(axis=0)],
        "nose": [points[30], points[29]], "mouth": [points[62], points[66], points[48:60].mean(axis=0)],
        "chin": [(points[8] + points[57]) / 2], "outside": [np.zeros(2), np.array([5, 300])],
        "cheeks": [(points[2] + points[31]) / 2, (points[14] + points[35]) / 2],
        "forehead": [points[19:25].mean(axis=0) - [0, 0.4 * np.linalg.norm(points[27] - points[33])]],
    }  # fmt: skip
    assert set(wanted) == set(REGIONS)
    for name, places in wanted.items():
        assert {region_at(regions, np.asarray(place)) for place in places} == {name}


@given(st.integers(-40, 40), st.integers(-40, 40))
def test_regions_move_with_the_face(across: int, down: int) -> None:
    points = np.random.default_rng(0).uniform(40, 80, (68, 2)).round().astype(np.float32)
    still = np.pad(face_regions(points, (120, 120)), 40)
    moved = face_regions(points + np.array([across, down], np.float32), (120, 120))
    assert (moved == still[40 - down : 160 - down, 40 - across : 160 - across]).mean() > 0.98


def test_landmarks_other_than_68_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"need \(68, 2\) landmarks, but these are \(5, 2\)"):
        face_regions(np.zeros((5, 2), np.float32), (10, 10))


@given(st.integers(0, 500))
def test_shares_add_up_to_one_and_coverage_is_of_each_region(seed: int) -> None:
    rng = np.random.default_rng(seed)
    regions, values = rng.integers(0, 8, (9, 9)), rng.normal(size=(9, 9)).astype(np.float32)
    assert shares_of(values, regions).sum() == pytest.approx(1, abs=1e-5)
    covered = coverage_of(values > 0, regions)
    for number in np.unique(regions):
        assert covered[number] == pytest.approx((values > 0)[regions == number].mean())


def test_a_map_without_positive_values_has_no_shares() -> None:
    assert np.isnan(shares_of(np.full((2, 2), -1, np.float32), np.zeros((2, 2), np.int64))).all()
    assert np.isnan(coverage_of(np.ones((2, 2), bool), np.zeros((2, 2), np.int64))[1:]).all()
