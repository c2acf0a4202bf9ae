"""The page on tracking says what the script measured, of the networks that are shipped."""

import json
from types import ModuleType

import numpy as np
import pytest

from facemood.schema import Face
from tests.conftest import ROOT, load_script
from tests.moving_faces import Sighting

CROSSINGS = ("two people cross", "two who look alike cross", "two people cross, 15 frames a second")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_tracking")


def seen_at(person: int, x: float, visible: float = 1.0) -> Sighting:
    """A person of 40 pixels at a place."""
    return Sighting(person, np.array([x, 0, x + 40, 48], np.float32), visible)


def face_at(number: int, x: float) -> Face:
    """A face of 40 pixels at a place."""
    return Face(np.array([x, 0, x + 40, 48], np.float32), 0.9, track_id=number)


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "tracking.json").read_text())
    page = (ROOT / "docs" / "tracking.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_tracking.py --page"
    assert "{{" not in page


def test_the_figures_are_of_the_shipped_networks(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "tracking.json").read_text())
    for name in ("finder", "landmarks"):
        assert known["with"][name] == script.digest(name)


def test_numbers_change_at_most_once_in_ten_crossings() -> None:
    known = json.loads((ROOT / "docs" / "tracking.json").read_text())
    for name in CROSSINGS:
        found = known["videos"][name]
        assert 10 * (found["taken"] + found["new"]) <= found["videos"]
    assert {clip["numbers"] for clip in known["clips"].values()} == {1}


def test_changes_of_numbers_are_counted(script: ModuleType) -> None:
    count = script.Count()
    count.begin()
    count.add([seen_at(0, 0), seen_at(1, 200)], [face_at(1, 2), face_at(2, 199)])
    count.add([seen_at(0, 0), seen_at(1, 200, 0.2)], [face_at(1, 2), face_at(7, 400)])
    assert (count.faces, count.found, count.false, count.taken, count.new) == (3, 3, 1, 0, 0)
    assert not count.shared
    count.add([seen_at(0, 0), seen_at(1, 200)], [face_at(2, 2)])
    assert (count.faces, count.found, count.taken, count.new) == (5, 4, 1, 0)
    assert count.shared
    count.add([seen_at(0, 0), seen_at(1, 200)], [face_at(2, 2), face_at(3, 200)])
    assert (count.taken, count.new) == (1, 1)
    count.begin()
    count.add([seen_at(0, 0)], [face_at(9, 0)])
    assert (count.videos, count.taken, count.new) == (2, 1, 1)


def test_who_shows_most_chooses_first(script: ModuleType) -> None:
    front, behind, faces = seen_at(0, 0), seen_at(1, 8, 0.6), [face_at(1, 3), face_at(2, 300)]
    assert {person: face.track_id for person, face in script.match([behind, front], faces).items()} == {0: 1}
