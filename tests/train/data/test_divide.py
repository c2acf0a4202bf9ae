import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from facemood.errors import DatasetError, RecipeError
from facemood.train import load_recipe
from facemood.train.data.divide import class_weights, keep_aside, prepare
from facemood.train.data.divide import test_images as images_for_test
from facemood.train.recipe import LossConfig
from tests.train.test_fit import bright_or_dark, small_recipe


def test_no_training_image_has_a_near_duplicate_in_a_held_out_split() -> None:
    dataset = bright_or_dark()
    cluster = np.arange(len(dataset))
    cluster[0] = cluster[50]  # row 50 is in PublicTest
    training, validation = prepare(small_recipe(), dataclasses.replace(dataset, cluster=cluster))
    assert (len(training), len(validation)) == (47, 16)
    assert 50 not in training.cluster  # type: ignore[operator]


def test_splits_are_found_by_their_other_names() -> None:
    dataset = bright_or_dark()
    renamed = np.where(dataset.usage == "Training", "train", "val")
    training, validation = prepare(small_recipe(), dataclasses.replace(dataset, usage=renamed))
    assert (training.splits, validation.splits) == (("train",), ("val",))


def test_a_part_is_split_off_where_nothing_is_there_to_watch() -> None:
    dataset = dataclasses.replace(bright_or_dark(), usage=np.full(64, "all"))
    training, validation = prepare(small_recipe("data.validation_share=0.25"), dataset)
    assert (len(training), len(validation)) == (48, 16)
    assert validation.counts() == {**validation.counts(), "happy": 8, "sad": 8}
    again = prepare(small_recipe("data.validation_share=0.25"), dataset)[1]
    np.testing.assert_array_equal(again.cluster, validation.cluster)


def test_images_are_kept_aside_for_the_test_before_others_are_split_off() -> None:
    dataset = dataclasses.replace(bright_or_dark(), usage=np.full(64, "all"))
    recipe = small_recipe("data.test_share=0.25", "data.validation_share=0.25")
    divided = keep_aside(recipe, dataset)
    test = images_for_test(divided)
    assert test is not None
    assert test.counts() == {**test.counts(), "happy": 8, "sad": 8}
    training, validation = prepare(recipe, divided)
    assert (len(training), len(validation), len(test)) == (36, 12, 16)
    together = [row for part in (training, validation, test) for row in part.clusters().tolist()]
    assert len(set(together)) == 64  # each image once
    np.testing.assert_array_equal(keep_aside(recipe, dataset).usage, divided.usage)


def test_near_duplicates_of_test_images_are_kept_aside_too() -> None:
    cluster = np.arange(64) // 2
    dataset = dataclasses.replace(bright_or_dark(), usage=np.full(64, "all"), cluster=cluster)
    aside = keep_aside(small_recipe("data.test_share=0.25"), dataset).usage == "test"
    np.testing.assert_array_equal(aside[::2], aside[1::2])


def test_nothing_is_kept_aside_without_a_share_or_where_there_is_a_test_split() -> None:
    dataset = dataclasses.replace(bright_or_dark(), usage=np.full(64, "all"))
    assert keep_aside(small_recipe(), dataset) is dataset
    tested = dataclasses.replace(bright_or_dark(), usage=np.array(["Training"] * 60 + ["test"] * 4))
    assert keep_aside(small_recipe("data.test_share=0.25"), tested) is tested


def test_a_class_that_is_too_small_for_three_parts_says_what_to_do() -> None:
    dataset = bright_or_dark()
    few = dataset.subset((dataset.labels == 3) | (np.cumsum(dataset.labels != 3) <= 2))
    dataset = dataclasses.replace(few, usage=np.full(len(few), "all"))
    with pytest.raises(DatasetError, match=r"'sad' has only 2 different images.*--set data\.test_share=0"):
        keep_aside(small_recipe("data.test_share=0.25"), dataset)


def test_a_missing_training_split_is_reported() -> None:
    with pytest.raises(DatasetError, match="no split 'Training'; it has PublicTest"):
        prepare(small_recipe(), bright_or_dark().split("PublicTest"))


def test_near_duplicates_that_are_not_left_out_cause_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    dataset = bright_or_dark()
    cluster = np.arange(64)
    cluster[:3] = cluster[50]  # row 50 is in PublicTest
    twinned = dataclasses.replace(dataset, cluster=cluster)
    with caplog.at_level(logging.WARNING, "facemood"):
        prepare(small_recipe(), twinned)
        assert caplog.text == ""
        prepare(small_recipe("data.held_out=[]"), twinned)
    assert "1 of the images in PublicTest are near-duplicates of images in Training" in caplog.text


def test_balanced_weights_give_each_class_the_same_total() -> None:
    training = bright_or_dark()
    rare = training.subset((training.labels == 3) | (np.arange(64) % 8 == 1))
    weights = class_weights(rare, LossConfig(class_weights="balanced"))
    assert weights is not None
    counts = np.bincount(rare.labels, minlength=7)
    weighed = weights.numpy() * counts
    assert weighed[3] == pytest.approx(weighed[4])
    assert weighed.sum() == pytest.approx(len(rare))
    assert class_weights(rare, LossConfig()) is None


def test_given_weights_are_by_label_and_an_unknown_label_is_reported() -> None:
    weights = class_weights(bright_or_dark(), LossConfig(alpha={"happy": 0.5, "sad": 1.5}))
    assert weights is not None
    assert float(weights[4] / weights[3]) == pytest.approx(3)
    with pytest.raises(RecipeError, match="names 'hapy', which is not among .*Did you mean 'happy'"):
        class_weights(bright_or_dark(), LossConfig(alpha={"hapy": 1.0}))


@pytest.mark.dataset
def test_fer2013_trains_without_the_871_near_duplicates(shared_data: Path) -> None:
    from facemood.datasets import open_dataset

    training, validation = prepare(load_recipe("baseline"), open_dataset(shared_data / "fer2013"))
    assert (len(training), len(validation)) == (28709 - 871, 3589)
