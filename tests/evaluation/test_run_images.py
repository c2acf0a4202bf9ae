import dataclasses
from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import ExpressionDataset
from facemood.errors import DatasetError
from facemood.evaluation.run_images import (
    TABLE,
    TEST,
    TRAINING,
    VALIDATION,
    choose_images,
    count_parts,
    describe_parts,
    part_of_images,
    write_images,
)
from facemood.models import ModelSession, find_model

FILES = np.array(["happy/a.jpg", "happy/b.jpg", "sad/c.jpg", "sad/d.jpg", "sad/e.jpg"])


def photos() -> ExpressionDataset:
    """Five photos of two labels in one split."""
    return ExpressionDataset(
        "mine", np.zeros((5, 8, 8), np.uint8), np.array([0, 0, 1, 1, 1]), ("happy", "sad"), np.array(["all"] * 5),
        files=FILES,
    )  # fmt: skip


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Where the model of a run lies that learned from two photos, watched one, kept one aside, and left out one."""
    rows = np.arange(5)
    parts = {
        TRAINING: photos().subset(rows < 2),
        VALIDATION: photos().subset(rows == 2),
        TEST: photos().subset(rows == 3),
    }
    write_images(tmp_path, photos(), parts)
    return tmp_path / "model.onnx"


def test_the_table_of_a_run_names_the_part_of_each_image(model: Path) -> None:
    assert (model.parent / TABLE).read_text() == (
        "file,split\nhappy/a.jpg,training\nhappy/b.jpg,training\n"
        "sad/c.jpg,validation\nsad/d.jpg,test\nsad/e.jpg,left out\n"
    )
    parts = part_of_images(model, photos())
    assert parts is not None
    assert parts.tolist() == ["training", "training", "validation", "test", "left out"]


def test_images_that_came_later_are_new(model: Path) -> None:
    later = dataclasses.replace(photos(), files=np.array([*FILES[:4], "sad/new.jpg"]))
    parts = part_of_images(model, later)
    assert parts is not None
    assert parts.tolist()[-2:] == ["test", "new"]


def test_without_a_wish_the_images_kept_aside_are_measured(model: Path) -> None:
    dataset, split = choose_images(model, photos(), None)
    assert split == TEST
    assert dataset.split(TEST).files is not None
    assert dataset.usage.tolist() == ["training", "training", "validation", "test", "left out"]
    assert choose_images(model, photos(), "validation")[1] == "validation"


def test_a_split_of_the_dataset_is_measured_whole(model: Path) -> None:
    dataset, split = choose_images(model, photos(), "all")
    assert (split, dataset.splits) == ("all", ("all",))
    card = ModelSession(find_model("nano"), device="cpu").card
    counts = count_parts(model, card, dataset)
    assert counts == {TRAINING: 2, VALIDATION: 1, TEST: 1}
    assert describe_parts(counts) == (
        "The model learned from 2 of these images, and 1 chose its weights. So these figures are too good."
    )


def test_other_data_and_other_models_know_nothing_of_a_run(model: Path, tmp_path: Path) -> None:
    others = dataclasses.replace(photos(), files=np.array([f"other/{name}" for name in FILES]))
    assert choose_images(model, others, None) == (others, None)
    assert part_of_images(tmp_path / "elsewhere" / "model.onnx", photos()) is None
    assert part_of_images(model, dataclasses.replace(photos(), files=None)) is None


def test_a_model_of_the_package_says_that_it_learned_from_its_training_split() -> None:
    card = ModelSession(find_model("nano"), device="cpu").card
    part = dataclasses.replace(photos(), name="fer2013", usage=np.array(["Training"] * 5))
    assert count_parts(find_model("nano"), card, part) == {TRAINING: 5}
    assert count_parts(find_model("nano"), card, dataclasses.replace(part, usage=np.array(["PrivateTest"] * 5))) == {}
    assert describe_parts({}) == ""


def test_a_table_with_another_part_is_an_error(model: Path) -> None:
    (model.parent / TABLE).write_text("file,split\nhappy/a.jpg,maybe\n")
    with pytest.raises(
        DatasetError, match=r"images\.csv, line 2: split must be training, validation, test or left out"
    ):
        part_of_images(model, photos())


def test_names_that_are_no_text_do_not_stop_a_run(tmp_path: Path) -> None:
    odd = dataclasses.replace(photos(), files=np.array([*FILES[:4], "sad/\udcff.jpg"]))
    write_images(tmp_path, odd, {TRAINING: odd})
    parts = part_of_images(tmp_path / "model.onnx", odd)
    assert parts is not None
    assert parts.tolist() == ["training"] * 4 + ["new"]
