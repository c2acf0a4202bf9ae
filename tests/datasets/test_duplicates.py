from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.datasets import ImageFiles, find_clusters
from tests.datasets.image_files import save_noise

NOISE = np.random.default_rng(1).integers(0, 256, (6, 48, 48), np.uint8)


def test_copies_mirrors_and_slight_changes_share_a_cluster() -> None:
    brighter = (NOISE[2] * 0.8 + 20).astype(np.uint8)
    images = np.stack([NOISE[0], NOISE[1], NOISE[0], NOISE[1, :, ::-1], NOISE[2], brighter, NOISE[3]])
    assert find_clusters(images).tolist() == [0, 1, 0, 1, 4, 4, 6]


def test_a_flat_image_has_no_near_duplicates() -> None:
    images = np.stack([np.full((48, 48), 10, np.uint8), np.full((48, 48), 10, np.uint8), NOISE[0]])
    assert find_clusters(images).tolist() == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(8)), st.integers(1, 5))
def test_clusters_do_not_depend_on_order_and_block_size(order: list[int], block: int) -> None:
    images = np.concatenate([NOISE, NOISE[:2]])
    whole = find_clusters(images)
    shuffled = find_clusters(images[order], block=block)
    same = whole[order][:, None] == whole[order][None]
    np.testing.assert_array_equal(shuffled[:, None] == shuffled[None], same)


def test_clusters_of_grey_images_are_the_same_in_colour(tmp_path: Path) -> None:
    images = np.stack([NOISE[0], NOISE[1], NOISE[0], NOISE[1, :, ::-1]])
    coloured = np.repeat(images[..., None], 3, axis=3)
    assert find_clusters(coloured).tolist() == find_clusters(images).tolist() == [0, 1, 0, 1]
    paths = tuple(save_noise(tmp_path / f"{row}.png", seed) for row, seed in enumerate([5, 6, 5]))
    for colour in ("grey", "bgr"):
        assert find_clusters(ImageFiles(paths, 48, colour)).tolist() == [0, 1, 0]


def test_images_that_share_only_one_channel_are_not_near_duplicates() -> None:
    one, other = np.stack([NOISE[0], NOISE[1], NOISE[2]], axis=2), np.stack([NOISE[0], NOISE[3], NOISE[4]], axis=2)
    assert find_clusters(np.stack([one, other, one])).tolist() == [0, 1, 0]


def test_memory_is_bounded_by_comparing_fewer_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.concatenate([NOISE, NOISE[:2]])
    whole = find_clusters(images).tolist()
    for pairs in (1, 8, 20):
        monkeypatch.setattr("facemood.datasets.duplicates.PAIRS", pairs)
        assert find_clusters(images).tolist() == whole


def test_no_images_have_no_clusters() -> None:
    assert find_clusters(np.zeros((0, 48, 48), np.uint8)).tolist() == []
