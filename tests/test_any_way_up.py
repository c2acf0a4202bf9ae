"""Photos and videos that are not upright, through the whole pipeline."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from facemood import EmotionRecognizer, Face
from facemood.geometry import box_of_points
from facemood.results import Result
from facemood.schema import Frame, Image
from facemood.sources import load_image
from facemood.stages.detect import DetectOptions
from facemood.stages.orientation import QUARTERS, turn_points
from facemood.tracking import PhotoScene
from facemood.video_orientation import decide_orientation
from tests.conftest import PHOTOS
from tests.stages.points import made_points
from tests.videos import make_video

SIDEWAYS = (90, 180, 270)
"""How far the pictures here must be turned clockwise."""


def lay(image: Image, degrees: int) -> Image:
    """Turn an upright image so that it must be turned by some degrees clockwise to be upright again."""
    code = QUARTERS[-degrees % 360]
    return image if code is None else np.asarray(cv2.rotate(image, code), np.uint8)


@pytest.fixture(scope="module", params=["astronaut.png", "grace_hopper.jpg"])
def portrait(request: pytest.FixtureRequest) -> Image:
    return load_image(PHOTOS / request.param)


@pytest.mark.parametrize("degrees", SIDEWAYS)
def test_a_photo_is_read_the_same_any_way_up(recognizer: EmotionRecognizer, portrait: Image, degrees: int) -> None:
    upright, given = recognizer.analyze_image(portrait), lay(portrait, degrees)
    result = recognizer.analyze_image(given)
    assert (upright.orientation, result.orientation) == (0, degrees)
    assert result.size == given.shape[1::-1]
    assert result.image is not None
    np.testing.assert_array_equal(result.image, given)
    assert len(result) == len(upright) > 0
    for face, same in zip(result, upright, strict=True):
        assert_turned(face, same, degrees, given)


def assert_turned(face: Face, upright: Face, degrees: int, given: Image) -> None:
    """Assert that a face is that of the upright photo, in the coordinates of the given one."""
    assert face.landmarks is not None
    assert upright.landmarks is not None
    np.testing.assert_allclose(face.landmarks, turn_points(upright.landmarks, degrees, given.shape[1::-1]), atol=1e-3)
    np.testing.assert_array_equal(face.probabilities, upright.probabilities)
    assert face.action_units == upright.action_units
    assert (face.landmarks.mean(axis=0) > face.box[:2]).all()
    assert (face.landmarks.mean(axis=0) < face.box[2:]).all()
    assert face.pose is not None
    assert upright.pose is not None
    turn = (float(face.pose[2]) - float(upright.pose[2]) + degrees) % 360
    assert min(turn, 360 - turn) < 1e-3


def test_boxes_and_points_are_drawn_where_the_face_is(recognizer: EmotionRecognizer, portrait: Image) -> None:
    given = lay(portrait, 90)
    result = recognizer.analyze_image(given)
    changed = (result.draw(layers=["points", "pose"]) != given).any(axis=2)
    x1, y1, x2, y2 = result.faces[0].box.round().astype(int).tolist()
    inside = np.zeros(changed.shape, bool)
    inside[max(0, y1) : y2, max(0, x1) : x2] = True
    assert changed[inside].mean() > 0.03


@pytest.mark.parametrize("degrees", [0, *SIDEWAYS])
def test_a_told_orientation_is_the_only_one_that_is_tried(portrait: Image, degrees: int) -> None:
    told = EmotionRecognizer(orientation=degrees, threads=1)
    assert told.info()["orientation"] == degrees
    assert len(told.analyze_image(lay(portrait, degrees))) > 0
    assert len(told.detect(lay(portrait, degrees))) > 0
    assert told.analyze_image(lay(portrait, (degrees + 180) % 360)).faces == ()


def test_exif_comes_first(recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path) -> None:
    """A photo whose EXIF data turn it upside down is turned back; one whose EXIF data are right is left alone."""
    picture = Pillow.open(astronaut)
    exif = picture.getexif()
    exif[0x0112] = 3  # turn by 180 degrees to see it upright
    picture.save(tmp_path / "wrong.png", exif=exif)
    picture.rotate(180).save(tmp_path / "right.png", exif=exif)
    assert recognizer.analyze_image(tmp_path / "wrong.png").orientation == 180
    assert recognizer.analyze_image(tmp_path / "right.png").orientation == 0
    assert len(recognizer.analyze_image(tmp_path / "right.png")) == 1


def test_pictures_without_a_face_stay_as_they_are(recognizer: EmotionRecognizer) -> None:
    random = np.random.default_rng(0)
    noise = cv2.GaussianBlur(random.integers(0, 256, (240, 320, 3)).astype(np.uint8), (0, 0), 3)
    for image in (np.full((240, 320, 3), 128, np.uint8), np.asarray(noise, np.uint8)):
        result = recognizer.analyze_image(image)
        assert (len(result), result.orientation) == (0, 0)


class UnsureDetector:
    """Finds a face in every picture that is higher than wide, with a given score."""

    name = "unsure"

    def __init__(self, score: float) -> None:
        self.score = score

    def __call__(self, image: Image) -> list[Face]:
        height, width = image.shape[:2]
        return [Face(np.array([0, 0, width, height / 2], np.float32), self.score)] if height > width else []


@pytest.mark.parametrize(("score", "orientation"), [(0.6, 0), (0.95, 90)])
def test_a_turned_picture_needs_a_sure_face(score: float, orientation: int) -> None:
    recognizer = EmotionRecognizer("nano", detector=UnsureDetector(score), threads=1)
    result = recognizer.analyze_image(np.zeros((60, 90, 3), np.uint8))
    assert (result.orientation, len(result)) == (orientation, orientation // 90)
    assert len(recognizer.analyze_image(np.zeros((90, 60, 3), np.uint8))) == 1  # as it is, any face counts


class SidewaysDetector:
    """Finds a lying face in every picture, and in a picture that is higher than wide some upright ones as well."""

    name = "sideways"

    def __init__(self, upright: int) -> None:
        self.upright = upright

    def __call__(self, image: Image) -> list[Face]:
        points = made_points(30, 30, 30)[:68]
        lying = Face(box_of_points(points), 0.95, landmarks=turn_points(points, 90, (60, 60)))
        upright = Face(box_of_points(points), 0.95, landmarks=points)
        return [upright] * self.upright if image.shape[0] > image.shape[1] else [lying]


@pytest.mark.parametrize(("upright", "orientation"), [(0, 0), (1, 90), (3, 90)])
def test_a_picture_whose_faces_all_lie_is_tried_too(upright: int, orientation: int) -> None:
    scene = PhotoScene(SidewaysDetector(upright), DetectOptions())
    view = scene.find(Frame(np.zeros((60, 90, 3), np.uint8)))
    assert (view.orientation, len(view.faces)) == (orientation, max(1, upright))
    given = scene.find(Frame(np.zeros((90, 60, 3), np.uint8)))
    assert (given.orientation, len(given.faces)) == (0, upright)


def test_a_batch_of_photos_may_lie_in_several_ways(
    recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path
) -> None:
    for degrees in (0, *SIDEWAYS):
        cv2.imwrite(str(tmp_path / f"{degrees:03}.png"), lay(load_image(astronaut), degrees))
    analysis = recognizer.analyze(tmp_path)
    assert [result.orientation for result in analysis] == [0, *SIDEWAYS]
    assert [row["emotion"] for row, _ in zip(analysis.rows(), range(4), strict=True)] == ["happy"] * 4
    assert analysis.info["orientation"] == "auto"


def small(image: Image) -> Image:
    """The image at a quarter of its pixels, for videos."""
    return np.asarray(cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("degrees", [0, 90, 180])
def test_a_video_is_decided_by_its_first_seconds(
    recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path, degrees: int
) -> None:
    """It begins without a face, and all frames are turned alike: one person, followed."""
    photo = small(load_image(astronaut))
    frames = [np.full_like(photo, 128)] * 4 + [photo] * 16
    file = make_video(tmp_path / "a.mp4", [lay(frame, degrees) for frame in frames], fps=10)
    analysis = recognizer.analyze(file)
    assert {result.orientation for result in analysis} == {degrees}
    assert [len(result) for result in analysis] == [0] * 4 + [1] * 16
    assert {face.track_id for result in analysis for face in result} == {1}
    box = analysis.results[-1].faces[0].box
    expected = recognizer.analyze_image(lay(photo, degrees)).faces[0].box
    assert np.abs(box - expected).max() < 6


def test_a_videos_metadata_come_first(recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path) -> None:
    photo = small(load_image(astronaut))
    file = make_video(tmp_path / "a.mp4", [lay(photo, 90)] * 8, fps=10, rotation=90)
    assert {(result.orientation, len(result)) for result in recognizer.analyze(file)} == {(0, 1)}


def test_a_told_orientation_holds_for_videos(astronaut: Path, tmp_path: Path) -> None:
    photo = small(load_image(astronaut))
    file = make_video(tmp_path / "a.mp4", [lay(photo, 180)] * 8, fps=10)
    told, wrong = (EmotionRecognizer("nano", orientation=degrees, threads=1) for degrees in (180, 0))
    assert {(result.orientation, len(result)) for result in told.analyze(file)} == {(180, 1)}
    assert {(result.orientation, len(result)) for result in wrong.analyze(file)} == {(0, 0)}


def test_live_frames_are_not_turned_unless_told(recognizer: EmotionRecognizer, portrait: Image) -> None:
    assert recognizer.pipeline.track().orientation == 0
    assert EmotionRecognizer("nano", orientation=90, threads=1).pipeline.track().orientation == 90


def votes(*orientations: int | None) -> list[Result]:
    """Results of frames that are turned by some degrees; None for a frame without a face."""
    face = Face(np.array([0, 0, 9, 9], np.float32), score=0.9)
    return [
        Result("a.mp4", faces=() if turned is None else (face,), orientation=turned or 0) for turned in orientations
    ]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], 0),
        ([None, None], 0),
        ([90], 90),
        ([None, 90], 0),
        ([90, 90, None], 90),
        ([90, 0, 90], 90),
        ([90, 0], 0),
        ([90, 0, 90, 0], 0),
        ([270, 180, 270, 0], 270),
        ([None, 0, 90, 90, 90], 0),
    ],
)
def test_a_video_is_turned_if_most_frames_say_so(frames: list[int | None], expected: int) -> None:
    assert decide_orientation(votes(*frames)) == expected


def test_an_upright_video_is_not_read_on() -> None:
    results = iter(votes(None, 0, 90))
    assert decide_orientation(results) == 0
    assert len(list(results)) == 1


def test_a_scene_of_photos_keeps_what_users_ask_for(recognizer: EmotionRecognizer) -> None:
    scene = recognizer.pipeline.photos()
    assert isinstance(scene, PhotoScene)
    assert scene.orientation == "auto"


def test_a_picture_narrower_than_a_face_is_not_tried_turned() -> None:
    looks: list[tuple[int, ...]] = []

    class Counting:
        name = "counting"

        def __call__(self, image: Image) -> list[Face]:
            looks.append(image.shape[:2])
            return []

    for height in (23, 24):
        image = np.zeros((height, 90, 3), np.uint8)
        PhotoScene(Counting(), DetectOptions(min_size=24)).find(Frame(image))
    assert looks[0] == (23, 90)
    assert sorted(looks[1:]) == [(24, 90), (24, 90), (90, 24), (90, 24)]
