from pathlib import Path

import pytest

from facemood.datasets import open_dataset
from facemood.errors import DatasetError
from tests.datasets.image_files import save
from tests.datasets.test_fer2013 import GOOD, write_csv, write_votes


def save_tree(root: Path) -> None:
    for word in ("happy", "sad"):
        save(root / word / "1.png")
        save(root / word / "2.png")


def test_an_unknown_kind_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unknown kind of dataset 'fer2031'.*Did you mean 'fer2013'"):
        open_dataset(f"fer2031:{tmp_path}")
    with pytest.raises(DatasetError, match="expected one of fer2013, ferplus, folder, photos, affectnet, rafdb"):
        open_dataset("other:here")


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such file or folder"):
        open_dataset(tmp_path / "no")


def test_the_kind_is_given_or_recognized_by_the_files(tmp_path: Path) -> None:
    save_tree(tmp_path)
    assert len(open_dataset(tmp_path)) == len(open_dataset(f"folder:{tmp_path}")) == 4
    with pytest.raises(DatasetError, match="found no FER2013"):
        open_dataset(f"fer2013:{tmp_path}")


def test_size_and_colour_reach_readers_of_files(tmp_path: Path) -> None:
    save_tree(tmp_path)
    assert open_dataset(tmp_path, size=20).images.shape == (4, 20, 20)
    assert open_dataset(tmp_path, colour="bgr").images.shape == (4, 48, 48, 3)
    with pytest.raises(DatasetError, match="unknown colour 'rgb'; expected grey or bgr"):
        open_dataset(tmp_path, colour="rgb")


@pytest.mark.parametrize("kind", ["fer2013", "ferplus"])
def test_fer2013_ignores_size_and_colour(tmp_path: Path, kind: str) -> None:
    write_csv(tmp_path, GOOD)
    write_votes(tmp_path, "Training,fer0.png,0,0,0,8,2,0,0,0,0,0")
    dataset = open_dataset(f"{kind}:{tmp_path}", size=96, colour="bgr")
    assert dataset.images.shape == (1, 48, 48)
    assert dataset.name == kind
    assert dataset.classes[dataset.labels[0]] == {"fer2013": "happy", "ferplus": "sad"}[kind]


def test_ferplus_needs_votes(tmp_path: Path) -> None:
    write_csv(tmp_path, GOOD)
    with pytest.raises(DatasetError, match="fer2013 has no FER\\+ votes; join them with the file fer2013new.csv"):
        open_dataset(f"ferplus:{tmp_path}")
