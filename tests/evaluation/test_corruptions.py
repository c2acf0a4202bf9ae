import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood.evaluation.corruptions import CORRUPTIONS, EYES, MOUTH, corrupt

NAMES = st.sampled_from(list(CORRUPTIONS))
SEEDS = st.integers(0, 2**32 - 1)


def textured(count: int, side: int, seed: int = 0) -> NDArray[np.uint8]:
    """Tiles with coarse shapes and fine grain: (count, side, side) uint8."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(30, 220, (count, 5, 5)).astype(np.float32)
    tiles = np.empty((count, side, side), np.float32)
    for index, shapes in enumerate(coarse):
        tiles[index] = cv2.resize(shapes, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray((tiles + random.normal(0, 8, tiles.shape)).clip(0, 255), np.uint8)


def change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> float:
    """The mean absolute difference in grey levels."""
    return float(np.abs(before.astype(int) - after).mean())


def position(image: NDArray[np.uint8]) -> tuple[int, int]:
    """The row and the column of the brightest pixel."""
    row, column = np.unravel_index(image.argmax(), image.shape)
    return int(row), int(column)


def test_there_are_ten_with_three_levels_each() -> None:
    assert list(CORRUPTIONS) == [
        "blur", "noise", "jpeg", "dark", "bright",
        "low resolution", "eyes covered", "mouth covered", "rotation", "off centre",
    ]  # fmt: skip
    assert all(found.name == name and found.unit for name, found in CORRUPTIONS.items())
    assert {len(found.levels) for found in CORRUPTIONS.values()} == {3}


@pytest.mark.parametrize("side", [48, 96])
def test_blur_widens_an_edge_by_its_standard_deviation(side: int) -> None:
    edge = np.zeros((1, side, side), np.uint8)
    edge[:, :, side // 2 :] = 255
    steps = np.diff(corrupt(edge, "blur", 2)[0, 10].astype(float)) / 255
    places = np.arange(side - 1) - (side / 2 - 1)
    assert np.sqrt((steps * places**2).sum()) == pytest.approx(2 * side / 48, rel=0.05)


@pytest.mark.parametrize("level", CORRUPTIONS["noise"].levels)
def test_noise_has_the_stated_deviation_and_no_bias(level: float) -> None:
    noisy = corrupt(np.full((20, 48, 48), 128, np.uint8), "noise", level)
    assert noisy.std() == pytest.approx(level, rel=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.5)


def test_jpeg_keeps_the_mean_of_a_block_and_loses_its_grain() -> None:
    tiles = textured(1, 48)
    worse = corrupt(tiles, "jpeg", 10)
    before, after = (image.reshape(6, 8, 6, 8).mean(axis=(1, 3)) for image in (tiles, worse))
    np.testing.assert_allclose(after, before, atol=6)
    assert len(np.unique(worse)) < len(np.unique(tiles))


def test_dark_multiplies_and_rounds() -> None:
    tiles = textured(3, 48)
    assert corrupt(tiles, "dark", 0.5).mean() == pytest.approx(tiles.mean() / 2, abs=0.1)
    shades = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert len(np.unique(corrupt(shades, "dark", 0.15))) == 39  # 0..38: what is lost cannot be brought back


def test_bright_clips() -> None:
    assert corrupt(np.array([[[0, 100], [150, 255]]], np.uint8), "bright", 1.8).tolist() == [[[0, 180], [255, 255]]]


def test_low_resolution_leaves_nothing_finer_than_its_pixels() -> None:
    board = np.indices((48, 48)).sum(axis=0) % 2 * np.uint8(255)
    coarse = np.kron(np.indices((4, 4)).sum(axis=0) % 2, np.ones((12, 12), np.uint8)) * np.uint8(255)
    fine, wide = corrupt(np.stack([board, coarse]).astype(np.uint8), "low resolution", 24)
    assert fine.std() < 1
    assert wide.std() > 100


@pytest.mark.parametrize(
    ("name", "centre", "left", "right"), [("eyes covered", EYES, 5, 43), ("mouth covered", MOUTH, 10, 38)]
)
@pytest.mark.parametrize("level", CORRUPTIONS["eyes covered"].levels)
def test_a_band_covers_its_rows_with_the_mean_grey_and_nothing_else(
    name: str, centre: float, left: int, right: int, level: float
) -> None:
    tiles = textured(2, 48)
    covered = corrupt(tiles, name, level)
    rows = np.flatnonzero((tiles != covered).any(axis=(0, 2)))
    assert len(rows) == rows[-1] - rows[0] + 1 == round(48 * level)
    assert (rows.mean() + 0.5) / 48 == pytest.approx(centre, abs=0.02)
    for tile, after in zip(tiles, covered, strict=True):
        assert np.unique(after[rows[0] : rows[-1] + 1, left:right]).tolist() == [round(float(tile.mean()))]
    outside = np.ones((48, 48), bool)
    outside[rows[0] : rows[-1] + 1, left:right] = False
    assert (tiles == covered)[:, outside].all()


def test_covered_eyes_leave_the_mouth_and_the_other_way_round() -> None:
    tiles = textured(1, 48)
    eyes, mouth = corrupt(tiles, "eyes covered", 0.3), corrupt(tiles, "mouth covered", 0.3)
    assert (eyes[:, 30:] == tiles[:, 30:]).all()
    assert (mouth[:, :30] == tiles[:, :30]).all()


@pytest.mark.parametrize("level", CORRUPTIONS["rotation"].levels)
def test_rotation_turns_by_the_angle_to_either_side(level: float) -> None:
    tiles = np.zeros((20, 49, 49), np.uint8)
    tiles[:, 22:27, 42:47] = 255  # a spot 20 pixels to the right of the centre
    spots = [np.argwhere(tile > 128).mean(axis=0) - 24 for tile in corrupt(tiles, "rotation", level)]
    angles = [np.degrees(np.arctan2(-down, right)) for down, right in spots]
    np.testing.assert_allclose(np.abs(angles), level, atol=1)
    assert {bool(angle > 0) for angle in angles} == {True, False}


@pytest.mark.parametrize("level", CORRUPTIONS["off centre"].levels)
def test_off_centre_moves_by_the_stated_share_in_all_directions(level: float) -> None:
    tiles = np.full((200, 48, 48), 90, np.uint8)
    tiles[:, 24, 24] = 255
    moved = corrupt(tiles, "off centre", level)
    steps = np.array([position(tile) for tile in moved]) - 24
    np.testing.assert_allclose(np.hypot(*steps.T), 48 * level, atol=0.71)  # whole pixels
    assert np.abs(steps.mean(axis=0)).max() < 48 * level / 5
    assert moved.min() == 90  # the edge goes on, nothing black comes in


@settings(max_examples=60, deadline=None)
@given(NAMES, st.integers(0, 3), st.integers(16, 64), SEEDS)
def test_any_tiles_keep_their_shape_and_a_seed_repeats(name: str, count: int, side: int, seed: int) -> None:
    tiles = textured(count, side, seed)
    kept = tiles.copy()
    for level in CORRUPTIONS[name].levels:
        worse = corrupt(tiles, name, level, seed=seed)
        assert worse.shape == tiles.shape
        assert worse.dtype == np.uint8
        np.testing.assert_array_equal(worse, corrupt(tiles, name, level, seed=seed))
    np.testing.assert_array_equal(tiles, kept)


@settings(max_examples=60, deadline=None)
@given(NAMES, st.sampled_from([32, 48, 64]), SEEDS)
def test_every_level_changes_more_than_the_one_before(name: str, side: int, seed: int) -> None:
    tiles = textured(16, side, seed)
    changes = [change(tiles, corrupt(tiles, name, level, seed=seed)) for level in CORRUPTIONS[name].levels]
    assert 0 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("name", ["noise", "rotation", "off centre"])
def test_another_seed_gives_other_images(name: str) -> None:
    tiles, level = textured(8, 48), CORRUPTIONS[name].levels[1]
    assert (corrupt(tiles, name, level, seed=1) != corrupt(tiles, name, level, seed=2)).any()


def test_an_unknown_corruption_is_reported_with_the_nearest_name() -> None:
    with pytest.raises(ValueError, match=r"unknown corruption 'blurr'; expected blur, noise,.*Did you mean 'blur'\?"):
        corrupt(textured(1, 48), "blurr", 1)
