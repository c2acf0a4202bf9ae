import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset, count_near_duplicates, find_split, split_off
from facemood.errors import DatasetError


def make_dataset(
    labels: list[int], cluster: list[int] | None = None, usage: list[str] | None = None
) -> ExpressionDataset:
    """Faces with labels and clusters; without clusters there are no near-duplicates."""
    count = len(labels)
    return ExpressionDataset(
        name="made",
        images=np.zeros((count, 4, 4), np.uint8),
        labels=np.array(labels, np.int64),
        classes=("angry", "fear", "happy", "sad"),
        usage=np.array(usage or ["all"] * count),
        cluster=np.array(range(count) if cluster is None else cluster, np.int64),
    )


@pytest.mark.parametrize(
    ("splits", "wanted", "found"),
    [
        (["Training", "PublicTest"], "Training", "Training"),
        (["train", "val", "test"], "Training", "train"),
        (["Train_Set", "VAL_SET"], "training", "Train_Set"),
        (["train", "valid"], "PublicTest", "valid"),
        (["train", "validation"], "val_set", "validation"),
        (["Training", "PublicTest", "PrivateTest"], "test", "PrivateTest"),
        (["Training", "PublicTest", "PrivateTest"], "VAL", "PublicTest"),
        (["test", "testing"], "Testing", "testing"),
        (["val", "validation"], "validation", "validation"),
        (["test", "testing"], "PrivateTest", "test"),
        (["train", "test"], "PublicTest", None),
        (["train", "test"], "holdout", None),
        (["train", "HoldOut"], "holdout", "HoldOut"),
        (["all"], "train", "all"),
        (["all"], "Training", "all"),
        (["all"], "val", None),
        (["all", "test"], "train", None),
    ],
)
def test_a_split_is_found_by_its_usual_names(splits: list[str], wanted: str, found: str | None) -> None:
    assert find_split(make_dataset([0] * len(splits), usage=splits), wanted) == found


def test_near_duplicates_on_both_sides_are_counted() -> None:
    dataset = make_dataset([0] * 7, [0, 0, 2, 3, 3, 3, 6])
    one, other = np.array([1, 0, 0, 1, 0, 0, 1], bool), np.array([0, 1, 1, 0, 1, 1, 0], bool)
    assert count_near_duplicates(dataset, one, other) == 3
    assert count_near_duplicates(dataset, other, one) == 2
    assert count_near_duplicates(dataset, one, np.zeros(7, bool)) == 0


def counts_of(dataset: ExpressionDataset, mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.bincount(dataset.labels[mask], minlength=len(dataset.classes))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.integers(2, 40), min_size=1, max_size=4),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32 - 1),
)
def test_shares_are_exact_to_one_image_without_near_duplicates(sizes: list[int], share: float, seed: int) -> None:
    labels = [label for label, size in enumerate(sizes) for _ in range(size)]
    dataset = make_dataset(np.random.default_rng(seed).permutation(labels).tolist())
    marked = split_off(dataset, share, seed=seed)
    for size, found in zip(sizes, counts_of(dataset, marked), strict=False):
        assert 1 <= found <= size - 1
        wanted = min(max(size * share, 1), size - 1)
        assert abs(found - wanted) <= 0.5 + 1e-6
    np.testing.assert_array_equal(marked, split_off(dataset, share, seed=seed))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 9), min_size=2, max_size=30), min_size=1, max_size=4),
    st.floats(0.05, 0.95),
    st.integers(0, 999),
)
def test_clusters_of_one_class_stay_together_and_the_share_is_close(
    classes: list[list[int]], share: float, seed: int
) -> None:
    """Each class is given by the sizes of its clusters."""
    pairs = [(label, size) for label, sizes in enumerate(classes) for size in sizes]
    labels = [label for label, size in pairs for _ in range(size)]
    cluster = [number for number, (_, size) in enumerate(pairs) for _ in range(size)]
    dataset = make_dataset(labels, cluster)
    marked = split_off(dataset, share, seed=seed)
    assert not set(dataset.clusters()[marked]) & set(dataset.clusters()[~marked])
    for sizes, found in zip(classes, counts_of(dataset, marked), strict=False):
        assert 1 <= found < sum(sizes)
        assert abs(found - share * sum(sizes)) <= max(sizes)


def can_be_split(dataset: ExpressionDataset) -> bool:
    """Try every way to put the clusters on two sides."""
    names = sorted(set(dataset.clusters().tolist()))
    for ways in itertools.product([False, True], repeat=len(names)):
        marked = np.array(ways)[np.searchsorted(names, dataset.clusters())]
        one, other = counts_of(dataset, marked) > 0, counts_of(dataset, ~marked) > 0
        if (one == other).all():
            return True
    return False


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=14),
    st.floats(0.1, 0.9),
    st.integers(0, 99),
)
def test_clusters_of_several_classes_are_split_if_that_is_possible(
    rows: list[tuple[int, int]], share: float, seed: int
) -> None:
    dataset = make_dataset([label for label, _ in rows], [cluster for _, cluster in rows])
    if not can_be_split(dataset):
        with pytest.raises(DatasetError, match="has only .* images?, (so|which)|found no way"):
            split_off(dataset, share, seed=seed)
        return
    marked = split_off(dataset, share, seed=seed)
    assert not set(dataset.clusters()[marked]) & set(dataset.clusters()[~marked])
    np.testing.assert_array_equal(counts_of(dataset, marked) > 0, counts_of(dataset, ~marked) > 0)


def test_images_chosen_for_a_rarer_class_count_for_the_others() -> None:
    cluster = [*range(40), *range(100)]  # 40 images are labelled both "fear" and "happy", 60 only "happy"
    dataset = make_dataset([1] * 40 + [2] * 100, cluster)
    assert counts_of(dataset, split_off(dataset, 0.2, seed=3)).tolist() == [0, 8, 20, 0]


def test_another_seed_marks_other_images() -> None:
    dataset = make_dataset([0, 1] * 50)
    assert (split_off(dataset, 0.3, seed=1) != split_off(dataset, 0.3, seed=2)).any()


def test_near_duplicates_are_searched_for_without_clusters() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 20, 20), np.uint8)
    images = np.concatenate([noise, noise[:, :, ::-1]])  # each image and its mirror image
    dataset = ExpressionDataset("made", images, np.arange(80) % 2, ("happy", "sad"), np.array(["all"] * 80))
    marked = split_off(dataset, 0.25, seed=0)
    np.testing.assert_array_equal(marked[:40], marked[40:])
    assert marked.sum() == 20
    assert count_near_duplicates(dataset, marked, ~marked) == 0
    assert count_near_duplicates(dataset, np.arange(80) < 5, np.arange(80) >= 40) == 5


@pytest.mark.parametrize(
    ("dataset", "share", "message"),
    [
        (make_dataset([0, 0, 1]), 0.5, "made: the class 'fear' has only one image, so it cannot be in both.*add other"),
        (make_dataset([0, 0, 1, 1], [0, 1, 2, 2]), 0.5, "'fear' has only 2 images, which are near-duplicates, so it"),
        (
            make_dataset([0, 1, 1, 2, 2, 0], [0, 0, 1, 1, 2, 2]),
            0.5,
            "found no way to have .* in both training and valid",
        ),
        (make_dataset([0, 0]), 0.0, "the share to split off must be between 0 and 1, but is 0.0"),
        (make_dataset([0, 0]), 1.0, "must be between 0 and 1, but is 1.0"),
        (make_dataset([]), 0.5, "made has no images"),
    ],
)
def test_datasets_that_cannot_be_split_are_reported(dataset: ExpressionDataset, share: float, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        split_off(dataset, share, seed=0)
