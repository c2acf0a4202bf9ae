import dataclasses
from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import ExpressionDataset, ImageFiles
from facemood.errors import DatasetError
from tests.datasets.image_files import save_noise


def make_dataset(**changes: object) -> ExpressionDataset:
    rng, count = np.random.default_rng(0), 6
    columns: dict[str, object] = {
        "name": "made",
        "images": rng.integers(0, 256, (count, 8, 8), np.uint8),
        "labels": np.arange(count) % 2,
        "classes": ("happy", "sad"),
        "usage": np.array(["Training", "PublicTest", "PrivateTest"] * count)[:count],
        "cluster": np.arange(count),
    }
    return ExpressionDataset(**{**columns, **changes})  # type: ignore[arg-type]


def test_a_split_has_its_images_and_all_columns() -> None:
    part = make_dataset().split("PublicTest")
    assert len(part) == 2
    assert part.counts() == {"happy": 1, "sad": 1}
    assert part.cluster is not None
    assert part.cluster.tolist() == [1, 4]
    assert part.votes is None


def test_an_unknown_split_names_the_known_ones() -> None:
    with pytest.raises(DatasetError, match="no split 'PrivatTest'; it has Training.*Did you mean 'PrivateTest'"):
        make_dataset().split("PrivatTest")


def test_near_duplicates_are_images_outside_that_share_a_cluster_with_one_inside() -> None:
    dataset = make_dataset(cluster=np.array([0, 0, 2, 2, 4, 4]))
    # Training: rows 0 and 3; row 1 is a twin of 0, row 2 of 3, rows 4 and 5 of each other only.
    assert dataset.near_duplicates_of(["Training"]).tolist() == [False, True, True, False, False, False]
    assert dataset.near_duplicates_of(["PublicTest", "PrivateTest"]).tolist() == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_missing_clusters_are_searched_for() -> None:
    made = make_dataset(cluster=None)
    images = made.pixels.copy()
    images[1] = images[0, :, ::-1]  # PublicTest mirrors Training
    dataset = make_dataset(cluster=None, images=images)
    assert dataset.near_duplicates_of(["Training"]).tolist() == [False, True, False, False, False, False]


def test_near_duplicates_are_not_searched_for_without_anything_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(images: object) -> None:
        raise AssertionError("searched for twins")

    monkeypatch.setattr("facemood.datasets.dataset.find_clusters", refuse)
    for usages in (["Training", "PublicTest", "PrivateTest"], ["elsewhere"], []):
        assert not make_dataset(cluster=None).near_duplicates_of(usages).any()
    with pytest.raises(AssertionError, match="searched"):
        make_dataset(cluster=None).near_duplicates_of(["Training"])


def test_without_votes_there_is_no_majority() -> None:
    with pytest.raises(DatasetError, match="fer2013new.csv"):
        make_dataset().ferplus_majority()


@pytest.mark.parametrize(
    "changes",
    [
        {"images": np.zeros((6, 8, 8, 4), np.uint8)},
        {"images": np.zeros((6, 64), np.uint8)},
        {"images": np.zeros((6, 8, 8))},
        {"images": ImageFiles((Path("a.png"),), 8)},
        {"labels": np.zeros(5, int)},
    ],
)
def test_inconsistent_columns_are_rejected(changes: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match="must be|rows"):
        make_dataset(**changes)


def in_files(folder: Path, colour: str) -> ExpressionDataset:
    """Six images of noise in files; the last one, a copy of the first, is in another split."""
    seeds = [0, 1, 2, 3, 4, 0]
    paths = tuple(save_noise(folder / f"{row}.png", seed) for row, seed in enumerate(seeds))
    return make_dataset(images=ImageFiles(paths, 16, colour), cluster=None)


@pytest.mark.parametrize("colour", ["grey", "bgr"])
def test_images_can_stay_in_files(tmp_path: Path, colour: str) -> None:
    outside = in_files(tmp_path, colour)
    inside = dataclasses.replace(outside, images=outside.pixels)
    assert isinstance(outside.split("PublicTest").images, ImageFiles)
    np.testing.assert_array_equal(outside.split("PublicTest").pixels, inside.split("PublicTest").pixels)
    for dataset in (outside, inside):
        assert dataset.near_duplicates_of(["Training"]).tolist() == [False] * 5 + [True]
        assert dataset.clusters().tolist() == [0, 1, 2, 3, 4, 0]
    np.testing.assert_array_equal(outside.folds(2), inside.folds(2))
    voted = dataclasses.replace(outside, votes=np.eye(10, dtype=np.float32)[:6] * 5).ferplus_majority()
    assert len(voted.images) == 6


def test_pixels_are_the_array_itself_if_there_is_one() -> None:
    dataset = make_dataset()
    assert dataset.pixels is dataset.images


def test_files_that_were_left_out_stay_listed() -> None:
    dataset = make_dataset(unreadable=("a.png: it is not an image",))
    assert dataset.split("Training").unreadable == dataset.unreadable
