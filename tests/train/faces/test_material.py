from pathlib import Path

import numpy as np
import pytest

from facemood.errors import DatasetError
from facemood.train.faces.material import OVERLOOKED, load_material, read_labels, read_scenes
from tests.train.faces.made import write_data


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path)


def test_tiles_come_with_their_points_and_those_without_are_left_out(data: Path) -> None:
    training = load_material(data, data / "faces.npz")
    assert training.tiles.shape == (6, 48, 48)
    assert training.points.shape == (6, 104, 2)
    assert training.points[0, 30].tolist() == pytest.approx([24, 28.25], abs=0.5)
    assert len(load_material(data, data / "faces.npz", split="PublicTest").tiles) == 1


def test_points_far_outside_of_a_tile_leave_it_out(data: Path) -> None:
    table = read_labels(data / "faces.npz")
    table["tile_points"] = table["tile_points"].copy()
    table["tile_points"][2, 8, 1] = 60 * 256
    np.savez(data / "far.npz", allow_pickle=False, **table)
    assert len(load_material(data, data / "far.npz").tiles) == 5


def test_scenes_are_split_for_training_and_test(data: Path) -> None:
    table = read_labels(data / "faces.npz")
    training = read_scenes(data / "scenes", table, test=False)
    assert [scene.size for scene in training] == [(200, 160), (200, 160)]  # of 3 one is overlooked
    assert "0217.jpg" in OVERLOOKED
    assert len(read_scenes(data / "scenes", table, test=True)) == 1


def test_only_what_the_teacher_is_sure_of_is_a_face(data: Path) -> None:
    first, second = read_scenes(data / "scenes", read_labels(data / "faces.npz"), test=False)
    assert (len(first.points), len(first.unknown)) == (1, 2)  # sure; not confirmed; not sure
    assert first.unknown[0].tolist() == [1, 2, 30, 40]
    assert not first.empty
    assert second.empty
    assert [copy.shape[:2] for copy in second.levels] == [(160, 200), (80, 100), (40, 50)]


def test_what_is_missing_is_named(data: Path) -> None:
    with pytest.raises(DatasetError, match=r"scripts/label_faces\.py makes the labels"):
        load_material(data, data / "none.npz")
    with pytest.raises(DatasetError, match="there are no scenes"):
        read_scenes(data, read_labels(data / "faces.npz"), test=False)
    (data / "scenes" / "0001.jpg").write_text("")
    with pytest.raises(DatasetError, match=r"0001\.jpg: cannot be read as an image"):
        load_material(data, data / "faces.npz")
