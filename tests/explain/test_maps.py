import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood import EmotionRecognizer
from facemood.errors import ModelError
from facemood.explain import InputScorer
from facemood.explain.maps import contrast_maps, occluders, occlusion_map, predict_with_maps
from facemood.models import ModelSession, find_model
from facemood.models.activation import activation_maps, run_with_maps
from facemood.schema import Image


def test_maps_add_up_to_the_logits_up_to_a_bias(scorer: InputScorer, crop: Image) -> None:
    crops = [crop, crop[:, ::-1], np.zeros((48, 48), np.uint8)]
    maps, probabilities = predict_with_maps(scorer, crops)
    biases = scorer.session.run(crops)[scorer.head] - maps.mean(axis=(2, 3))
    assert maps.shape[:2] == probabilities.shape == (3, 8)
    np.testing.assert_allclose(biases, biases[:1].repeat(3, axis=0), atol=0.05)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(maps, activation_maps(scorer.session, crops, head=scorer.head))


def test_a_map_contrasts_the_label_with_its_rivals(scorer: InputScorer, crop: Image) -> None:
    maps, probabilities = predict_with_maps(scorer, [crop])
    own, _ = contrast_maps(scorer, [crop], [None])
    best = int(probabilities[0].argmax())
    rivals = np.delete(probabilities[0], best) / np.delete(probabilities[0], best).sum()
    wanted = maps[0, best] - np.tensordot(rivals, np.delete(maps[0], best, axis=0), axes=1)
    np.testing.assert_allclose(own[0], wanted, atol=1e-4)
    assert own.mean() > 0  # the face supports the predicted label
    worst, _ = contrast_maps(scorer, [crop], [int(probabilities[0].argmin())])
    assert worst.mean() < 0


def test_pooled_maps_are_the_change_of_the_log_probabilities(scorer: InputScorer, crop: Image) -> None:
    tuned = InputScorer(scorer.session, "ferplus", prior="tuned")
    maps, probabilities = predict_with_maps(tuned, [crop])
    step, found = 1e-3, run_with_maps(scorer.session, [crop], heads=tuned.heads)
    moved = {head: logits + step * values.mean(axis=(2, 3)) for head, (values, logits) in found.items()}
    change = (np.log(tuned.calibrate(moved)) - np.log(probabilities)) / step
    np.testing.assert_allclose(maps.mean(axis=(2, 3)), change, rtol=0.02, atol=0.05)


def test_a_model_without_a_feature_map_has_no_map(crop: Image) -> None:
    landmarks = ModelSession(find_model("landmarks"), device="cpu")
    with pytest.raises(ModelError, match="has no output features"):
        contrast_maps(InputScorer(landmarks, "points"), [crop], [0])


def test_occlusion_finds_the_pixels_that_matter(nano: EmotionRecognizer) -> None:
    class Corner(InputScorer):
        """Predicts the brightness of the lower right corner."""

        def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray(inputs[:, 0, 36:, 36:].mean(axis=(1, 2))[:, None] / 255, np.float32)

    whole = np.zeros((1, 48, 48), np.float32)
    whole[:, 36:, 36:] = 255
    losses, probability = occlusion_map(whole, Corner(nano.session, "ferplus"), 0)
    assert probability == 1
    assert losses[36:, 36:].min() > 0.1
    assert np.abs(losses[:24, :24]).max() == 0


@given(st.integers(8, 40), st.integers(8, 40), st.integers(1, 9), st.floats(0.05, 0.9))
def test_occluders_lie_inside_and_cover_every_pixel(height: int, width: int, steps: int, patch: float) -> None:
    covers = occluders((height, width), steps, patch)
    assert covers.shape == (steps * steps, height, width)
    assert covers.any(axis=0).all()
    assert len(set(covers.sum(axis=(1, 2)).tolist())) == 1
