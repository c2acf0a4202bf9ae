import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood.datasets import ImageFiles, open_dataset, read_folder
from facemood.errors import DatasetError
from tests.datasets.image_files import save, spoil


def save_pairs(root: Path, *words: str) -> None:
    """Two images for each class."""
    for word in words:
        save(root / word / "1.png", 10)
        save(root / word / "2.png", 20)


def test_class_folders_become_labels(tmp_path: Path) -> None:
    save_pairs(tmp_path, "Happiness", "bored", "anger")
    dataset = open_dataset(tmp_path)
    assert dataset.name == tmp_path.name
    assert dataset.classes == ("angry", "happy", "bored")
    assert dataset.images.shape == (6, 48, 48)
    assert dataset.pixels[:, 0, 0].tolist() == [10, 20] * 3
    assert [dataset.classes[label] for label in dataset.labels[::2]] == ["happy", "angry", "bored"]
    assert dataset.splits == ("all",)
    assert dataset.unreadable == ()


def test_split_folders_become_splits(tmp_path: Path) -> None:
    for split in ("train", "test"):
        save(tmp_path / split / "happy" / "1.png")
        save(tmp_path / split / "sad" / "2.jpg")
    dataset = read_folder(tmp_path, size=16)
    assert dataset.usage.tolist() == ["test", "test", "train", "train"]
    assert dataset.images.shape == (4, 16, 16)


def test_colour_and_large_trees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for word in ("happy", "sad"):
        save(tmp_path / word / "1.png", (30, 20, 10))
        save(tmp_path / word / "2.png", (30, 20, 10))
    inside = read_folder(tmp_path, size=32, colour="bgr")
    assert inside.pixels[0, 0, 0].tolist() == [10, 20, 30]
    monkeypatch.setattr("facemood.datasets.lazy_images.MEMORY", 1)
    outside = read_folder(tmp_path, size=32, colour="bgr")
    assert isinstance(outside.images, ImageFiles)
    np.testing.assert_array_equal(outside.pixels, inside.pixels)
    np.testing.assert_array_equal(outside.labels, inside.labels)


def test_an_unreadable_image_is_logged_left_out_and_listed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_pairs(tmp_path, "happy", "sad")
    spoil(tmp_path / "happy" / "3.png")
    with caplog.at_level(logging.WARNING, "facemood"):
        dataset = read_folder(tmp_path)
    assert len(dataset) == 4
    assert "3.png: left out, it is not an image" in caplog.text
    assert f"{tmp_path}: left out 1 of 5 image files" in caplog.text
    assert dataset.unreadable == (f"{tmp_path / 'happy' / '3.png'}: it is not an image",)


def test_hidden_files_and_folders_are_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save_pairs(tmp_path, "happy", "sad", ".thumbnails")
    save_pairs(tmp_path / "happy", ".old")
    spoil(tmp_path / "happy" / "._1.png")
    spoil(tmp_path / "notes.txt")
    dataset = read_folder(tmp_path)
    assert dataset.counts() == {"happy": 2, "sad": 2}
    assert not caplog.text


def test_no_class_folders(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(DatasetError, match="found no class folders; expected <class>/.* or <split>/<class>/"):
        read_folder(tmp_path)
    save(tmp_path / "1.png")
    with pytest.raises(DatasetError, match="sort the 1 images in it into one folder for each class"):
        read_folder(tmp_path)
    with pytest.raises(DatasetError, match="it is not a folder"):
        read_folder(tmp_path / "1.png")


def test_folders_that_are_neither_class_nor_split(tmp_path: Path) -> None:
    save_pairs(tmp_path, "happy")
    (tmp_path / "sad").mkdir()
    with pytest.raises(DatasetError, match="sad: the class folder has no image; remove it or fill it"):
        read_folder(tmp_path)
    save_pairs(tmp_path / "sad", "old")
    save(tmp_path / "sad" / "1.png")
    with pytest.raises(DatasetError, match="sad: has images and the folder 'old', so it is neither"):
        read_folder(tmp_path)


def test_a_tree_that_is_too_deep(tmp_path: Path) -> None:
    save_pairs(tmp_path / "set" / "train", "happy", "sad")
    with pytest.raises(DatasetError, match="train: has folders where images were expected.*give a folder inside of it"):
        read_folder(tmp_path)
    assert read_folder(tmp_path / "set").splits == ("train",)


def test_too_few_classes_or_images(tmp_path: Path) -> None:
    save_pairs(tmp_path, "happy", "joy")
    with pytest.raises(DatasetError, match="expected at least two classes, but all 4 readable images are .happy.; add"):
        read_folder(tmp_path)
    save(tmp_path / "bored" / "1.png")
    with pytest.raises(DatasetError, match="the class 'bored' has only one readable image.*add another or remove its"):
        read_folder(tmp_path)
    spoil(tmp_path / "bored" / "2.png")
    with pytest.raises(DatasetError, match="the class 'bored' has only one readable image"):
        read_folder(tmp_path)
    spoil(tmp_path / "bored" / "1.png")
    with pytest.raises(DatasetError, match="expected at least two classes, but all 4 readable images"):
        read_folder(tmp_path)


def test_no_readable_image(tmp_path: Path) -> None:
    for word in ("happy", "sad"):
        spoil(tmp_path / word / "1.png")
        spoil(tmp_path / word / "2.png")
    with pytest.raises(DatasetError, match="none of the 4 image files can be read.*it is not an image"):
        read_folder(tmp_path)


def test_the_name_of_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_pairs(tmp_path, "happy", "sad")
    monkeypatch.chdir(tmp_path)
    assert read_folder(Path()).name == tmp_path.name


@pytest.mark.dataset
@pytest.mark.slow
def test_fer2013_as_a_tree_gives_the_same_pixels(shared_data: Path, tmp_path: Path) -> None:
    """A tree of one split, compared with the sheets."""
    split = open_dataset(shared_data / "fer2013").split("PrivateTest")
    for row, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
        folder = tmp_path / "PrivateTest" / split.classes[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{row:05}.png")
    tree = open_dataset(f"folder:{tmp_path}")
    assert tree.counts() == split.counts()
    by_name = sorted(split.classes)
    order = np.concatenate([np.flatnonzero(split.labels == split.classes.index(word)) for word in by_name])
    np.testing.assert_array_equal(tree.images, split.pixels[order])
