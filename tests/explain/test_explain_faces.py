import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from facemood import EmotionRecognizer, Explanation, Face, Result
from facemood.errors import ExplanationError, ImageError, ModelError
from facemood.explain import ExplainOptions, InputScorer, explain_crop, explain_faces, with_maps
from facemood.explain.explanation import SIDE
from facemood.flow import close_results
from facemood.render import draw_faces
from facemood.schema import Image
from facemood.strategy import CropStrategy

needs_lime = pytest.mark.skipif(
    not __import__("importlib.util").util.find_spec("lime"), reason="needs the extra explain"
)


@needs_lime
def test_a_face_is_explained_by_superpixels(nano: EmotionRecognizer, photo: Image, faces: list[Face]) -> None:
    (found,) = nano.explain(photo, segmenter="slic", parameters={"n_segments": 20}, samples=150, seed=4)
    assert found.label == nano.analyze_image(photo).faces[0].emotion == "neutral"
    assert found.probability == pytest.approx(nano.analyze_image(photo).faces[0].confidence, abs=1e-3)
    assert found.attribution.shape == found.image.shape[:2] == (SIDE, SIDE)
    assert found.segments is not None
    assert found.weights is not None
    np.testing.assert_array_equal(found.attribution, found.weights[found.segments])
    assert found.r2 is not None
    assert 0.3 < found.r2 <= 1
    assert found.box is not None
    assert (found.box[:2] < faces[0].box[2:]).all()
    assert found.settings["n_segments"] == 20
    assert found.settings["seed"] == 4


@needs_lime
def test_another_label_has_other_weights(scorer: InputScorer, crop: Image) -> None:
    options = ExplainOptions(parameters={"n_segments": 15}, samples=100)
    own, other = explain_crop(scorer, crop, options), explain_crop(scorer, crop, options, label="sad")
    assert (own.label, other.label) == ("neutral", "sad")
    assert own.weights is not None
    assert other.weights is not None
    assert np.corrcoef(own.weights, other.weights)[0, 1] < 0.5  # parts that support one label hardly support its rival


@pytest.mark.parametrize("method", ["cam", "occlusion"])
def test_quick_maps_need_no_extra(method: str, nano: EmotionRecognizer, photo: Image) -> None:
    (found,) = nano.explain(photo, method=method)
    assert found.attribution.shape == (SIDE, SIDE)
    assert found.attribution.max() > 0
    assert found.segments is None
    assert found.r2 is None
    with pytest.raises(ValueError, match=f"an explanation by '{method}' has no superpixels"):
        found.top(1)


def test_grey_tiles_are_explained_too(scorer: InputScorer) -> None:
    tile = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    found = explain_crop(scorer, tile, ExplainOptions(method="occlusion"))
    assert found.image.shape == (SIDE, SIDE, 3)


def test_an_image_without_a_face_has_no_explanation(nano: EmotionRecognizer) -> None:
    assert nano.explain(np.full((120, 160, 3), 99, np.uint8)) == []


def test_invalid_requests_are_rejected(scorer: InputScorer, crop: Image) -> None:
    with pytest.raises(ModelError, match=r"'nano' does not know the label 'hapy'; .* Did you mean 'happy'\?"):
        explain_crop(scorer, crop, label="hapy")
    with pytest.raises(ExplanationError, match=r"unknown method 'limes'; .* Did you mean 'lime'\?"):
        ExplainOptions(method="limes")
    with pytest.raises(ImageError, match="a face crop must be"):
        explain_crop(scorer, np.zeros((4, 4, 7), np.uint8))


@needs_lime
def test_a_face_of_a_single_segment_is_rejected(scorer: InputScorer) -> None:
    with pytest.raises(ExplanationError, match="made one segment of the whole face"):
        explain_crop(scorer, np.full((48, 48), 80, np.uint8), ExplainOptions(segmenter="felzenszwalb"))


def test_a_drawing_and_its_numbers_can_be_saved(nano: EmotionRecognizer, photo: Image, tmp_path: object) -> None:
    (found,) = nano.explain(photo, method="occlusion")
    assert found._repr_png_().startswith(b"\x89PNG")
    assert found.save(f"{tmp_path}/why.png").stat().st_size > 1000
    saved = found.to_dict()
    assert (saved["method"], saved["label"], saved["weights"]) == ("occlusion", "neutral", None)
    assert np.shape(saved["attribution"]) == (16, 16)


@needs_lime
def test_a_figure_shows_the_face_the_strongest_superpixels_and_all_of_them(scorer: InputScorer, crop: Image) -> None:
    found = explain_crop(scorer, crop, ExplainOptions(parameters={"n_segments": 40}, samples=80))
    drawn = found.draw()
    assert len(found.top(10)) == 10
    assert drawn.shape[1] == 12 + 6 * 232  # the face, 1, 3, 5, 10, and all
    last = drawn[40:250, 5 * 232 + 12 : 6 * 232].astype(int)
    assert (last[..., 1] - last[..., 2]).max() > 40  # green
    assert (last[..., 2] - last[..., 1]).max() > 40  # red


def test_the_top_superpixels_all_support_the_label() -> None:
    weights, segments = np.array([0.2, -0.5, 0.1], np.float32), np.array([[0, 1, 2]])
    why = Explanation(
        "lime", "sad", 0.5, np.zeros((1, 3, 3), np.uint8), weights[segments], segments=segments, weights=weights
    )
    assert why.top(5) == [0, 2]
    assert why.mask(5).tolist() == [[True, False, True]]


def test_results_get_maps_for_drawing(nano: EmotionRecognizer, photo: Image) -> None:
    result = nano.analyze_image(photo)
    (mapped,) = with_maps(nano.pipeline, [result])
    activation_map = mapped.faces[0].activation_map
    assert activation_map is not None
    assert np.abs(activation_map.values).max() == pytest.approx(1)
    drawn, plain = draw_faces(photo, mapped.faces, layers=["map"]), draw_faces(photo, result.faces)
    turn, middle = np.radians(activation_map.tilt), (activation_map.box[:2] + activation_map.box[2:]) / 2
    reach = (activation_map.box[2] - activation_map.box[0]) / 2 * (abs(np.cos(turn)) + abs(np.sin(turn)))
    (x1, y1), (x2, y2) = (np.rint(middle + side).astype(int).clip(0).tolist() for side in (-reach, reach))
    assert (drawn != plain)[y1:y2, x1:x2].mean() > 0.5
    outside = np.ones(photo.shape[:2], bool)
    outside[y1:y2, x1:x2] = False
    assert (drawn[outside] == plain[outside]).all()
    told, known = mapped.to_dict(), result.to_dict()
    assert told["faces"][0].pop("map") == activation_map.to_dict()
    assert told == known  # nothing else changes


def test_results_without_image_or_face_stay_as_they_are(nano: EmotionRecognizer) -> None:
    empty = Result("photo.jpg", size=(4, 4), labels=nano.labels)
    assert list(with_maps(nano.pipeline, [empty])) == [empty]


def test_closing_the_maps_closes_the_camera(nano: EmotionRecognizer) -> None:
    closed = []

    def camera() -> Iterator[Result]:
        try:
            while True:
                yield Result("camera:0")
        finally:
            closed.append(True)

    results = with_maps(nano.pipeline, camera())
    next(results)
    close_results(results)
    assert closed == [True]


def test_a_model_without_a_feature_map_is_rejected_before_the_first_result(nano: EmotionRecognizer) -> None:
    strategy = CropStrategy(nano.pipeline.landmark_model.session, "points", 1, "dataset")
    landmarks = dataclasses.replace(nano.pipeline, strategy=strategy)
    with pytest.raises(ModelError, match="has no output features"):
        with_maps(landmarks, [])


def test_given_faces_are_not_detected_again(nano: EmotionRecognizer, photo: Image, faces: list[Face]) -> None:
    assert explain_faces(nano.pipeline, photo, []) == []
    (one,) = explain_faces(nano.pipeline, photo, faces, ExplainOptions(method="cam"), label="happy")
    assert one.label == "happy"
    assert one.attribution.mean() < 0
