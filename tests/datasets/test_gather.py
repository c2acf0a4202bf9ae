import logging
from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import ImageFiles
from facemood.datasets.gather import Entry, gather
from facemood.errors import DatasetError
from tests.datasets.image_files import save, spoil


def test_entries_become_a_dataset(tmp_path: Path) -> None:
    entries = [
        Entry(save(tmp_path / "1.png", 10), "sad", "train"),
        Entry(save(tmp_path / "2.png", 20), "bored", "val"),
        Entry(save(tmp_path / "3.png", 30), "angry", "train"),
    ]
    dataset = gather(tmp_path, entries, name="mine", size=8, colour="bgr")
    assert dataset.name == "mine"
    assert dataset.pixels[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert dataset.classes == ("angry", "sad", "bored")
    assert dataset.labels.tolist() == [1, 2, 0]
    assert dataset.usage.tolist() == ["train", "val", "train"]
    assert dataset.unreadable == ()
    fixed = gather(tmp_path, entries, name="mine", size=8, colour="bgr", classes=("bored", "sad", "angry", "happy"))
    assert fixed.labels.tolist() == [1, 0, 2]
    assert fixed.counts()["happy"] == 0


@pytest.mark.parametrize("memory", [1, 1 << 30])
def test_columns_stay_aligned_if_files_are_left_out(
    tmp_path: Path, memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facemood.datasets.lazy_images.MEMORY", memory)
    box = (0, 0, 10, 10)
    entries = [
        Entry(spoil(tmp_path / "0.png"), "fear", "train", box),
        Entry(save(tmp_path / "1.png", 10), "sad", "train", box),
        Entry(tmp_path / "2.png", "happy", "train", box),
        Entry(save(tmp_path / "3.png", 30), "happy", "val", box),
    ]
    dataset = gather(tmp_path, entries, name="mine", size=8, colour="grey")
    assert isinstance(dataset.images, ImageFiles) == (memory == 1)
    assert dataset.pixels[:, 0, 0].tolist() == [10, 30]
    assert [dataset.classes[label] for label in dataset.labels] == ["sad", "happy"]
    assert dataset.classes == ("happy", "sad")
    assert dataset.usage.tolist() == ["train", "val"]
    assert dataset.unreadable == (
        f"{tmp_path / '0.png'}: it is not an image",
        f"{tmp_path / '2.png'}: there is no such file",
    )
    assert dataset.split("val").unreadable == dataset.unreadable


def test_files_that_are_left_out_are_logged_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facemood.datasets.gather.LOGGED", 2)
    entries = [Entry(save(tmp_path / "good.png"), "sad", "train")]
    entries += [Entry(tmp_path / f"{row}.png", "sad", "train") for row in range(3)]
    with caplog.at_level(logging.WARNING, "facemood"):
        dataset = gather(tmp_path, entries, name="mine", size=8, colour="grey")
    assert [record.message for record in caplog.records] == [
        f"{tmp_path / '0.png'}: left out, there is no such file",
        f"{tmp_path / '1.png'}: left out, there is no such file",
        f"{tmp_path}: left out 3 of 4 image files",
    ]
    assert len(dataset.unreadable) == 3


def test_if_nothing_can_be_read_the_first_reason_is_reported(tmp_path: Path) -> None:
    entries = [Entry(tmp_path / "1.png", "sad", "train"), Entry(spoil(tmp_path / "2.png"), "sad", "train")]
    with pytest.raises(DatasetError, match=r"none of the 2 image files can be read; the first, .*1.png: there is no"):
        gather(tmp_path, entries, name="mine", size=8, colour="grey")


def test_boxes_are_cut_out(tmp_path: Path) -> None:
    entries = [Entry(save(tmp_path / "1.png", size=(9, 9)), word, "train", (0, 0, 3, 3)) for word in ("sad", "happy")]
    dataset = gather(tmp_path, entries, name="mine", size=3, colour="grey")
    np.testing.assert_array_equal(dataset.pixels, np.zeros((2, 3, 3)))
