from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import open_dataset, read_rafdb
from facemood.errors import DatasetError
from facemood.labels import BASIC_EXPRESSIONS
from tests.datasets.image_files import save

WORDS = {1: "surprise", 2: "fear", 3: "disgust", 4: "happy", 5: "sad", 6: "angry", 7: "neutral"}


def write_list(root: Path, *lines: str) -> None:
    file = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")


@pytest.fixture
def rafdb(tmp_path: Path) -> Path:
    """A training image for each label, and a test image that has no aligned face."""
    image = tmp_path / "basic" / "Image"
    write_list(tmp_path, *(f"train_0000{label}.jpg {label}" for label in WORDS), "", "test_0001.jpg 4")
    for label in WORDS:
        save(image / "aligned" / f"train_0000{label}_aligned.jpg", (label * 30, 0, 0), size=(100, 100))
        save(image / "original" / f"train_0000{label}.jpg", 255)
    save(image / "original" / "test_0001.jpg", (0, 0, 250))
    return tmp_path


def test_labels_splits_and_images(rafdb: Path) -> None:
    dataset = read_rafdb(rafdb)
    assert (dataset.name, dataset.classes) == ("rafdb", BASIC_EXPRESSIONS)
    assert [dataset.classes[label] for label in dataset.labels] == [*WORDS.values(), "happy"]
    assert dataset.usage.tolist() == ["train"] * 7 + ["test"]
    assert dataset.images.shape == (8, 100, 100, 3)
    red = dataset.pixels[:7, 50, 50, 2]  # the aligned face, in BGR
    np.testing.assert_allclose(red, np.array(list(WORDS)) * 30, atol=3)
    assert dataset.pixels[7, 50, 50, 0] > 240  # the original, where no aligned face is there


def test_the_folder_may_be_basic_itself_and_is_recognized(rafdb: Path) -> None:
    assert len(open_dataset(rafdb)) == len(open_dataset(rafdb / "basic")) == len(open_dataset(f"rafdb:{rafdb}")) == 8
    assert open_dataset(rafdb, size=32, colour="grey").images.shape == (8, 32, 32)


def test_a_missing_image_is_left_out_and_listed(rafdb: Path) -> None:
    (rafdb / "basic" / "Image" / "original" / "test_0001.jpg").unlink()
    dataset = read_rafdb(rafdb)
    assert dataset.splits == ("train",)
    (listed,) = dataset.unreadable
    assert listed.endswith("test_0001.jpg: there is no such file")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("train_00002.jpg", 'line 2: expected a line like "train_00001.jpg 5", but found .train_00002.jpg'),
        ("valid_00002.jpg 3", "line 2: expected a name that begins with train_ or test_, but found 'valid_00002.jpg'"),
        ("train_00002.jpg 8", r"line 2: the label must be 1\.\.7, but is '8'"),
        ("train_00002.jpg x", r"line 2: the label must be 1\.\.7, but is 'x'"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    write_list(tmp_path, "train_00001.jpg 1", line)
    with pytest.raises(DatasetError, match=message):
        read_rafdb(tmp_path)


def test_a_folder_without_rafdb(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="found no RAF-DB here; expected basic/EmoLabel/list_patition_label.txt"):
        open_dataset(f"rafdb:{tmp_path}")
    write_list(tmp_path)
    with pytest.raises(DatasetError, match="the list is empty"):
        read_rafdb(tmp_path)
    write_list(tmp_path, "train_00001.jpg 1")
    with pytest.raises(DatasetError, match="none of the 1 image files can be read"):
        read_rafdb(tmp_path)
