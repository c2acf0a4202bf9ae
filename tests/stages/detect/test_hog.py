from pathlib import Path

import numpy as np
import pytest

from facemood.sources import load_image
from facemood.stages.detect import DetectOptions, HogDetector
from scripts.detection_metrics import measure_photos, read_photos


def test_the_box_of_hog_for_a_portrait_is_correct(astronaut: Path) -> None:
    image = load_image(astronaut)
    (found,) = HogDetector()(image)
    np.testing.assert_allclose(found.box, [176, 77, 266, 167], atol=12)
    assert 0.5 < found.score < 1


def test_hog_boxes_follow_the_face(astronaut: Path) -> None:
    image = load_image(astronaut)
    (before,) = HogDetector()(image)
    canvas = np.full((700, 800, 3), 128, np.uint8)
    canvas[100:612, 200:712] = image
    after = max(HogDetector()(canvas), key=lambda found: found.score)
    np.testing.assert_allclose(after.box - before.box, [200, 100, 200, 100], atol=8)


def test_hog_is_stricter_with_a_higher_threshold(astronaut: Path) -> None:
    assert HogDetector(DetectOptions(threshold=0.99))(load_image(astronaut)) == []


def test_hog_enlarges_for_small_faces_within_a_bound() -> None:
    detector = HogDetector(DetectOptions(min_size=36))
    assert detector.scale(np.zeros((480, 640, 3), np.uint8)) == pytest.approx(2)
    for shape in ((3000, 4000, 3), (20000, 10, 3)):
        image = np.zeros(shape, np.uint8)
        assert detector.scale(image) ** 2 * shape[0] * shape[1] <= detector.MAX_PIXELS + 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (40, 1, 3)])
def test_hog_accepts_any_size(shape: tuple[int, int, int]) -> None:
    assert HogDetector()(np.zeros(shape, np.uint8)) == []


@pytest.mark.dataset
def test_hog_finds_all_annotated_faces(shared_data: Path) -> None:
    done = measure_photos(HogDetector(), read_photos(shared_data / "photos"))
    assert (done.found, done.faces, done.false) == (43, 43, 0)
