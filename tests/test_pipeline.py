"""The pipeline: crops and their framing, batches of several scenes, and the state of each scene."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer, Face
from facemood.pipeline import Pipeline
from facemood.results import Result
from facemood.schema import Frame, Image
from facemood.sources import load_image
from facemood.stages.detect import DetectOptions, FinderDetector
from facemood.tracking import PATIENCE, Scene, VideoOptions


class OtherDetector:
    """A detector by a user, for which no card has a framing."""

    name = "other"

    def __call__(self, image: Image) -> list[Face]:
        return [Face(np.array([10, 20, 50, 60], np.float32), 0.9)]


@pytest.fixture(scope="module")
def pipeline(recognizer: EmotionRecognizer) -> Pipeline:
    return recognizer.pipeline


@pytest.fixture(scope="module")
def photo(astronaut: Path) -> Image:
    return load_image(astronaut)


def test_crops_are_the_squares_of_the_cards_framing(pipeline: Pipeline, photo: Image) -> None:
    box = np.array([100, 120, 180, 220], np.float32)
    left, top, right, bottom = pipeline.session.card.framing["finder"]
    (square,) = pipeline.squares([Face(box, 0.9)])
    side = (80 * (right - left) + 100 * (bottom - top)) / 2
    middle = np.array([100 + 80 * (left + right) / 2, 120 + 100 * (top + bottom) / 2])
    np.testing.assert_allclose(square.box, [*(middle - side / 2), *(middle + side / 2)], rtol=1e-5)
    (crop,) = pipeline.crops(photo, [Face(box, 0.9)])
    x, y = square.box[:2].round().astype(int).tolist()
    np.testing.assert_array_equal(crop, photo[y : y + round(side), x : x + round(side)])
    assert pipeline.crops(photo, []) == pipeline.squares([]) == []


def test_a_detector_without_a_framing_keeps_its_boxes(pipeline: Pipeline, photo: Image) -> None:
    other = dataclasses.replace(pipeline, detector=OtherDetector())
    faces = other.detector(photo)
    assert other.squares(faces)[0].box.tolist() == [10, 20, 50, 60]
    np.testing.assert_array_equal(other.crops(photo, faces)[0], photo[20:60, 10:50])


@pytest.mark.parametrize("tilt", [-40, 25])
def test_a_tilted_head_gives_the_crop_of_an_upright_one(recognizer: EmotionRecognizer, photo: Image, tilt: int) -> None:
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -tilt, 1.0)  # clockwise
    tilted = np.asarray(cv2.warpAffine(photo, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    (level,), (turned,) = recognizer.detect(photo), recognizer.detect(tilted)
    before, after = recognizer.pipeline.squares([level, turned])
    assert after.tilt - before.tilt == pytest.approx(tilt, abs=3)
    assert after.side == pytest.approx(before.side, rel=0.05)
    upright, again = (
        cv2.resize(recognizer.pipeline.crops(image, [face])[0], (48, 48), interpolation=cv2.INTER_AREA).astype(float)
        for image, face in ((photo, level), (tilted, turned))
    )
    assert np.corrcoef(upright.ravel(), again.ravel())[0, 1] > 0.95
    probabilities = recognizer.classify(np.stack([upright, again]).astype(np.uint8))
    assert np.abs(probabilities[0] - probabilities[1]).max() < 0.15


def test_the_network_classifies_these_crops(recognizer: EmotionRecognizer, photo: Image) -> None:
    faces = recognizer.analyze_image(photo).faces
    expected = np.stack([face.probabilities for face in faces])
    np.testing.assert_allclose(recognizer.classify(recognizer.pipeline.crops(photo, faces)), expected, atol=1e-5)


def moving(photo: Image, count: int) -> list[Frame]:
    """Frames at 10 per second in which a face moves to the right."""
    shifted = (np.ascontiguousarray(np.roll(photo, 3 * index, axis=1)) for index in range(count))
    return [Frame(image, index=index, timestamp=index / 10) for index, image in enumerate(shifted)]


def predict_alone(pipeline: Pipeline, frames: list[Frame], scene: Scene) -> list[Result]:
    return list(pipeline.read([(frame, scene) for frame in frames]))


def assert_same(results: list[Result], expected: list[Result]) -> None:
    """Assert that results agree in everything that tracking and smoothing change."""
    for one, other in zip(results, expected, strict=True):
        assert (one.index, len(one)) == (other.index, len(other))
        for first, second in zip(one, other, strict=True):
            assert (first.track_id, first.display_label) == (second.track_id, second.display_label)
            np.testing.assert_array_equal(first.box, second.box)
            np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-5)


def test_frames_of_several_scenes_go_through_one_batch(pipeline: Pipeline, photo: Image) -> None:
    """The same frames belong to a scene with smoothing, to one without, and to photos."""
    frames, options = moving(photo, 6), [VideoOptions(smooth=2.0), VideoOptions(smooth=0)]
    scenes: list[Scene] = [*(pipeline.track(one) for one in options), pipeline.photos()]
    mixed = list(pipeline.read([(frame, scene) for frame in frames for scene in scenes]))
    again: list[Scene] = [*(pipeline.track(one) for one in options), pipeline.photos()]
    for place, scene in enumerate(again):
        assert_same(mixed[place::3], predict_alone(pipeline, frames, scene))
    smoothed, plain, alone = (mixed[place].faces[0] for place in (15, 16, 17))
    assert (smoothed.track_id, plain.track_id, alone.track_id) == (1, 1, None)
    assert np.abs(smoothed.probabilities - plain.probabilities).max() > 1e-4


@pytest.mark.parametrize(("patience", "number"), [(8.0, 1), (PATIENCE, 2)])
def test_a_scene_waits_as_long_as_its_options_say(
    pipeline: Pipeline, photo: Image, patience: float, number: int
) -> None:
    scene, grey = pipeline.track(VideoOptions(patience=patience)), np.full_like(photo, 128)
    images = [photo, photo, *[grey] * 5, photo]
    frames = [Frame(image, index=index, timestamp=index / 2) for index, image in enumerate(images)]
    results = predict_alone(pipeline, frames, scene)
    assert [[face.track_id for face in result] for result in results] == [[1], [1], *[[]] * 5, [number]]


def test_a_scene_learns_baselines_or_is_given_them(pipeline: Pipeline, photo: Image) -> None:
    frames, options = moving(photo, 6), VideoOptions(baseline=(0, 0.3))
    learning = pipeline.track(options, learn=True)
    learned = predict_alone(pipeline, frames, learning)
    assert [result.faces[0].change is None for result in learned] == [True] * 3 + [False] * 3
    assert learning.baselines.people((0, 0.3)) == (1,)
    given = pipeline.track(options, baselines=learning.baselines)
    first = predict_alone(pipeline, frames, given)[0].faces[0]
    assert first.change is not None
    assert np.abs(first.change).max() < 1  # the frames of the baseline itself
    assert first.action_units["AU12"] < 0.5 < learned[0].faces[0].action_units["AU12"]  # a smile that is her baseline


@pytest.mark.parametrize(
    ("min_face", "reduction"), [(24, 1), (95, 1), (96, 2), (191, 2), (192, 4), (384, 8), (5000, 8)]
)
def test_the_smallest_face_says_by_how_much_photos_are_reduced(
    pipeline: Pipeline, min_face: float, reduction: int
) -> None:
    changed = dataclasses.replace(pipeline, options=DetectOptions(min_size=min_face))
    assert changed.photo_reduction == reduction
    assert dataclasses.replace(changed, detector=OtherDetector()).photo_reduction == 1


def test_a_reduced_frame_gives_the_faces_of_the_whole_one(pipeline: Pipeline, photo: Image) -> None:
    large = np.asarray(cv2.resize(photo, (2049, 2049), interpolation=cv2.INTER_CUBIC), np.uint8)
    small = np.asarray(cv2.resize(large, (1025, 1025), interpolation=cv2.INTER_AREA), np.uint8)
    options = DetectOptions(min_size=100)
    changed = dataclasses.replace(pipeline, options=options, detector=FinderDetector(options, threads=1))
    frames = [Frame(large), Frame(small, reduced_from=(2049, 2049))]
    whole, reduced = changed.read([(frame, changed.photos()) for frame in frames])
    assert whole.size == reduced.size == (2049, 2049)
    (face,), (same,) = whole.faces, reduced.faces
    assert face.landmarks is not None
    assert same.landmarks is not None
    np.testing.assert_allclose(same.box, face.box, atol=0.02 * face.size[0])
    np.testing.assert_allclose(same.landmarks, face.landmarks, atol=0.03 * face.size[0])
    np.testing.assert_allclose(same.probabilities, face.probabilities, atol=0.1)
    too_large = DetectOptions(min_size=2 * face.size[0])
    assert not dataclasses.replace(changed, options=too_large).find(frames[1])
