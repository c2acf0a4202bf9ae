import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.datasets import find_clusters

NOISE = np.random.default_rng(1).integers(0, 256, (6, 48, 48), np.uint8)


def test_copies_mirrors_and_slight_changes_share_a_cluster() -> None:
    brighter = (NOISE[2] * 0.8 + 20).astype(np.uint8)
    images = np.stack([NOISE[0], NOISE[1], NOISE[0], NOISE[1, :, ::-1], NOISE[2], brighter, NOISE[3]])
    assert find_clusters(images).tolist() == [0, 1, 0, 1, 4, 4, 6]


def test_a_flat_image_is_nobodys_twin() -> None:
    images = np.stack([np.full((48, 48), 10, np.uint8), np.full((48, 48), 10, np.uint8), NOISE[0]])
    assert find_clusters(images).tolist() == [0, 1, 2]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(8)), st.integers(1, 5))
def test_order_and_block_size_change_no_cluster(order: list[int], block: int) -> None:
    images = np.concatenate([NOISE, NOISE[:2]])
    whole = find_clusters(images)
    shuffled = find_clusters(images[order], block=block)
    same = whole[order][:, None] == whole[order][None]
    np.testing.assert_array_equal(shuffled[:, None] == shuffled[None], same)
