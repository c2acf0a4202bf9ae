from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.geometry import iou
from facemood.schema import Image
from facemood.sources import load_image
from facemood.stages.detect import DetectOptions, FinderDetector
from facemood.stages.detect.finder import MAX_TILES, PADDING, TILE, WINDOW, bounded_scale, pyramid_levels, tiles
from scripts.detection_metrics import Tally, measure_empty, measure_photos, measure_tiles, read_photos

PORTRAIT = [181, 64, 269, 175]
"""Box of the astronaut's face, set by eye: a quarter above the brows, chin and cheeks."""


EMPTY_SCENES = (807, 821, 846, 881, 894, 908, 925, 938, 939, 940, 941, 942, 946, 951, 954, 957, 958, 970, 976, 985)
"""Scenes that were held out from training and show neither people nor animals."""


@pytest.fixture(scope="module")
def finder() -> FinderDetector:
    return FinderDetector(threads=1)


@pytest.fixture(scope="module")
def portrait(astronaut: Path) -> Image:
    return load_image(astronaut)


def test_the_box_of_a_portrait_is_correct(finder: FinderDetector, portrait: Image) -> None:
    (face,) = finder(portrait)
    np.testing.assert_allclose(face.box, PORTRAIT, atol=12)
    assert 0.8 < face.score <= 1
    assert face.landmarks is not None
    assert face.landmarks.shape == (68, 2)


@pytest.mark.parametrize("angle", [-40, -20, 20, 40])
def test_tilted_faces_are_found(finder: FinderDetector, portrait: Image, angle: float) -> None:
    matrix = cv2.getRotationMatrix2D((221, 125), angle, 1.0)
    (face,) = finder(np.asarray(cv2.warpAffine(portrait, matrix, (512, 512)), np.uint8))
    np.testing.assert_allclose((face.box[:2] + face.box[2:]) / 2, (221, 125), atol=20)


def test_boxes_follow_the_face(finder: FinderDetector, portrait: Image) -> None:
    (before,) = finder(portrait)
    canvas = np.full((700, 800, 3), 128, np.uint8)
    canvas[100:612, 200:712] = portrait
    (after,) = finder(canvas)
    np.testing.assert_allclose(after.box - before.box, [200, 100, 200, 100], atol=4)


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5, 6.0])
def test_faces_of_every_size_are_found(finder: FinderDetector, portrait: Image, scale: float) -> None:
    resized = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    largest = max(finder(resized), key=lambda face: face.area)
    np.testing.assert_allclose(largest.box / scale, PORTRAIT, atol=14)


def test_a_face_that_fills_the_frame_is_found(finder: FinderDetector, portrait: Image) -> None:
    (face,) = finder(np.ascontiguousarray(portrait[60:190, 165:280]))
    np.testing.assert_allclose(face.box, np.array(PORTRAIT) - [165, 60, 165, 60], atol=16)


@pytest.mark.parametrize("left", [185, 200, 215, 230, 250])
def test_a_face_partly_outside_of_the_frame_is_one_face_or_none(
    finder: FinderDetector, portrait: Image, left: int
) -> None:
    found = finder(np.ascontiguousarray(portrait[:, left:]))
    assert len(found) <= 1
    for face in found:
        assert face.box[0] < 0  # the box extends beyond the edge
        whole = (face.box + np.array([left, 0, left, 0], np.float32))[None]
        assert iou(whole, np.array([PORTRAIT], np.float32)) > 0.4
    assert found or left > 210


def test_an_upside_down_face_is_not_detected(finder: FinderDetector, portrait: Image) -> None:
    assert all(face.score < 0.9 for face in finder(np.ascontiguousarray(portrait[::-1, ::-1])))


def test_forty_faces_are_found(finder: FinderDetector, portrait: Image) -> None:
    crowd = np.tile(portrait[40:240, 120:320], (5, 8, 1))
    assert len(finder(np.ascontiguousarray(crowd))) == 40


def test_the_smallest_face_decides_the_pyramid(portrait: Image) -> None:
    small = np.asarray(cv2.resize(portrait, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), np.uint8)
    assert len(FinderDetector(DetectOptions(min_size=16), threads=1)(small)) == 1
    assert FinderDetector(DetectOptions(min_size=120), threads=1)(small) == []


def test_no_image_is_enlarged_without_bounds() -> None:
    finder = FinderDetector(DetectOptions(min_size=0.01), threads=1)
    assert finder(np.full((300, 200, 3), 90, np.uint8)) == []  # at 2,400 times it would never end


def test_a_higher_threshold_is_stricter(portrait: Image) -> None:
    assert FinderDetector(DetectOptions(threshold=1.0), threads=1)(portrait) == []


@pytest.mark.parametrize("shape", [(1, 1), (2, 300), (40, 1), (48, 48), (15, 900)])
def test_any_size_is_taken(finder: FinderDetector, shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    for face in finder(noise):
        assert 0 <= face.score <= 1
        assert np.isfinite(face.box).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 2300), st.integers(1, 2300))
def test_tiles_cover_a_level(height: int, width: int) -> None:
    level = np.ones((height, width), np.uint8)
    covered = np.zeros((height + 2 * PADDING, width + 2 * PADDING), bool)
    for tile, corner in tiles(level):
        assert tile.shape[0] % 16 == tile.shape[1] % 16 == 0
        assert max(tile.shape) <= TILE
        x, y = (corner + PADDING).astype(int).tolist()
        rows, columns = min(tile.shape[0], covered.shape[0] - y), min(tile.shape[1], covered.shape[1] - x)
        part = np.zeros_like(covered)
        part[y : y + rows, x : x + columns] = tile[:rows, :columns] == 1
        inside = np.zeros_like(covered)
        inside[PADDING:-PADDING, PADDING:-PADDING] = True
        assert not (part & ~inside).any()
        covered |= part
    assert covered[PADDING:-PADDING, PADDING:-PADDING].all()


def test_levels_halve_until_no_face_fits() -> None:
    made = list(pyramid_levels(np.zeros((400, 600), np.uint8), 0.8))
    assert [level.shape for level, _ in made] == [(320, 480), (160, 240), (80, 120), (40, 60), (20, 30)]
    np.testing.assert_allclose(made[1][1], [0.4, 0.4])
    assert max(made[-1][0].shape) < 2 * WINDOW


def test_large_images_are_searched_in_tiles(finder: FinderDetector, portrait: Image) -> None:
    canvas = np.full((2300, 3100, 3), 90, np.uint8)
    corners = [(0, 0), (900, 1100), (1750, 2550)]
    for y, x in corners:
        canvas[y : y + 512, x : x + 512] = portrait
    found = sorted(tuple(np.round(face.box[:2]).astype(int).tolist()) for face in finder(canvas))
    assert len(found) == 3
    for (x, y), (top, left) in zip(found, sorted(corners, key=lambda corner: corner[1]), strict=True):
        assert abs(x - left - PORTRAIT[0]) < 12
        assert abs(y - top - PORTRAIT[1]) < 12


@pytest.mark.dataset
def test_the_annotated_faces_are_found(finder: FinderDetector, shared_data: Path) -> None:
    done = measure_photos(finder, read_photos(shared_data / "photos"))
    assert done.faces == 43
    assert done.found >= 42
    assert done.false <= 2


@pytest.mark.dataset
def test_scenes_without_faces_cause_few_false_alarms(finder: FinderDetector, shared_data: Path) -> None:
    done = measure_empty(finder, [shared_data / "scenes" / f"{number:04}.jpg" for number in EMPTY_SCENES])
    assert done.alarmed <= 1


@pytest.mark.dataset
def test_tiles_are_found(finder: FinderDetector, shared_data: Path) -> None:
    from facemood.datasets import open_dataset

    tiles = np.asarray(open_dataset(shared_data / "fer2013").split("PublicTest").images[::36])
    done = measure_tiles(finder, tiles)
    assert isinstance(done, Tally)
    assert done.found / done.faces >= 0.97


@pytest.mark.parametrize("shape", [(1, 4_000_000), (4_000_000, 1), (13, 1_000_000)])
def test_a_very_long_image_has_a_bounded_number_of_tiles(shape: tuple[int, int]) -> None:
    scale = bounded_scale(shape, 1.0)
    assert scale < 1.0
    first, _ = next(pyramid_levels(np.full(shape, 128, np.uint8), scale))
    assert MAX_TILES / 2 < sum(1 for _ in tiles(first)) <= MAX_TILES + 1


@pytest.mark.parametrize("shape", [(480, 640), (7000, 7000), (1, 20_000), (3000, 16_000)])
def test_images_of_usual_shapes_are_searched_at_the_scale_that_is_wanted(shape: tuple[int, int]) -> None:
    assert bounded_scale(shape, 1.0) == 1.0
    assert bounded_scale(shape, 2.0) == 2.0
