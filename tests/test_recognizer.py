import copy
import io
import math
import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from facemood import (
    DeviceError,
    EmotionRecognizer,
    Face,
    FacemoodError,
    ImageError,
    ModelError,
    OptionError,
    SourceError,
    open_recognizer,
)
from facemood.geometry import iou
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS
from facemood.models import DEFAULT_MODEL, list_models
from facemood.models.session import prepare
from facemood.schema import Image as Pixels
from facemood.sources import ImageLike, load_image
from facemood.stages.align import cut_faces, squares_of
from tests.conftest import PHOTOS


def test_a_portrait_has_one_face_with_an_expression(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    result = recognizer.analyze_image(astronaut)
    (face,) = result.faces
    assert face.emotion == "happy"
    assert face.confidence > 0.8
    assert face.labels == EXPRESSIONS
    assert float(face.probabilities.sum()) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(face.box, [181, 64, 269, 175], atol=8)
    assert result.size == (512, 512)
    assert set(result.speed) == {"detect", "landmarks", "align", "classify", "total"}
    assert result.draw().shape == (512, 512, 3)


def test_all_kinds_of_images_give_the_same_result(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    picture = Image.open(astronaut)
    data = io.BytesIO()
    picture.save(data, "PNG")
    kinds: list[ImageLike] = [str(astronaut), data.getvalue(), np.asarray(picture.convert("RGB"))[:, :, ::-1], picture]
    expected = recognizer.analyze_image(astronaut).faces[0].probabilities
    for kind in kinds:
        np.testing.assert_allclose(recognizer.analyze_image(kind).faces[0].probabilities, expected, atol=1e-6)


def test_a_result_is_drawn_on_any_kind_of_image(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    result = recognizer.analyze_image(astronaut)
    drawn = result.draw()
    for image in (astronaut, str(astronaut), Image.open(astronaut), astronaut.read_bytes()):
        assert np.array_equal(result.draw(image), drawn)
    with pytest.raises(ImageError, match="float"):
        result.draw(load_image(astronaut) / 255)  # type: ignore[arg-type]


def _pickled(value: Any) -> Any:
    """A value that was pickled and read again."""
    return pickle.loads(pickle.dumps(value))


@pytest.mark.parametrize("copied", [_pickled, copy.deepcopy])
def test_a_copy_opens_its_own_networks_and_has_the_same_settings(astronaut: Path, copied: Callable[[Any], Any]) -> None:
    first = EmotionRecognizer("nano", head="fer2013", prior="balanced", max_faces=1, threads=1)
    second = copied(first)
    assert second.info() == first.info()
    assert second.session is not first.session
    given, again = (one.analyze_image(astronaut).faces[0].probabilities for one in (first, second))
    np.testing.assert_array_equal(given, again)


@pytest.mark.parametrize("copied", [_pickled, copy.deepcopy])
def test_a_copied_session_and_what_was_opened_with_one_are_opened_anew(copied: Callable[[Any], Any]) -> None:
    ferc = open_recognizer("ferc", threads=1)
    assert type(copied(ferc)) is type(ferc)
    session = copied(ferc.session)
    assert (session.file, session.card, session.device) == (ferc.session.file, ferc.session.card, "cpu")


def test_a_pickle_goes_to_another_process(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        (face,) = pool.submit(recognizer.analyze_image, astronaut).result()
    assert face.emotion == "happy"


def test_faces_that_were_found_elsewhere_are_read_in_their_order(
    recognizer: EmotionRecognizer, astronaut: Path
) -> None:
    (face,) = recognizer.analyze_image(astronaut)
    small = face.box + np.array([20, 20, -20, -20], np.float32)
    result = recognizer.analyze_image(astronaut, boxes=[small, face.box])
    assert [one.score for one in result] == [1.0, 1.0]
    np.testing.assert_array_equal(np.stack([one.box for one in result]), np.stack([small, face.box]))
    np.testing.assert_allclose(result[1].probabilities, face.probabilities, atol=0.01)
    assert result[1].landmarks is not None
    assert result.image is not None
    assert len(recognizer.analyze_image(astronaut, boxes=[])) == 0


def test_a_box_without_a_face_is_read_as_it_is(recognizer: EmotionRecognizer) -> None:
    (face,) = recognizer.analyze_image(np.full((90, 90, 3), 128, np.uint8), boxes=[(-10, 5, 60, 80)])
    assert face.landmarks is None
    assert face.probabilities.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([1, 2, 30, 40], r"the shape is \(4,\); for one face write \[\[x1"),
        ([[1, 2, 3]], r"expected \(N, 4\) numbers"),
        ([[1, 2, 30, 40], [30, 40, 30, 50]], r"boxes\[1\] is 30, 40, 30, 50; expected .* x1 < x2"),
        ([[1, 2, math.nan, 4]], r"boxes\[0\] is 1, 2, nan, 4"),
        ([[0, 0, 1e9, 1e9]], "more than 4 times as large as the image of 512 x 512"),
        ([[600, 2, 700, 40]], r"boxes\[0\] is 600, 2, 700, 40, outside of the image of 512 x 512"),
        ("face", "got str"),
    ],
)
def test_wrong_boxes_are_refused(recognizer: EmotionRecognizer, astronaut: Path, boxes: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        recognizer.analyze_image(astronaut, boxes=boxes)


def test_boxes_in_the_format_of_fer(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    (found,) = recognizer.detect_emotions(astronaut)
    (again,) = recognizer.detect_emotions(astronaut, [found["box"]])
    assert again["box"] == found["box"]
    assert again["emotions"]["happy"] == pytest.approx(found["emotions"]["happy"], abs=0.01)


@pytest.mark.parametrize("model", list_models())
def test_the_heads_are_linear_in_the_features(model: str, astronaut: Path) -> None:
    recognizer = EmotionRecognizer(model, threads=1)
    crops = [*recognizer.crops(recognizer.analyze_image(astronaut)), np.full((60, 60, 3), 90, np.uint8)]
    features = recognizer.features(crops)
    assert features.dtype == np.float32
    found = recognizer.session.run_batch(prepare(crops, recognizer.card), more=("ferplus.weights",))
    weights = found["ferplus.weights"][: len(recognizer.card.heads["ferplus"])]
    differences = found["ferplus"][0] - found["ferplus"][1]  # the bias is the same for all faces
    np.testing.assert_allclose((features[0] - features[1]) @ weights.T, differences, atol=1e-3)
    assert recognizer.features([]).shape == (0, features.shape[1])


def test_crops_and_features_say_what_is_missing(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    (result,) = recognizer.stream(astronaut)
    with pytest.raises(OptionError, match="keep_images=True"):
        recognizer.crops(result)
    with pytest.raises(OptionError, match="expected a result, as analyze_image returns it, but got tuple"):
        recognizer.crops(recognizer.analyze_image(astronaut)[:1])  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="boxes: expected .* but got str"):
        recognizer.detect_emotions(astronaut, "left")
    with pytest.raises(ImageError, match=r"pass crop\[None\]"):
        recognizer.features(np.zeros((48, 48), np.uint8))
    with pytest.raises(ModelError, match="no output features"):
        open_recognizer("ferc", threads=1).features(np.zeros((1, 48, 48), np.uint8))


def test_crops_are_what_classify_expects(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    result = recognizer.analyze_image(astronaut)
    np.testing.assert_allclose(recognizer.classify(recognizer.crops(result))[0], result[0].probabilities, atol=1e-6)


def test_no_face_is_an_empty_result_with_a_row(recognizer: EmotionRecognizer) -> None:
    result = recognizer.analyze_image(np.full((200, 300, 3), 90, np.uint8))
    assert len(result) == 0
    assert [row["emotion"] for row in result.rows()] == [""]


def test_several_images_are_analyzed_in_order(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    analysis = recognizer.analyze(astronaut.parent, batch=1)
    assert [Path(result.source).name for result in analysis] == ["astronaut.png", "grace_hopper.jpg"]
    assert [len(result) for result in analysis] == [1, 1]
    assert analysis.info["model"] == DEFAULT_MODEL
    assert analysis.results[0].image is None


def test_a_batch_gives_the_results_of_single_images(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    blank = np.zeros((100, 100, 3), np.uint8)
    results = list(recognizer.stream([blank, astronaut, blank, astronaut], batch=4))
    assert [len(result) for result in results] == [0, 1, 0, 1]
    alone = recognizer.analyze_image(astronaut).faces[0].probabilities
    for result in (results[1], results[3]):
        np.testing.assert_allclose(result.faces[0].probabilities, alone, atol=1e-5)


def test_the_faces_of_a_batch_go_through_the_network_in_one_run(
    recognizer: EmotionRecognizer, astronaut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[int] = []
    run = recognizer.session.run

    def counted(crops: list[Pixels]) -> object:
        runs.append(len(crops))
        return run(crops)

    monkeypatch.setattr(recognizer.session, "run", counted)
    list(recognizer.stream([astronaut] * 5, batch=4))
    assert runs == [4, 1]


def test_an_unreadable_image_raises_or_is_passed_to_on_error(
    recognizer: EmotionRecognizer, astronaut: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"")
    with pytest.raises(ImageError, match="empty"):
        list(recognizer.stream([broken, astronaut]))
    failed: list[str] = []
    results = list(recognizer.stream([broken, astronaut], on_error=lambda name, error: failed.append(name)))
    assert (failed, len(results)) == ([str(broken)], 1)
    analysis = recognizer.analyze([broken, "nowhere.jpg", astronaut])
    assert [failure.source for failure in analysis.failures] == ["nowhere.jpg", str(broken)]
    assert len(analysis) == 1


def test_a_stream_is_lazy(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    done: list[int] = []
    stream = recognizer.stream([astronaut] * 6, batch=2, progress=lambda count, total: done.append(count))
    for _ in range(3):
        next(stream)
    assert done == [0, 2]


def test_a_generator_is_read_batch_by_batch(recognizer: EmotionRecognizer) -> None:
    made: list[int] = []

    def blanks() -> Iterator[Pixels]:
        for number in range(9):
            made.append(number)
            yield np.zeros((60, 60, 3), np.uint8)

    stream = recognizer.stream(blanks(), batch=3)
    next(stream)
    assert len(made) == 3
    assert len(list(stream)) == 8


def test_analyze_image_refuses_a_folder_and_a_missing_file(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    with pytest.raises(ImageError, match="use analyze or stream"):
        recognizer.analyze_image(astronaut.parent)
    with pytest.raises(SourceError, match="Did you mean 'astronaut.png'"):
        recognizer.analyze_image(astronaut.with_name("astronout.png"))


def test_detect_returns_faces_without_expressions(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    (face,) = recognizer.detect(astronaut)
    assert face.emotion == ""
    assert 0.5 < face.score <= 1
    assert face.landmarks is not None
    assert face.landmarks.shape == (68, 2)
    assert face.pose is not None
    np.testing.assert_allclose(face.pose, [0, 0, 4], atol=10)


def test_faces_of_other_detectors_get_landmarks_too(astronaut: Path) -> None:
    (face,) = EmotionRecognizer(detector="hog", threads=1).analyze_image(astronaut).faces
    (own,) = EmotionRecognizer(threads=1).analyze_image(astronaut).faces
    assert face.landmarks is not None
    assert own.landmarks is not None
    assert float(np.linalg.norm(face.landmarks - own.landmarks, axis=1).mean()) < 4
    assert face.box.tolist() != own.box.tolist()


def test_a_false_detection_has_no_landmarks(recognizer: EmotionRecognizer) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8)
    (face,) = EmotionRecognizer(detector=HalfImageDetector(), threads=1).analyze_image(noise).faces
    assert (face.landmarks, face.pose) == (None, None)
    assert face.emotion in recognizer.labels


def test_crops_are_classified_without_a_detector(recognizer: EmotionRecognizer) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    probabilities = recognizer.classify(grey)
    assert probabilities.shape == (3, 8)
    assert probabilities.dtype == np.float32
    colour = np.repeat(grey[..., None], 3, axis=3)
    np.testing.assert_allclose(recognizer.classify(colour), probabilities, atol=1e-4)
    assert recognizer.classify(np.zeros((0, 48, 48), np.uint8)).shape == (0, 8)
    with pytest.raises(ImageError, match=r"crop\[None\]"):
        recognizer.classify(grey[0])


def test_probabilities_use_the_temperature_of_the_card(recognizer: EmotionRecognizer) -> None:
    crops = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    temperature = recognizer.card.temperature["ferplus"]
    assert temperature != 1
    scaled = np.exp(recognizer.session.run(crops)["ferplus"].astype(float) / temperature)
    plain = EmotionRecognizer(recognizer.session, prior="dataset")
    np.testing.assert_allclose(plain.classify(crops), scaled / scaled.sum(axis=1, keepdims=True), rtol=1e-3)


def test_crops_use_the_framing_of_the_card(astronaut: Path) -> None:
    recognizer, image = EmotionRecognizer(threads=1), load_image(astronaut)
    face = recognizer.analyze_image(astronaut).faces[0]
    (crop,) = recognizer.pipeline.crops(image, [face])
    np.testing.assert_allclose(recognizer.classify([crop])[0], face.probabilities, atol=1e-5)
    (unframed,) = cut_faces(image, squares_of([face], {}, "finder"))
    assert unframed.shape[0] < 0.95 * crop.shape[0]


def test_more_views_are_averaged(astronaut: Path) -> None:
    recognizer = EmotionRecognizer(views=10, threads=1)
    (face,) = recognizer.analyze_image(astronaut).faces
    assert face.emotion == "happy"
    assert recognizer.info()["views"] == 10
    crop = np.random.default_rng(0).integers(0, 256, (1, 48, 48), np.uint8)
    assert np.abs(recognizer.classify(crop) - EmotionRecognizer(threads=1).classify(crop)).max() > 1e-4


def test_detect_emotions_has_the_format_of_fer(recognizer: EmotionRecognizer, astronaut: Path) -> None:
    (found,) = recognizer.detect_emotions(astronaut)
    assert max(found["emotions"], key=found["emotions"].get) == "happy"
    x, _, width, height = found["box"]
    assert abs(x - 181) < 8
    assert (width, height) == pytest.approx((88, 111), abs=8)


def test_the_other_head_has_its_own_labels(astronaut: Path) -> None:
    recognizer = EmotionRecognizer(head="fer2013")
    assert recognizer.labels == BASIC_EXPRESSIONS
    assert recognizer.analyze_image(astronaut).faces[0].emotion == "happy"
    assert next(recognizer.analyze_image(astronaut).rows())["contempt"] == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": None}, "a model is a name .* but got None"),
        ({"model": 3}, "a model is a name .* but got 3"),
        ({"detector": None}, "a detector is a name .* but got None"),
        ({"detector": len}, "a detector is a name .* but got <built-in"),
        ({"threads": 0}, "threads must be a whole number from 1 on or None, but is 0"),
        ({"threads": -1}, "threads must be"),
        ({"threads": True}, "threads must be"),
        ({"threads": 1.5}, "threads must be"),
    ],
)
def test_options_of_a_wrong_kind_speak_of_themselves(options: dict[str, Any], message: str) -> None:
    with pytest.raises(FacemoodError, match=message):
        EmotionRecognizer(**{"model": "nano", **options})


def test_unknown_models_heads_and_options_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model 'nana'.*Did you mean 'nano'"):
        EmotionRecognizer("nana")
    with pytest.raises(ModelError, match="has no head 'fer2031'.*Did you mean 'fer2013'"):
        EmotionRecognizer(head="fer2031")
    with pytest.raises(ModelError, match="'finder' is for the task 'detection', but expected 'expression'"):
        EmotionRecognizer("finder")
    with pytest.raises(ModelError, match="unknown detector 'hogg'"):
        EmotionRecognizer(detector="hogg")
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        EmotionRecognizer(device="gpu")
    with pytest.raises(ValueError, match="views must be one of 1, 2, 10"):
        EmotionRecognizer(views=5)
    with pytest.raises(ValueError, match="threshold must be a number from 0 to 1 or None, but is 2"):
        EmotionRecognizer(threshold=2)


class HalfImageDetector:
    """A custom detector: it returns the middle of every image as a face."""

    name = "middle"

    def __call__(self, image: Pixels) -> list[Face]:
        height, width = image.shape[:2]
        box = np.array([width / 4, height / 4, 3 * width / 4, 3 * height / 4], np.float32)
        return [Face(box, score=1.0)]


@pytest.fixture
def own_detector() -> EmotionRecognizer:
    return EmotionRecognizer(detector=HalfImageDetector(), max_faces=1)


def test_a_custom_detector_is_used(own_detector: EmotionRecognizer) -> None:
    result = own_detector.analyze_image(np.zeros((80, 120), np.uint8))
    np.testing.assert_allclose(result.faces[0].box, [30, 20, 90, 60])
    assert own_detector.info()["detector"] == "middle"


def test_the_model_flags_certain_predictions_and_a_balanced_prior_finds_rare_expressions_more_often() -> None:
    rng = np.random.default_rng(0)
    crops = rng.integers(0, 256, (60, 48, 48), np.uint8)
    usual, balanced = (EmotionRecognizer("nano", prior=prior) for prior in ("dataset", "balanced"))
    rare = [usual.labels.index(word) for word in ("disgust", "contempt")]
    assert balanced.classify(crops)[:, rare].sum() > usual.classify(crops)[:, rare].sum()
    assert (usual.info()["prior"], balanced.info()["prior"]) == ("dataset", "balanced")
    (face,) = usual.analyze_image(PHOTOS / "astronaut.png")
    assert face.certain is True
    assert face.to_dict()["certain"] is True
    tuned = EmotionRecognizer("nano")
    assert tuned.info()["prior"] == "tuned"
    shares = [one.classify(crops)[:, rare].sum() for one in (usual, tuned, balanced)]
    assert shares == sorted(shares)
    assert EmotionRecognizer("nano", head="fer2013").info()["prior"] == "dataset"
    with pytest.raises(ValueError, match="prior must be one of tuned, dataset, balanced, but is 'equal'"):
        EmotionRecognizer("nano", prior="equal")


def test_int8_finds_the_same_face_with_the_same_label() -> None:
    fp32, int8 = (open_recognizer(precision=name, device="cpu", threads=1) for name in ("fp32", "int8"))
    assert int8.info()["model_version"] == f"{fp32.info()['model_version']}+int8"
    for photo in ("astronaut.png", "grace_hopper.jpg"):
        first, second = (reader.analyze_image(PHOTOS / photo).faces for reader in (fp32, int8))
        assert [face.emotion for face in first] == [face.emotion for face in second]
        for one, other in zip(first, second, strict=True):
            assert iou(one.box[None], other.box[None])[0, 0] > 0.9
            assert one.emotions == pytest.approx(other.emotions, abs=0.1)
            assert one.emotions != other.emotions
