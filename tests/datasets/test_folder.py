import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood.datasets import open_dataset, read_folder
from facemood.errors import DatasetError


def save(path: Path, value: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (20, 30), value).save(path)


def test_class_folders_become_labels(tmp_path: Path) -> None:
    save(tmp_path / "Happiness" / "1.png", 10)
    save(tmp_path / "bored" / "2.jpg", 20)
    save(tmp_path / "anger" / "3.png", 30)
    dataset = open_dataset(tmp_path)
    assert dataset.classes == ("angry", "happy", "bored")
    assert dataset.images.shape == (3, 48, 48)
    assert dataset.images[:, 0, 0].tolist() == [10, 30, 20]
    assert [dataset.classes[label] for label in dataset.labels] == ["happy", "angry", "bored"]
    assert dataset.splits == ("all",)


def test_split_folders_become_splits(tmp_path: Path) -> None:
    save(tmp_path / "train" / "happy" / "1.png")
    save(tmp_path / "test" / "happy" / "2.png")
    dataset = read_folder(tmp_path, size=16)
    assert dataset.usage.tolist() == ["test", "train"]
    assert dataset.images.shape == (2, 16, 16)


def test_an_unreadable_image_is_logged_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "happy" / "1.png")
    (tmp_path / "happy" / "2.png").write_text("no image")
    with caplog.at_level(logging.WARNING, "facemood"):
        assert len(read_folder(tmp_path)) == 1
    assert "2.png: left out" in caplog.text


def test_empty_and_missing_folders_are_said(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found no images"):
        read_folder(tmp_path)
    (tmp_path / "sad").mkdir()
    with pytest.raises(DatasetError, match="sad: the class folder holds no image"):
        read_folder(tmp_path)
    (tmp_path / "sad" / "1.png").write_text("no image")
    with pytest.raises(DatasetError, match="none of the 1 image files can be read"):
        read_folder(tmp_path)
    with pytest.raises(DatasetError, match="it is not a folder"):
        read_folder(tmp_path / "sad" / "1.png")


@pytest.mark.dataset
@pytest.mark.slow
def test_fer2013_as_a_tree_gives_the_same_pixels(shared_data: Path, tmp_path: Path) -> None:
    """The tree of one split, as users lay it out, against the sheets."""
    split = open_dataset(shared_data / "fer2013").split("PrivateTest")
    for row, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
        folder = tmp_path / "PrivateTest" / split.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{row:05}.png")
    tree = open_dataset(f"folder:{tmp_path}")
    assert tree.counts() == split.counts()
    by_name = sorted(split.classes)
    order = np.concatenate([np.flatnonzero(split.labels == split.classes.index(word)) for word in by_name])
    np.testing.assert_array_equal(tree.images, split.images[order])
