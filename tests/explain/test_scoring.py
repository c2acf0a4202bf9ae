import numpy as np
import pytest

from facemood.errors import ExplanationError, ModelError
from facemood.explain import InputScorer
from facemood.explain.scoring import BATCH
from facemood.models import ModelSession, find_model
from facemood.stages.classify import calibrate, classify

CROPS = np.random.default_rng(0).integers(0, 256, (BATCH + 3, 48, 48), np.uint8)


def test_any_number_of_inputs_is_predicted_like_crops(scorer: InputScorer) -> None:
    inputs = np.stack([scorer.prepare(crop) for crop in CROPS])
    probabilities = scorer.predict(inputs)
    expected = calibrate(scorer.session.card, "ferplus", scorer.session.run(CROPS)["ferplus"])
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-4)


def test_the_column_of_a_label_is_found_and_an_unknown_label_is_rejected(scorer: InputScorer) -> None:
    assert [scorer.column(label) for label in scorer.labels] == list(range(len(scorer.labels)))
    with pytest.raises(ModelError, match="does not know the label 'hapy'.*Did you mean 'happy'"):
        scorer.column("hapy")


def test_a_balanced_prior_raises_labels_that_are_rare_in_training(scorer: InputScorer) -> None:
    balanced = InputScorer(scorer.session, "ferplus", prior="balanced")
    logits = {"ferplus": np.zeros((1, 8), np.float32)}
    plain, lifted = scorer.calibrate(logits)[0], balanced.calibrate(logits)[0]
    prior = np.array(scorer.session.card.prior["ferplus"])
    assert lifted[prior.argmin()] > plain[prior.argmin()]
    assert lifted[prior.argmax()] < plain[prior.argmax()]


def test_a_tuned_scorer_answers_as_the_recognizer_does(scorer: InputScorer) -> None:
    tuned = InputScorer(scorer.session, "ferplus", prior="tuned")
    assert (scorer.heads, tuned.heads) == (("ferplus",), ("ferplus", "fer2013"))
    expected = classify(scorer.session, CROPS[:5], head="ferplus", prior="tuned").probabilities
    inputs = np.stack([scorer.prepare(crop) for crop in CROPS[:5]])
    np.testing.assert_allclose(tuned.predict(inputs), expected, atol=1e-4)


def test_a_model_without_pixels_has_no_map() -> None:
    session = ModelSession(find_model("ferc"), device="cpu")
    with pytest.raises(ExplanationError, match="'ferc' takes 24 distances, not pixels"):
        InputScorer(session, session.card.default_head)
