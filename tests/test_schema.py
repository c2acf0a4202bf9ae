import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image as Pillow

from facemood import Face, Frame
from facemood.errors import ImageError
from facemood.imaging import ORIENTATION
from facemood.labels import EXPRESSIONS
from facemood.schema import ActivationMap, FaceParts
from tests.conftest import make_face


def test_the_emotion_is_the_most_probable_label() -> None:
    face = make_face()
    assert face.emotion == "happy"
    assert face.confidence == pytest.approx(0.7)
    assert [label for label, _ in face.top(3)] == ["happy", "neutral", "surprise"]
    assert list(face.emotions) == list(EXPRESSIONS)


def test_a_face_without_a_prediction_has_no_emotion() -> None:
    face = Face(np.array([0, 0, 10, 20], np.float32), score=0.8)
    assert (face.emotion, face.confidence, face.emotions, face.top()) == ("", 0.0, {}, [])
    assert face.to_dict() == {"box": [0.0, 0.0, 10.0, 20.0], "score": 0.8}
    assert face._repr_png_() is None


def test_a_face_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_face().score = 0.1  # type: ignore[misc]


def test_a_crop_is_clipped_at_the_frame_and_grows_with_its_margin() -> None:
    image = np.arange(100 * 80 * 3, dtype=np.uint8).reshape(100, 80, 3)
    face = make_face((10, 20, 50, 70))
    np.testing.assert_array_equal(face.crop(image), image[20:70, 10:50])
    np.testing.assert_array_equal(face.crop(image, margin=0.5), image[0:95, 0:70])


def test_a_crop_of_an_array_is_a_view_and_grey_becomes_bgr() -> None:
    image, face = np.zeros((100, 80, 3), np.uint8), make_face((10, 20, 50, 70))
    face.crop(image)[:] = 9
    assert image[20:70, 10:50].min() == 9
    grey = np.arange(100 * 80, dtype=np.uint8).reshape(100, 80)
    np.testing.assert_array_equal(face.crop(grey), np.stack([grey[20:70, 10:50]] * 3, axis=2))


def test_a_pillow_image_is_cropped_upright_as_it_is_read() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 80, 3), np.uint8)
    shown = Pillow.fromarray(pixels[:, :, ::-1])
    face = make_face((10, 20, 50, 70))
    np.testing.assert_array_equal(face.crop(shown), pixels[20:70, 10:50])
    stored = shown.transpose(Pillow.Transpose.ROTATE_90)  # to the left; the tag says: turn it to the right
    stored.getexif()[ORIENTATION] = 6
    np.testing.assert_array_equal(face.crop(stored), pixels[20:70, 10:50])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (
            "photo.jpg",
            "but got a str; read a file with facemood.sources.load_image",
        ),
        (None, "but got a NoneType"),
        (np.zeros((100, 80, 3)), r"uint8 grey, but got \(100, 80, 3\) float64"),
        (np.zeros((100, 80, 4), np.uint8), r"for 4 channels use image\[..., :3\]"),
    ],
)
def test_a_crop_of_something_else_says_what_to_give(image: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        make_face().crop(image)


def test_json_has_rounded_numbers() -> None:
    known = dataclasses.replace(make_face((10.04, 20, 50, 70)), landmarks=np.array([[1.26, 2]], np.float32)).to_dict()
    assert known["box"] == [10.0, 20.0, 50.0, 70.0]
    assert known["landmarks"] == [[pytest.approx(1.3), 2.0]]
    assert known["emotion"] == "happy"
    assert known["emotions"]["contempt"] == 0.01


def test_json_has_the_angles_of_a_known_pose() -> None:
    face = dataclasses.replace(make_face(), pose=np.array([12.34, -5.06, -0.04], np.float32))
    assert face.angles == {"yaw": 12.3, "pitch": -5.1, "roll": 0.0}
    assert json.dumps(face.to_dict()["pose"]) == '{"yaw": 12.3, "pitch": -5.1, "roll": 0.0}'
    assert make_face().angles == {}
    assert "pose" not in make_face().to_dict()


def test_the_eye_aspect_ratio_needs_68_landmarks() -> None:
    points = np.zeros((68, 2), np.float32)
    points[[36, 39]], points[[37, 38]], points[[40, 41]] = [[0, 5], [10, 5]], [[3, 4], [7, 3]], [[7, 6], [3, 6]]
    points[[42, 45]] = [[20, 5], [28, 5]]
    points[[43, 44, 46, 47]] = [[22, 5], [26, 5], [26, 5], [22, 5]]
    ratios = dataclasses.replace(make_face(), landmarks=points).eye_aspect_ratio
    assert ratios == pytest.approx(((3 + 2) / 20, 0.0))
    assert dataclasses.replace(make_face(), landmarks=points[:5]).eye_aspect_ratio is None
    assert make_face().eye_aspect_ratio is None


def test_a_notebook_displays_bars() -> None:
    png = make_face()._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")


def test_the_size_of_a_frame_is_width_and_height() -> None:
    assert Frame(np.zeros((30, 50, 3), np.uint8)).size == (50, 30)


@given(hnp.arrays(np.float32, 8, elements=st.floats(0.0078125, 1, width=32)), st.integers(1, 8))
def test_top_is_sorted_and_begins_with_the_emotion(values: np.ndarray, k: int) -> None:
    face = make_face(probabilities=values / values.sum())
    top = face.top(k)
    assert len(top) == k
    shown = [round(probability, 4) for _, probability in top]  # as the table has them
    assert shown == sorted(shown, reverse=True)
    assert top[0] == (face.emotion, face.confidence)


def test_the_reported_label_is_the_display_label_if_there_is_one() -> None:
    face = make_face()
    assert face.reported == ("happy", face.confidence)
    held = dataclasses.replace(face, display_label="neutral")
    assert held.reported == ("neutral", face.emotions["neutral"])
    assert held.emotion == "happy"


def test_a_face_is_one_line() -> None:
    assert repr(make_face()) == "<Face: happy 70%, box (10, 20, 50, 70), score 0.90>"
    assert repr(dataclasses.replace(make_face(), track_id=3)).startswith("<Face 3: happy")
    assert repr(Face(np.zeros(4, np.float32), 0.5)) == "<Face: no prediction, box (0, 0, 0, 0), score 0.50>"


def test_a_moved_face_has_all_its_coordinates_moved() -> None:
    points = np.arange(136, dtype=np.float32).reshape(68, 2)
    parts = FaceParts(points[:5], points[:48].reshape(24, 2, 2), np.ones(24, np.float32))
    shown = ActivationMap(np.array([0, 0, 10, 20], np.float32), np.zeros((2, 2), np.float32), tilt=5.0)
    face = Face(np.array([1, 2, 3, 4], np.float32), 0.9, landmarks=points, parts=parts, activation_map=shown)
    moved = face.moved(lambda where: where * np.array([2, -1], np.float32))
    assert moved.box.tolist() == [2, -4, 6, -2]
    assert moved.landmarks is not None
    np.testing.assert_array_equal(moved.landmarks, points * (2, -1))
    assert moved.parts is not None
    assert moved.parts.lines[1, 1].tolist() == [2 * points[3, 0], -points[3, 1]]
    np.testing.assert_array_equal(moved.parts.vector, parts.vector)
    assert moved.activation_map is not None
    assert (moved.activation_map.box.tolist(), moved.activation_map.tilt) == ([0, -20, 20, 0], 5.0)
    assert Face(face.box, 0.9).moved(lambda where: where).landmarks is None
