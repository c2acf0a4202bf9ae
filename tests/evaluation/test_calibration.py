import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from facemood.evaluation.calibration import balance_curve, fit_balance, fit_certain, fit_temperature
from facemood.evaluation.metrics import expected_calibration_error, negative_log_likelihood
from facemood.models import ModelCard
from facemood.stages.classify import softmax


def draw(scale: float, *, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels drawn from their softmax; then the logits are scaled up, which makes them overconfident."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (count, 5)).astype(np.float32)
    below = softmax(logits).cumsum(axis=1) < rng.random((count, 1))
    labels = below.sum(axis=1).clip(max=4)
    return logits * np.float32(scale), labels


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([0.4, 0.7, 1.0, 1.5, 3.0]))
def test_the_scale_of_overconfident_logits_is_found(scale: float) -> None:
    logits, labels = draw(scale)
    assert fit_temperature(logits, labels) == pytest.approx(scale, rel=0.06)


def test_calibration_lowers_error_and_likelihood_and_changes_no_label() -> None:
    logits, labels = draw(3.0)
    plain, mended = softmax(logits), softmax(logits, temperature=fit_temperature(logits, labels))
    assert expected_calibration_error(mended, labels) < 0.05 < expected_calibration_error(plain, labels)
    assert negative_log_likelihood(mended, labels) < negative_log_likelihood(plain, labels)
    np.testing.assert_array_equal(mended.argmax(axis=1), plain.argmax(axis=1))


@given(st.integers(0, 1000), st.floats(0.3, 0.99))
@example(305, 0.875)  # the rounded confidence lets one more reading in, and that one is wrong
def test_certain_is_the_lowest_confidence_with_enough_accuracy(seed: int, right: float) -> None:
    rng = np.random.default_rng(seed)
    probabilities = softmax(rng.normal(0, 2, (60, 4)).astype(np.float32))
    labels = rng.integers(0, 4, 60)
    limit = fit_certain(probabilities, labels, right=right)
    confidence, hits = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    shares = [hits[confidence >= lower].mean() for lower in np.sort(confidence) if lower < limit]
    assert all(share < right for share in shares)
    if limit < 1:  # it is rounded down from the confidence of a reading
        rounded = [lower for lower in confidence if limit <= lower < limit + 1e-3 + 1e-6]
        assert max(hits[confidence >= lower].mean() for lower in rounded) >= right


def test_nothing_is_certain_if_nothing_is_right() -> None:
    probabilities = np.full((5, 2), 0.5, np.float32)
    assert fit_certain(probabilities, np.ones(5, np.int64)) == 1.0


def test_the_curve_begins_with_the_plain_figures_and_recall_rises_for_a_rare_label() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [900, 100])
    evidence = np.where(labels == 0, 1.0, -1.0) + rng.normal(0, 1.2, 1000)
    logits = np.stack([evidence + np.log(0.9), -evidence + np.log(0.1)], axis=1).astype(np.float32)
    card = ModelCard("m", heads={"a": ("x", "y")}, default_head="a", prior={"a": (0.9, 0.1)})
    curve = balance_curve(card, "a", logits, labels)
    probabilities = logits.argmax(axis=1)
    plain = (np.mean(probabilities[:900] == 0) + np.mean(probabilities[900:] == 1)) / 2
    assert curve[0] == pytest.approx((0.0, np.mean(probabilities == labels), plain))
    assert max(recall for _, _, recall in curve) > plain + 0.05
    chosen = fit_balance(curve)
    _, accuracy, recall = next(point for point in curve if point[0] == chosen)
    assert accuracy >= curve[0][1] - 0.05
    assert recall > plain
