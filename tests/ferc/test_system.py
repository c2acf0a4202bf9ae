"""FERC as a user calls it: on photos, crops, videos and difficult images."""

import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facemood import EmotionRecognizer
from facemood.errors import ExplanationError, ImageError, ModelError
from facemood.ferc import FERC, PAIRS, PartsModel, distances, with_layers, with_parts
from facemood.ferc.parts import MAX_YAW
from facemood.results import Result
from facemood.schema import Image
from facemood.sources import load_image
from tests.videos import make_video

FIVE = ("angry", "happy", "sad", "surprise", "neutral")


@pytest.fixture(scope="module")
def ferc() -> FERC:
    return FERC(threads=1)


@pytest.fixture(scope="module")
def photo(astronaut: Path) -> Image:
    return load_image(astronaut)


def test_a_photo_gets_mask_parts_and_vector(ferc: FERC, astronaut: Path) -> None:
    (face,) = ferc.analyze_image(astronaut)
    assert face.labels == ferc.labels == FIVE
    assert face.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert face.emotion == "happy"
    assert face.parts is not None
    assert (face.parts.lines.shape, face.parts.vector.shape) == ((24, 2, 2), (24,))
    lengths = np.linalg.norm(face.parts.lines[:, 0] - face.parts.lines[:, 1], axis=1)
    np.testing.assert_allclose(lengths / lengths[0], face.parts.vector / face.parts.vector[0], rtol=1e-3)
    assert face.to_dict()["vector"] == [round(value, 4) for value in face.parts.vector.tolist()]


def test_the_vector_is_measured_between_the_parts_that_are_drawn(ferc: FERC, astronaut: Path) -> None:
    (face,) = ferc.analyze_image(astronaut)
    assert face.parts is not None
    ends = {
        end: line[place] for pair, line in zip(PAIRS, face.parts.lines, strict=True) for place, end in enumerate(pair)
    }
    order = ("LE", "RE", "LY", "RY", "CN", "LP", "RP", "CP", "CF", "LH", "RH")
    np.testing.assert_allclose(distances(np.stack([ends[part] for part in order])), face.parts.vector, rtol=1e-3)


def test_the_probabilities_are_those_of_the_vector(ferc: FERC, astronaut: Path) -> None:
    (face,) = ferc.analyze_image(astronaut)
    assert face.parts is not None
    probabilities = ferc.pipeline.strategy.classify([face.parts.vector])
    np.testing.assert_allclose(probabilities.probabilities[0], face.probabilities, atol=1e-6)


@pytest.mark.parametrize(("head", "count"), [("ferplus", 8), ("fer2013-five", 5), ("fer2013", 7)])
def test_all_heads_predict(astronaut: Path, head: str, count: int) -> None:
    (face,) = FERC(head=head).analyze_image(astronaut)
    assert len(face.labels) == len(face.probabilities) == count
    assert face.emotion == "happy"


def test_a_face_partly_outside_of_the_image_has_no_prediction(ferc: FERC, photo: Image) -> None:
    (face,) = ferc.analyze_image(photo)
    middle = round(float(face.box[[0, 2]].mean()))
    result = ferc.analyze_image(np.ascontiguousarray(photo[:, middle:]))
    for half in result:
        assert (half.labels, half.emotion, half.confidence, half.parts) == ((), "", 0.0, None)
        assert half.to_dict().keys() & {"emotion", "emotions", "vector"} == set()
    for row in result.rows():
        assert [row[name] for name in ("emotion", "confidence", *FIVE)] == [""] * 7


def test_a_face_that_is_turned_away_has_no_prediction(ferc: FERC, photo: Image) -> None:
    (face,) = ferc.detect(photo)
    assert face.pose is not None
    parts_model = PartsModel(ferc.pipeline.landmark_model)
    for share, measured in ((0.9, True), (-0.9, True), (1.1, False), (-1.1, False)):
        turned = dataclasses.replace(face, pose=np.array([share * MAX_YAW, 0, 0], np.float32))
        assert (parts_model.add_parts(photo, [turned])[0].parts is not None) is measured
    unknown = [dataclasses.replace(face, pose=None), dataclasses.replace(face, landmarks=None)]
    assert [one.parts for one in parts_model.add_parts(photo, unknown)] == [None, None]


@pytest.mark.parametrize(("hidden", "fingers"), [(slice(48, 68), 4), (slice(36, 48), 1)], ids=["mouth", "eyes"])
def test_a_covered_face_has_no_prediction(ferc: FERC, photo: Image, hidden: slice, fingers: int) -> None:
    (face,) = ferc.analyze_image(photo)
    assert face.landmarks is not None
    covered = lay_fingers(photo, face.landmarks[hidden], fingers)
    (without,) = ferc.analyze_image(covered)
    assert (without.labels, without.emotion, without.parts) == ((), "", None)
    (detected,) = ferc.detect(covered)
    unasked = dataclasses.replace(detected, action_units={})
    assert PartsModel(ferc.pipeline.landmark_model).add_parts(covered, [unasked])[0].parts is None
    assert np.isnan(ferc.classify([detected.crop(covered, margin=0.1)])).all()


def lay_fingers(photo: Image, points: NDArray[np.float32], fingers: int) -> Image:
    """Cover some landmarks of a face with fingers in the colour of its skin."""
    drawn, (middle, width) = photo.copy(), (points.mean(axis=0), float(np.ptp(points[:, 0])))
    for finger in range(fingers):
        centre = round(float(middle[0])), round(float(middle[1]) + (finger - (fingers - 1) / 2) * 0.27 * width)
        axes = round(0.9 * width), round(0.17 * width)
        for colour, thickness in (((120, 150, 200), -1), ((80, 100, 140), 1)):
            cv2.ellipse(drawn, centre, axes, 8, 0, 360, colour, thickness, cv2.LINE_AA)
    return drawn


def test_a_face_without_a_prediction_can_be_drawn_and_summarized(ferc: FERC, photo: Image) -> None:
    (face,) = ferc.detect(photo)
    without, predicted = Result("a", faces=(face,), labels=FIVE, image=photo), ferc.analyze_image(photo)
    assert without.draw(layers=("mask", "vector")).shape == photo.shape
    summary = ferc.analyze([photo, np.zeros((60, 60, 3), np.uint8)]).summary()
    assert summary["share"]["happy"] == 1
    both = dataclasses.replace(ferc.analyze([photo]), results=(without, predicted)).summary()
    assert (both["faces"], both["share"]["happy"]) == (2, 1)


def test_crops_are_classified_and_noise_is_not(ferc: FERC, recognizer: EmotionRecognizer, photo: Image) -> None:
    (face,) = recognizer.detect(photo)
    crop = face.crop(photo, margin=0.1)
    noise = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    small = np.asarray(cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA), np.uint8)
    probabilities = ferc.classify([crop, noise, small])
    assert probabilities.shape == (3, 5)
    assert np.isnan(probabilities[1]).all()
    assert [FIVE[place] for place in probabilities[[0, 2]].argmax(axis=1)] == ["happy", "happy"]
    assert ferc.classify(np.zeros((0, 48, 48), np.uint8)).shape == (0, 5)
    assert np.isnan(ferc.classify(np.full((1, 48, 48), 128, np.uint8))).all()


def test_crops_of_other_shapes_are_rejected(ferc: FERC) -> None:
    with pytest.raises(ImageError, match=r"for one crop pass crop\[None\]"):
        ferc.classify(np.zeros((48, 48), np.uint8))
    for crop in (np.zeros((48, 48, 4), np.uint8), np.zeros((48, 48), np.float32), np.zeros((0, 48), np.uint8)):
        with pytest.raises(ImageError, match="must be"):
            ferc.classify([crop])  # type: ignore[list-item]


def test_people_are_tracked_through_a_video(ferc: FERC, photo: Image, tmp_path: Path) -> None:
    small = np.asarray(cv2.resize(photo, (256, 256), interpolation=cv2.INTER_AREA), np.uint8)
    make_video(tmp_path / "clip.mp4", [*[small] * 3, np.full_like(small, 120), *[small] * 2], fps=5)
    analysis = ferc.analyze(tmp_path / "clip.mp4", baseline=(0, 0.4))
    faces = [face for result in analysis for face in result]
    assert {face.track_id for face in faces} == {1}
    assert all(face.display_label == "happy" for face in faces)
    assert analysis.info["model"] == "ferc"


def test_it_has_the_api_of_the_recognizer(ferc: FERC, astronaut: Path) -> None:
    public = {name for name, _ in inspect.getmembers(EmotionRecognizer) if not name.startswith("_")}
    assert public <= set(dir(ferc))
    (detected,) = ferc.detect_emotions(astronaut)
    assert max(detected["emotions"], key=detected["emotions"].get) == "happy"
    assert len(list(ferc.stream([astronaut]))) == 1


def test_messages_for_wrong_models_and_options_name_the_fix(ferc: FERC, astronaut: Path) -> None:
    with pytest.raises(
        ModelError, match=r"'ferc' is for the task 'vector', but expected 'expression'; use facemood.open_recognizer"
    ):
        EmotionRecognizer("ferc")
    with pytest.raises(ModelError, match="'nano' is for the task 'expression', but expected 'vector'"):
        FERC("nano")
    with pytest.raises(ValueError, match="views must be 1, but is 2"):
        FERC(views=2)
    with pytest.raises(ModelError, match="does not say how common"):
        FERC(prior="balanced")
    with pytest.raises(ExplanationError, match="24 distances, not pixels"):
        ferc.explain(astronaut)
    with pytest.raises(ExplanationError, match="24 distances, not pixels"):
        with_layers(ferc, iter([]), ("map",))


def test_layers_work_with_any_model(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    result = recognizer.analyze_image(astronaut)
    (plain,) = with_layers(recognizer, iter([result]), ("points",))
    (marked,) = with_layers(recognizer, iter([result]), ("vector",))
    assert plain is result
    assert marked.faces[0].parts is not None
    assert marked.faces[0].emotion == result.faces[0].emotion
    before, after = result.draw(), marked.draw(layers=("mask", "vector"))
    assert (before != after).any(axis=2).mean() > 0.02


def test_parts_that_ferc_could_not_measure_are_not_measured_again(ferc: FERC, astronaut: Path) -> None:
    result = ferc.analyze_image(astronaut)
    without = dataclasses.replace(result, faces=(dataclasses.replace(result.faces[0], parts=None),))
    (same,) = with_layers(ferc, iter([without]), ("mask", "vector"))
    assert same is without


def test_closing_the_layers_closes_the_source(ferc: FERC) -> None:
    closed = []

    def source() -> Iterator[Result]:
        try:
            while True:
                yield Result("a", image=np.zeros((4, 4, 3), np.uint8))
        finally:
            closed.append(True)

    marked = with_parts(PartsModel(ferc.pipeline.landmark_model), source())
    assert next(marked).faces == ()
    marked.close()  # type: ignore[attr-defined]
    assert closed == [True]
