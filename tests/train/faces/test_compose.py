import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.train.faces.compose import (
    MIRROR,
    coarsen,
    cover_part,
    cut_ground,
    face_mask,
    hide,
    lay,
    mirror_points,
    move,
    place,
    plain_ground,
    spoil,
)
from facemood.train.faces.material import LabelledPhoto
from tests.stages.points import made_points


def ramp_scene() -> LabelledPhoto:
    """A scene that gets lighter to the right, with one face and one doubtful box."""
    image = np.repeat(np.tile(np.linspace(0, 255, 200).astype(np.uint8), (100, 1))[..., None], 3, axis=2)
    return LabelledPhoto(
        (image, image[::2, ::2]), made_points(100, 50, 40)[None], np.array([[10, 20, 30, 50]], np.float32)
    )


def test_mirroring_twice_changes_nothing_and_swaps_the_eyes() -> None:
    assert (MIRROR[MIRROR] == np.arange(104)).all()
    points = made_points(20, 24, 30) + np.random.default_rng(0).normal(0, 1, (104, 2)).astype(np.float32)
    np.testing.assert_allclose(mirror_points(mirror_points(points, 48), 48), points, atol=1e-5)
    symmetric = made_points(24, 24, 30)
    np.testing.assert_allclose(mirror_points(symmetric, 48), symmetric, atol=1e-4)


@given(st.floats(0.3, 3), st.floats(-180, 180), st.tuples(st.floats(0, 160), st.floats(0, 160)), st.floats(0.8, 1.25))
def test_a_face_is_placed_where_it_should_be(
    scale: float, angle: float, centre: tuple[float, float], stretch: float
) -> None:
    points = made_points(22, 27, 30)
    matrix = place(points, centre=np.array(centre), scale=scale, angle=angle, stretch=stretch)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    np.testing.assert_allclose(move(middle[None], matrix)[0], centre, atol=1e-2)
    assert float(np.sqrt(np.linalg.det(matrix[:, :2]))) == pytest.approx(scale, rel=1e-4)


def test_angles_are_clockwise_in_the_picture() -> None:
    points = made_points(0, 0, 30)
    turned = move(points, place(points, centre=np.zeros(2), scale=1, angle=30))
    across = turned[45] - turned[36]
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(30, abs=0.1)


def test_a_piece_of_a_scene_brings_its_faces_along() -> None:
    for seed in range(8):  # mirrored or not
        ground = cut_ground(ramp_scene(), 64, scale=0.5, centre=(100, 50), random=np.random.default_rng(seed))
        nose = ground.points[0, 30]
        expected = np.array([32, 32]) + (made_points(100, 50, 40)[30] - (100, 50)) * 0.5
        np.testing.assert_allclose(nose, expected, atol=1e-3)
        mirrored = ground.image[32, 4] > ground.image[32, 60]
        left = 32 + (10 - 100) * 0.5
        assert ground.unknown[0].tolist() == pytest.approx(
            [64 - (left + 10), 17, 64 - left, 32] if mirrored else [left, 17, left + 10, 32]
        )


def test_what_is_laid_covers_and_the_rest_stays() -> None:
    random = np.random.default_rng(0)
    image, points = np.full((96, 96), 50, np.float32), made_points(24, 24, 30)
    before = image.copy()
    matrix = place(points[:68], centre=np.array([48, 48]), scale=1, angle=0)
    cover = lay(image, np.full((48, 48), 250, np.float32), np.ones((48, 48), np.float32), matrix, random)
    assert cover[48, 48] == 1
    assert (image[48 - 10 : 48 + 10, 48 - 10 : 48 + 10] != 50).all()
    np.testing.assert_array_equal(image[cover == 0], before[cover == 0])


def test_every_mask_shows_the_middle_of_the_face() -> None:
    random, points = np.random.default_rng(0), made_points(24, 26, 30)
    for _ in range(60):
        mask = face_mask(points, 48, random)
        assert mask.shape == (48, 48)
        assert ((mask >= 0) & (mask <= 1)).all()
        assert mask[26, 24] == pytest.approx(1)


def test_something_hides_a_part_and_not_all() -> None:
    random, box = np.random.default_rng(0), np.array([20, 20, 70, 80], np.float32)
    for _ in range(20):
        image = np.full((96, 96), 10, np.float32)
        hide(image, box, np.full((96, 96), 240, np.float32), random)
        hidden = (image[20:80, 20:70] != 10).mean()
        assert 0 < hidden < 0.8


def test_a_mask_or_dark_glasses_cover_a_part_of_the_face() -> None:
    points, seen = made_points(60, 60, 50), set()
    for seed in range(30):
        image = np.full((120, 120), 100, np.float32)
        cover_part(image, points, np.full_like(image, 30), np.random.default_rng(seed))
        changed = np.abs(image - 100) > 2
        rows, _ = np.nonzero(changed)
        if not len(rows):  # the fill has nearly the same grey
            continue
        assert 0.01 < changed.mean() < 0.25
        seen.add("eyes" if rows.mean() < points[30, 1] else "mouth")
    assert seen == {"eyes", "mouth"}


def test_a_coarser_image_keeps_its_mean_and_loses_detail() -> None:
    image = np.asarray(np.random.default_rng(0).uniform(0, 255, (60, 80)), np.float32)
    coarse = coarsen(image, 2.0)
    assert coarse.shape == image.shape
    assert abs(float(coarse.mean() - image.mean())) < 3
    assert coarse.std() < 0.6 * image.std()


def test_images_are_degraded_within_the_range() -> None:
    random = np.random.default_rng(0)
    image = np.tile(np.linspace(-20, 280, 64, dtype=np.float32), (64, 1))
    made = [spoil(image, random) for _ in range(60)]
    assert all(pixels.dtype == np.uint8 and pixels.shape == (64, 64) for pixels in made)
    assert len({pixels.tobytes() for pixels in made}) > 40
    assert spoil(image, np.random.default_rng(5)).tobytes() == spoil(image, np.random.default_rng(5)).tobytes()


def test_plain_grounds_are_plain() -> None:
    ground = plain_ground(32, np.random.default_rng(0))
    assert ground.image.shape == (32, 32)
    assert not len(ground.points)
    assert min(np.ptp(ground.image, axis=0).max(), np.ptp(ground.image, axis=1).max()) == 0
