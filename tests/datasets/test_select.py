from pathlib import Path

import pytest
from PIL import Image

from facemood.datasets import open_dataset
from facemood.errors import DatasetError


def test_an_unknown_kind_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="unknown kind of dataset 'fer2031'.*Did you mean 'fer2013'"):
        open_dataset(f"fer2031:{tmp_path}")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no such file or folder"):
        open_dataset(tmp_path / "no")


def test_the_kind_may_be_named_or_told_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    Image.new("L", (4, 4)).save(tmp_path / "happy" / "1.png")
    assert len(open_dataset(tmp_path)) == len(open_dataset(f"folder:{tmp_path}")) == 1
    with pytest.raises(DatasetError, match="found no FER2013"):
        open_dataset(f"fer2013:{tmp_path}")
