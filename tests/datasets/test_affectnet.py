import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood.datasets import open_dataset, read_affectnet
from facemood.errors import DatasetError
from facemood.labels import EXPRESSIONS
from tests.datasets.image_files import save, spoil

WORDS = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
HEADER = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"


def annotate(folder: Path, name: str, label: object) -> None:
    """Write a face and its annotation."""
    save(folder / "images" / f"{name}.jpg", (len(name) * 20, 0, 0))
    (folder / "annotations").mkdir(exist_ok=True)
    np.save(folder / "annotations" / f"{name}_exp.npy", np.array(label))


def write_table(file: Path, *rows: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([HEADER, *rows]) + "\n")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """The newer layout, with all eight labels as texts."""
    for label in range(8):
        annotate(tmp_path / "train_set", f"{label}", str(label))
    annotate(tmp_path / "val_set", "12", 6)
    return tmp_path


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """The older layout: one image with several boxes."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[10:30, 20:40] = 200, 100, 50
    (tmp_path / "7").mkdir()
    Image.fromarray(pixels).save(tmp_path / "7" / "a.png")
    boxed = [f"7/a.png,20,10,20,20,1;2,{label},0.1,0.2" for label in (0, 7)]
    write_table(tmp_path / "training.csv", *boxed, *(f"7/b.png,,,,,1,{label},0,0" for label in (8, 9, 10, 10)))
    write_table(tmp_path / "validation.csv", "7/a.png,0,0,20,10,1,6,0,0")
    return tmp_path


def test_the_newer_layout(sets: Path) -> None:
    dataset = read_affectnet(sets)
    assert (dataset.name, dataset.classes) == ("affectnet", EXPRESSIONS)
    assert [dataset.classes[label] for label in dataset.labels] == [*WORDS, "angry"]
    assert dataset.usage.tolist() == ["train"] * 8 + ["val"]
    assert dataset.images.shape == (9, 224, 224, 3)
    np.testing.assert_allclose(dataset.pixels[[0, 8], 100, 100], [[0, 0, 20], [0, 0, 40]], atol=3)


@pytest.mark.parametrize("label", ["3", b"3", 3, 3.0, [3], np.array(["3"]), "3.0"])
def test_an_annotation_may_be_a_text_or_a_number(tmp_path: Path, label: object) -> None:
    annotate(tmp_path / "val_set", "1", label)
    assert read_affectnet(tmp_path, size=8).labels.tolist() == [EXPRESSIONS.index("surprise")]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("11", r"1_exp.npy: expected a label 0\.\.10, but found 11"),
        (-1, r"but found -1"),
        (2.5, r"but found 2\.5"),
        ("nan", "but found nan"),
        ("sad", "but it cannot be read"),
        ([1, 2], "but it cannot be read"),
    ],
)
def test_a_wrong_annotation_is_named(tmp_path: Path, label: object, message: str) -> None:
    annotate(tmp_path / "val_set", "1", label)
    with pytest.raises(DatasetError, match=message):
        read_affectnet(tmp_path)


def test_annotations_that_cannot_be_read(sets: Path) -> None:
    file = sets / "train_set" / "annotations" / "3_exp.npy"
    for content in (b"", b"text", file.read_bytes()[:-1]):
        file.write_bytes(content)
        with pytest.raises(DatasetError, match=r"3_exp.npy: expected a label 0\.\.10, but it cannot be read"):
            read_affectnet(sets)
    file.unlink()
    with pytest.raises(DatasetError, match="3_exp.npy: the annotation is missing; fetch it again or remove the image"):
        read_affectnet(sets)


def test_annotations_without_images(tmp_path: Path) -> None:
    (tmp_path / "train_set" / "annotations").mkdir(parents=True)
    with pytest.raises(DatasetError, match="images: there is no such folder"):
        read_affectnet(tmp_path)
    (tmp_path / "train_set" / "images").mkdir()
    with pytest.raises(DatasetError, match="found no image of an expression here"):
        read_affectnet(tmp_path)


def test_the_older_layout_cuts_out_the_face(tables: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "facemood"):
        dataset = read_affectnet(tables, size=10)
    assert [dataset.classes[label] for label in dataset.labels] == ["neutral", "contempt", "angry"]
    assert dataset.usage.tolist() == ["train", "train", "val"]
    assert (dataset.pixels[:2] == (50, 100, 200)).all()
    assert (dataset.pixels[2] == 0).all()
    assert "4 images without an expression are left out (1 none, 1 uncertain, 2 non-face)" in caplog.text


@pytest.mark.parametrize("images", ["Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images"])
@pytest.mark.parametrize("lists", [".", "Manually_Annotated_file_lists"])
def test_images_and_tables_may_be_in_separate_folders(tables: Path, images: str, lists: str) -> None:
    (tables / images).mkdir(parents=True)
    (tables / "7").rename(tables / images / "7")
    for name in ("training.csv", "validation.csv"):
        (tables / lists).mkdir(exist_ok=True)
        (tables / name).rename(tables / lists / name)
    assert len(open_dataset(tables)) == 3


def test_a_missing_image_and_a_box_outside_of_the_image_are_listed(tables: Path) -> None:
    write_table(
        tables / "validation.csv",
        "7/no.png,0,0,9,9,1,1,0,0",
        "7/a.png,0,0,-1,-1,1,1,0,0",
        "7/a.png,-9,-9,20,20,1,2,0,0",
    )
    dataset = read_affectnet(tables)
    assert dataset.usage.tolist() == ["train", "train", "val"]
    missing, outside = dataset.unreadable
    assert missing.endswith("no.png: there is no such file")
    assert outside.endswith("the box 0,0,-1,-1 has no area inside of the image of 60x40 pixels")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("7/a.png,0,0,9,9,1,11,0,0", r"validation.csv, line 2: expression must be 0\.\.10, but is '11'"),
        ("7/a.png,0,NULL,9,9,1,1,0,0", "line 2: face_x,face_y,face_width,face_height must be whole numbers, but are"),
        ("7/a.png,0,0,9", "line 2: expected 9 fields, but found 4"),
    ],
)
def test_a_damaged_row_is_named(tables: Path, row: str, message: str) -> None:
    write_table(tables / "validation.csv", row)
    with pytest.raises(DatasetError, match=message):
        read_affectnet(tables)


def test_both_layouts_are_recognized_and_take_size_and_colour(sets: Path) -> None:
    assert open_dataset(sets, size=16, colour="grey").images.shape == (9, 16, 16)
    assert open_dataset(f"affectnet:{sets}", size=16).images.shape == (9, 16, 16, 3)


def test_a_folder_without_affectnet(tmp_path: Path) -> None:
    (tmp_path / "training.csv").write_text("file,word\n")
    for root in (tmp_path, tmp_path / "training.csv"):
        with pytest.raises(DatasetError, match="found no AffectNet here; expected train_set/annotations"):
            read_affectnet(root)
    save(tmp_path / "happy" / "1.png")
    save(tmp_path / "happy" / "2.png")
    save(tmp_path / "sad" / "1.png")
    save(tmp_path / "sad" / "2.png")
    assert open_dataset(tmp_path).name == tmp_path.name  # a table of another kind outside the class folders


def test_an_image_that_cannot_be_read_is_left_out(sets: Path) -> None:
    spoil(sets / "val_set" / "images" / "12.jpg")
    dataset = read_affectnet(sets, size=8)
    assert dataset.splits == ("train",)
    assert len(dataset.unreadable) == 1
