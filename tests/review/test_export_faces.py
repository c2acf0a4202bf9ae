"""Labelled faces become a dataset that training takes: the right faces, under the labels that people chose."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import open_dataset
from facemood.errors import OptionError, OutputConflictError
from facemood.review import HARD_TO_TELL, LabelStore
from facemood.review.export_faces import export_faces, folder_names
from facemood.review.moment_images import read_moment
from tests.review.conftest import label_all


def test_the_crops_are_a_dataset_for_training(store: LabelStore, tmp_path: Path) -> None:
    label_all(store, "Anna", lambda place: ("happy", "neutral")[place % 2])
    first = next(iter(store.sample.moments))
    store.put("Anna", first, "sad", seen=True)  # corrected after the answer was shown
    second = list(store.sample.moments)[2]
    store.put("Anna", second, "sad", seen=True)
    found = export_faces(store, tmp_path / "faces")
    assert found.written == Counter(neutral=6, happy=4, sad=2)
    assert (found.disagreed, found.hard_to_tell, found.lost) == (0, 0, [])
    assert (tmp_path / "faces" / "sad" / f"{first}.png").is_file()
    dataset = open_dataset(f"photos:{tmp_path / 'faces'}")
    assert Counter(dataset.classes[label] for label in dataset.labels) == found.written
    assert dataset.unreadable == ()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_each_crop_shows_its_own_face(store: LabelStore, tmp_path: Path) -> None:
    """In the video, each of both people is cut out of a frame with the other one."""
    label_all(store, "Anna", lambda place: "happy")
    export_faces(store, tmp_path / "faces")
    for moment, known in store.sample.moments.items():
        crop = cv2.imread(str(tmp_path / "faces" / "happy" / f"{moment}.png"))
        path = store.file_of(moment).path
        assert crop is not None
        assert path is not None
        x1, y1, x2, y2 = np.rint(known.box).astype(int).tolist()
        face = read_moment(known, path)[max(y1, 0) : y2, max(x1, 0) : x2]
        _, _, (left, top), _ = cv2.minMaxLoc(cv2.matchTemplate(crop, face, cv2.TM_SQDIFF))
        np.testing.assert_array_equal(crop[top : top + len(face), left : left + len(face[0])], face)


def test_raters_who_disagree_are_left_out_unless_one_is_chosen(store: LabelStore, tmp_path: Path) -> None:
    words = ("happy", "neutral")
    label_all(store, "Anna", lambda place: words[place % 2])
    label_all(store, "Ben", lambda place: HARD_TO_TELL if place == 0 else "neutral")
    found = export_faces(store, tmp_path / "both")
    assert (found.disagreed, found.hard_to_tell) == (5, 0)
    assert found.written == Counter(neutral=6, happy=1)  # the moment that Ben could not tell has Anna's label
    alone = export_faces(store, tmp_path / "ben", rater="ben")
    assert (alone.written, alone.hard_to_tell) == (Counter(neutral=11), 1)


def test_a_face_that_is_not_found_again_is_left_out(store: LabelStore, tmp_path: Path) -> None:
    label_all(store, "Anna", lambda place: "happy")
    found = export_faces(store, tmp_path / "faces", detect=lambda image: [])
    assert len(found.lost) == 12
    assert not found.written


def test_nothing_is_written_over(store: LabelStore, tmp_path: Path) -> None:
    label_all(store, "Anna", lambda place: "happy")
    folder = tmp_path / "faces"
    folder.mkdir()
    (folder / "mine.png").write_bytes(b"mine")
    with pytest.raises(OutputConflictError, match="there are files already; give the name of a new folder"):
        export_faces(store, folder)
    assert [file.read_bytes() for file in folder.iterdir()] == [b"mine"]


def test_what_cannot_be_exported_is_told(store: LabelStore, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no face is labelled"):
        export_faces(store, tmp_path / "faces")
    label_all(store, "Anna", lambda place: HARD_TO_TELL)
    with pytest.raises(OptionError, match="no labels of 'Ben' are here; expected one of Anna"):
        export_faces(store, tmp_path / "faces", rater="Ben")
    with pytest.raises(OptionError, match="there are only 12 faces that everyone found hard to tell; label more faces"):
        export_faces(store, tmp_path / "faces")
    assert not (tmp_path / "faces").exists()


def test_raters_who_disagree_on_all_faces_are_told_how_to_choose_one(store: LabelStore, tmp_path: Path) -> None:
    label_all(store, "Anna", lambda place: "happy" if place else HARD_TO_TELL)
    label_all(store, "Ben", lambda place: "sad" if place else HARD_TO_TELL)
    told = "11 faces whose raters disagree and 1 face that everyone found hard to tell; .* with --rater: Anna or Ben"
    with pytest.raises(OptionError, match=told):
        export_faces(store, tmp_path / "faces")
    assert export_faces(store, tmp_path / "faces", rater="Ben").written == Counter(sad=11)


def test_an_empty_folder_that_somebody_is_in_is_filled(
    store: LabelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label_all(store, "Anna", lambda place: "happy")
    folder = tmp_path / "faces"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert export_faces(store, ".").written == Counter(happy=12)
    assert len(list(Path().glob("happy/*.png"))) == 12
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_labels_that_cannot_be_folders_are_kept_apart(store: LabelStore, tmp_path: Path) -> None:
    labels = ("a_b", "a/b", "a:b")
    other = LabelStore(tmp_path / "review", replace(store.sample, labels=labels))
    label_all(other, "Anna", lambda place: labels[place % 3])
    found = export_faces(other, tmp_path / "faces")
    assert found.written == Counter(dict.fromkeys(labels, 4))
    assert found.folders == {"a_b": "a_b", "a/b": "a_b_2", "a:b": "a_b_3"}
    for place, moment in enumerate(other.sample.moments):
        assert (tmp_path / "faces" / found.folders[labels[place % 3]] / f"{moment}.png").is_file()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["happy", "sad"], ["happy", "sad"]),
        (["a/b", "..", ".x", "yes?"], ["a_b", "__", "_x", "yes_"]),
        (["so ", "so.", "so_"], ["so__2", "so__3", "so_"]),
        (["CON", "con_", "lpt1.a"], ["CON__2", "con_", "lpt1.a_"]),
        (["Happy", "happy"], ["Happy", "happy_2"]),  # one folder on Windows and macOS
        (["x" * 300], ["x" * 60]),
    ],
)
def test_names_of_folders_are_names_on_any_system(labels: list[str], names: list[str]) -> None:
    assert folder_names(labels) == dict(zip(labels, names, strict=True))
