import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.datasets import open_dataset
from facemood.errors import DatasetError
from tests.conftest import PHOTOS


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two classes of two photos each: a portrait, and the same mirrored."""
    for word, name in (("happy", "astronaut.png"), ("neutral", "grace_hopper.jpg")):
        folder = tmp_path / "tree" / word
        folder.mkdir(parents=True)
        shutil.copy(PHOTOS / name, folder / f"a{Path(name).suffix}")
        picture = cv2.imread(str(PHOTOS / name))
        assert picture is not None
        cv2.imwrite(str(folder / "b.png"), picture[:, ::-1])
    return tmp_path / "tree"


def test_faces_are_detected_and_framed(tree: Path) -> None:
    dataset = open_dataset(f"photos:{tree}")
    assert dataset.classes == ("happy", "neutral")
    assert dataset.labels.tolist() == [0, 0, 1, 1]
    assert dataset.images.shape == (4, 48, 48)
    assert dataset.unreadable == ()
    one, mirrored = dataset.pixels[0].astype(float), dataset.pixels[1][:, ::-1].astype(float)
    assert np.corrcoef(one.ravel(), mirrored.ravel())[0, 1] > 0.9  # the same face, found in both
    large = open_dataset(f"photos:{tree}", size=64, colour="bgr")
    assert large.images.shape == (4, 64, 64, 3)


def test_a_photo_without_a_face_is_left_out_and_reported(tree: Path, caplog: pytest.LogCaptureFixture) -> None:
    cv2.imwrite(str(tree / "happy" / "c.png"), np.full((200, 200, 3), 90, np.uint8))
    (tree / "happy" / "d.jpg").write_bytes(b"no picture")
    with caplog.at_level(logging.WARNING, "facemood"):
        dataset = open_dataset(f"photos:{tree}")
    assert len(dataset) == 4
    assert [Path(text.partition(":")[0]).name for text in dataset.unreadable] == ["c.png", "d.jpg"]
    assert all(text.count(str(tree)) == 1 for text in dataset.unreadable)  # each file is named once
    assert "c.png: left out, no face is found in it" in caplog.text


def test_photos_without_any_face_are_rejected(tmp_path: Path) -> None:
    for word in ("a", "b"):
        (tmp_path / word).mkdir()
        for number in range(2):
            cv2.imwrite(str(tmp_path / word / f"{number}.png"), np.full((90, 90, 3), 90, np.uint8))
    with pytest.raises(DatasetError, match="no face is found in any of the 4 photos"):
        open_dataset(f"photos:{tmp_path}")
