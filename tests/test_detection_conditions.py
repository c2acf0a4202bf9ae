"""The scenes of docs/detection.md's conditions, and what is counted in them."""

from __future__ import annotations

import doctest
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from facemood.geometry import box_of_points
from facemood.schema import Face, Image
from facemood.stages.orientation import turn_points
from scripts import detection_conditions as conditions
from scripts import detection_orientation as orientation
from scripts.detection_metrics import Annotated, Tally
from tests.stages.points import made_points

TILE = np.tile(np.arange(48, dtype=np.uint8) * 4, (48, 1))
POINTS = made_points(24, 24, 34)


class Everywhere:
    """A detector whose boxes follow the bright square of the scenes here."""

    name = "everywhere"

    def __call__(self, image: Image) -> list[Face]:
        rows, columns = np.nonzero(image[..., 0] > 128)
        if not len(rows) or image.shape[0] > image.shape[1]:
            return []
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return [Face(np.array(box, np.float32), 0.95)]


@pytest.mark.parametrize("module", [conditions, orientation])
def test_the_examples_are_true(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("size", [12, 24, 64])
def test_a_face_has_its_size_in_the_middle_of_the_canvas(size: float) -> None:
    scene = conditions.lay_face(TILE, POINTS, size=size)
    box = box_of_points(scene.points)
    assert np.sqrt(np.prod(box[2:] - box[:2])) == pytest.approx(size, rel=1e-3)
    np.testing.assert_allclose((scene.points.min(axis=0) + scene.points.max(axis=0)) / 2, (128, 96), atol=0.01)
    assert scene.image.shape == (192, 256)


def test_a_tilt_turns_the_eye_line() -> None:
    scene = conditions.lay_face(TILE, POINTS, angle=30)
    level = conditions.lay_face(TILE, POINTS)
    across = [one.points[42:48].mean(axis=0) - one.points[36:42].mean(axis=0) for one in (level, scene)]
    angles = [np.degrees(np.arctan2(line[1], line[0])) for line in across]
    assert angles[1] - angles[0] == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("share", [0.8, 0.4])
def test_a_share_of_the_box_stays_in_the_image(share: float, number: int) -> None:
    scene = conditions.cut(conditions.lay_face(TILE, POINTS), share, number)
    box = box_of_points(scene.points)
    inside = np.clip(box.reshape(2, 2), 0, scene.image.shape[::-1])
    assert np.prod(inside[1] - inside[0]) / np.prod(box[2:] - box[:2]) == pytest.approx(share, abs=0.02)


def test_dark_pictures_are_dark_and_noisy() -> None:
    scene = conditions.lay_face(TILE, POINTS)
    dark = conditions.darken(scene, 1 / 16, 0)
    assert dark.image.mean() == pytest.approx(scene.image.mean() / 16, abs=0.2)
    np.testing.assert_array_equal(dark.image, conditions.darken(scene, 1 / 16, 0).image)


@pytest.mark.parametrize(("what", "hidden", "seen"), [("mouth", 57, 38), ("eyes", 38, 57), ("one side", 48, 45)])
def test_a_part_of_the_face_is_covered(what: str, hidden: int, seen: int) -> None:
    scene = conditions.lay_face(np.full((48, 48), 100, np.uint8), POINTS)
    covered = conditions.cover(scene, what, 1)
    x, y = scene.points[hidden].astype(int).tolist()
    u, v = scene.points[seen].astype(int).tolist()
    assert covered.image[y, x] == 40
    assert covered.image[v, u] == pytest.approx(100, abs=1)
    assert scene.image[y, x] == pytest.approx(100, abs=1)  # the scene itself stays


def test_every_condition_makes_a_scene_with_its_face() -> None:
    names = set()
    for one in conditions.conditions():
        scene = one.make(TILE, POINTS, 1)
        assert scene.points.shape == (68, 2)
        names.add((one.group, one.name))
    assert len(names) == len(list(conditions.conditions())) > 30


def test_what_is_found_is_counted() -> None:
    image = np.zeros((100, 120), np.float32)
    points = made_points(60, 50, 40)[:68]
    x1, y1, x2, y2 = box_of_points(points).round().astype(int).tolist()
    image[y1:y2, x1:x2] = 200
    assert conditions.look(Everywhere(), conditions.Scene(image, points)) == Tally(1, 1, 0, 1, 0)
    assert conditions.look(Everywhere(), conditions.Scene(image * 0, points)) == Tally(1, 0, 0, 1, 0)
    rows = conditions.condition_rows({"tilt": {"0°": Tally(10, 9, 2, 10, 1).to_dict()}})
    assert rows == [
        {"condition": "tilt: 0°", "found": "9 of 10", "share [95%]": "90.0% [59.6%, 98.2%]", "false boxes": "2"}
    ]


def test_turned_photos_are_compared_in_their_own_coordinates(tmp_path: Path) -> None:
    """A detector that sees only wide pictures finds the face of a high one after a turn."""
    image = np.zeros((100, 120, 3), np.uint8)
    points = made_points(60, 50, 40)[None, :68]
    x1, y1, x2, y2 = box_of_points(points[0]).round().astype(int).tolist()
    image[y1:y2, x1:x2] = 200
    cv2.imwrite(str(tmp_path / "empty.png"), np.zeros((90, 60, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "alarm.png"), np.full((90, 60, 3), 255, np.uint8))
    scenes = [tmp_path / "empty.png", tmp_path / "alarm.png"]
    found = orientation.measure_orientation(Everywhere(), [Annotated("a", image, points)], scenes)
    assert {name: count["found"] for name, count in found["photos"].items()} == {"0": 1, "90": 1, "180": 1, "270": 1}
    assert {name: count["alarmed"] for name, count in found["scenes"].items()} == {"auto": 1, "0": 0}
    assert len(orientation.orientation_rows(found)) == 6
    given = orientation.lay(image, 90)
    (x, y), size = points[0, 30], given.shape[1::-1]
    u, v = turn_points(points[0, 30:31], 90, (size[0], size[1]))[0]
    assert given[int(v), int(u)].tolist() == image[int(y), int(x)].tolist()
