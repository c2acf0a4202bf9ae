import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from facemood.errors import ModelError
from facemood.models import ModelCard
from facemood.models.operating_point import OperatingPoint
from facemood.stages.classify import (
    Predictions,
    calibrate,
    choose_head,
    choose_prior,
    predictions_of,
    probabilities_of,
    softmax,
    tune,
    with_predictions,
)
from tests.conftest import make_face

CARD = ModelCard("m", heads={"a": ("x", "y"), "b": ("z",)}, default_head="b")

logits = hnp.arrays(np.float32, (5, 4), elements=st.floats(-50, 50, width=32))


@given(logits, st.floats(0.3, 4))
def test_probabilities_sum_to_one_and_keep_their_order(values: np.ndarray, temperature: float) -> None:
    probabilities = softmax(values, temperature=temperature)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    best = np.take_along_axis(probabilities, values.argmax(axis=1)[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(best, probabilities.max(axis=1))


def test_a_higher_temperature_lowers_the_confidence() -> None:
    values = np.array([[2.0, 0.0]], np.float32)
    assert softmax(values, temperature=3)[0, 0] < softmax(values)[0, 0] < softmax(values, temperature=0.5)[0, 0]
    assert softmax(values, temperature=2)[0, 0] == pytest.approx(1 / (1 + np.exp(-1)))


def test_no_logits_give_no_probabilities() -> None:
    assert softmax(np.zeros((0, 7), np.float32)).shape == (0, 7)


def test_the_default_head_is_the_cards() -> None:
    assert choose_head(CARD, None) == "b"
    assert choose_head(CARD, "a") == "a"
    with pytest.raises(ModelError, match="has no head 'c'; it has a, b"):
        choose_head(CARD, "c")


def test_predictions_make_new_faces() -> None:
    before = make_face()
    predictions = Predictions(np.array([[0.1, 0.9]], np.float32), np.array([True]))
    (after,) = with_predictions([before], predictions, ("x", "y"))
    assert (after.emotion, before.emotion) == ("y", "happy")
    assert after.box is before.box
    assert (after.certain, before.certain) == (True, None)
    (unknown,) = with_predictions([before], Predictions(predictions.probabilities, None), ("x", "y"))
    assert unknown.certain is None


def test_removing_the_prior_of_a_known_example() -> None:
    card = dataclasses.replace(CARD, prior={"a": (0.8, 0.2)}, temperature={"a": 2.0})
    values = np.array([[2 * np.log(0.8), 2 * np.log(0.2)]], np.float32)  # equal to the prior
    np.testing.assert_allclose(calibrate(card, "a", values), [[0.8, 0.2]], atol=1e-6)
    np.testing.assert_allclose(calibrate(card, "a", values, strength=1), [[0.5, 0.5]], atol=1e-6)
    np.testing.assert_allclose(calibrate(card, "a", values, strength=0.5), [[2 / 3, 1 / 3]], atol=1e-6)


@given(logits, st.floats(0.1, 1.5))
def test_rare_labels_only_gain_from_a_balanced_prior(values: np.ndarray, strength: float) -> None:
    card = ModelCard("m", heads={"a": tuple("wxyz")}, default_head="a", prior={"a": (0.7, 0.2, 0.09, 0.01)})
    before, after = calibrate(card, "a", values), calibrate(card, "a", values, strength=strength)
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-5)
    assert (after[:, 3] >= before[:, 3] - 1e-6).all()
    assert (after[:, 0] <= before[:, 0] + 1e-6).all()


def test_an_unknown_prior_and_one_that_the_card_does_not_support_are_rejected() -> None:
    assert choose_prior(CARD, "a", "dataset") == "dataset"
    with pytest.raises(ValueError, match="one of tuned, dataset, balanced, but is 'balance'. Did you mean 'balanced'"):
        choose_prior(CARD, "a", "balance")
    with pytest.raises(ModelError, match="'m' does not say how common the labels of 'a' were"):
        choose_prior(CARD, "a", "balanced")
    balanced = dataclasses.replace(CARD, prior={"a": (0.5, 0.5)}, balance={"a": 1.0})
    assert choose_prior(balanced, "a", "balanced") == "balanced"


POINT: OperatingPoint = {"second": "two", "weight": 0.5, "strength": 0.0, "temperature": 1.0, "certain": 0.6}

POOLED = ModelCard(
    "m",
    heads={"three": ("x", "y", "z"), "two": ("y", "x")},
    default_head="three",
    prior={"three": (0.5, 0.3, 0.2), "two": (0.25, 0.75)},
    operating_point={"three": POINT},
)
"""A card with an operating point: its second head knows two of three labels, in another order."""


def test_the_operating_point_is_the_default_of_its_head_only() -> None:
    assert choose_prior(POOLED, "three", None) == choose_prior(POOLED, "three", "tuned") == "tuned"
    assert choose_prior(POOLED, "two", None) == choose_prior(CARD, "a", None) == "dataset"
    with pytest.raises(ModelError, match="no operating point for the head 'two'.*heads with one: three; use"):
        choose_prior(POOLED, "two", "tuned")


def test_the_pool_of_two_heads_is_the_mean_of_their_logarithms() -> None:
    values = {
        "three": np.log(np.array([[0.4, 0.4, 0.2]], np.float32)),
        "two": np.log(np.array([[0.9, 0.1]], np.float32)),
    }
    mixed = np.sqrt([0.4 * 0.08, 0.4 * 0.72, 0.2 * 0.2])  # the second head shares the 80% that z leaves
    np.testing.assert_allclose(probabilities_of(POOLED, "three", values, prior="tuned")[0], mixed / mixed.sum(), 1e-5)


def test_answers_equal_to_the_priors_are_even_where_the_whole_prior_is_removed() -> None:
    values = {head: np.log(np.array([shares], np.float32)) for head, shares in POOLED.prior.items()}
    np.testing.assert_allclose(tune(POOLED, "three", values, {**POINT, "strength": 1.0}), [[1 / 3] * 3], atol=1e-6)


def test_the_operating_point_has_its_own_temperature_and_threshold_of_certainty() -> None:
    values = {"three": np.array([[2, 0, 0], [9, 0, 0]], np.float32), "two": np.array([[0, 2], [0, 9]], np.float32)}
    found = predictions_of(POOLED, "three", values, prior="tuned")
    assert found.certain is not None
    assert found.certain.tolist() == (found.probabilities.max(axis=1) >= 0.6).tolist() == [True, True]
    warm = dataclasses.replace(POOLED, operating_point={"three": {**POINT, "temperature": 9.0}})
    cooled = predictions_of(warm, "three", values, prior="tuned")
    assert cooled.certain is not None
    assert cooled.certain.tolist() == [False, False]
    assert cooled.probabilities.argmax(axis=1).tolist() == [0, 0]


@given(logits, st.floats(0, 1), st.floats(0, 1.5))
def test_pools_are_probabilities_and_a_weight_of_0_is_one_head(
    values: np.ndarray, weight: float, strength: float
) -> None:
    both = {"three": values[:, :3], "two": values[:, 2:]}
    point: OperatingPoint = {**POINT, "weight": weight, "strength": strength}
    np.testing.assert_allclose(tune(POOLED, "three", both, point).sum(axis=1), 1, atol=1e-5)
    alone = calibrate(POOLED, "three", both["three"], strength=strength)
    np.testing.assert_allclose(tune(POOLED, "three", both, {**point, "weight": 0.0}), alone, atol=1e-4)
