import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.evaluation.calibration import fit_temperature
from facemood.evaluation.metrics import expected_calibration_error, negative_log_likelihood
from facemood.stages.classify import softmax


def draw(scale: float, *, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from their softmax; then the logits are blown up, which makes them too sure."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (count, 5)).astype(np.float32)
    below = softmax(logits).cumsum(axis=1) < rng.random((count, 1))
    labels = below.sum(axis=1).clip(max=4)
    return logits * np.float32(scale), labels


@settings(max_examples=8, deadline=None)
@given(st.sampled_from([0.4, 0.7, 1.0, 1.5, 3.0]))
def test_the_factor_that_spoiled_the_logits_is_found(scale: float) -> None:
    logits, labels = draw(scale)
    assert fit_temperature(logits, labels) == pytest.approx(scale, rel=0.06)


def test_calibration_lowers_error_and_likelihood_and_changes_no_label() -> None:
    logits, labels = draw(3.0)
    plain, mended = softmax(logits), softmax(logits, temperature=fit_temperature(logits, labels))
    assert expected_calibration_error(mended, labels) < 0.05 < expected_calibration_error(plain, labels)
    assert negative_log_likelihood(mended, labels) < negative_log_likelihood(plain, labels)
    np.testing.assert_array_equal(mended.argmax(axis=1), plain.argmax(axis=1))
