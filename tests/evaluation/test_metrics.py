import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from facemood.evaluation import metrics

# Three classes; rows are the truth. Worked by hand.
CONFUSION = np.array([[8, 2, 0], [1, 3, 0], [0, 0, 0]])


def test_confusion_counts_true_rows_by_predicted_columns() -> None:
    predicted, labels = np.array([0, 1, 1, 2]), np.array([0, 0, 1, 2])
    assert metrics.confusion_matrix(predicted, labels, 4).tolist() == [
        [1, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0] * 4,
    ]


def test_recall_of_an_absent_class_is_nan() -> None:
    np.testing.assert_allclose(metrics.recalls(CONFUSION), [0.8, 0.75, np.nan])


def test_macro_f1_is_the_mean_over_present_classes() -> None:
    # F1 = 2*8/(10+9) and 2*3/(4+5)
    assert metrics.macro_f1(CONFUSION) == pytest.approx((16 / 19 + 6 / 9) / 2)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    probabilities = np.array([[0.95, 0.05]] * 4 + [[0.6, 0.4]] * 4, np.float32)
    labels = np.array([0, 0, 0, 1, 0, 0, 1, 1])  # right 75% where 95% sure, 50% where 60% sure
    assert metrics.expected_calibration_error(probabilities, labels) == pytest.approx((0.2 + 0.1) / 2, abs=1e-6)


def test_reliability_has_each_image_in_the_bin_of_its_confidence() -> None:
    probabilities = np.array([[0.95, 0.05]] * 4 + [[0.6, 0.4]] * 12, np.float32)
    labels = np.array([0, 0, 0, 1] + [0, 1] * 6)
    bins = metrics.reliability(probabilities, labels)
    np.testing.assert_allclose(bins, [(0.6, 0.5, 0.75), (0.95, 0.75, 0.25)], rtol=1e-6)


def test_likelihood_and_brier_by_hand() -> None:
    probabilities = np.array([[0.5, 0.5], [0.9, 0.1]], np.float32)
    labels = np.array([0, 0])
    assert metrics.negative_log_likelihood(probabilities, labels) == pytest.approx(-(np.log(0.5) + np.log(0.9)) / 2)
    assert metrics.brier_score(probabilities, labels) == pytest.approx((0.5 + 0.02) / 2)
    assert metrics.standard_error(0.5, 100) == pytest.approx(0.05)


@given(hnp.arrays(np.float32, (20, 3), elements=st.floats(0.015625, 1, width=32)), st.integers(0, 2**32 - 1))
def test_metrics_stay_in_their_ranges(values: np.ndarray, seed: int) -> None:
    probabilities = values / values.sum(axis=1, keepdims=True)
    labels = np.random.default_rng(seed).integers(0, 3, 20)
    confusion = metrics.confusion_matrix(probabilities.argmax(axis=1), labels, 3)
    assert confusion.sum() == 20
    assert metrics.accuracy(probabilities.argmax(axis=1), labels) == pytest.approx(confusion.trace() / 20)
    assert 0 <= metrics.macro_f1(confusion) <= 1
    assert 0 <= metrics.expected_calibration_error(probabilities, labels) <= 1
    assert 0 <= metrics.brier_score(probabilities, labels) <= 2


def test_mean_recall_weights_all_classes_equally() -> None:
    assert metrics.mean_recall(np.array([[90, 10], [5, 5]])) == pytest.approx(0.7)
    assert metrics.mean_recall(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 2]])) == pytest.approx(0.875)


def test_an_interval_has_the_width_of_the_sampling_error() -> None:
    def share(confusion: np.ndarray) -> float:
        return float(confusion.trace() / confusion.sum())

    low, high = metrics.bootstrap_interval(np.array([[700, 300], [0, 0]]), share, rounds=4000)
    wide = 1.96 * metrics.standard_error(0.7, 1000)
    assert (low, high) == pytest.approx((0.7 - wide, 0.7 + wide), abs=0.004)
    assert metrics.bootstrap_interval(np.array([[7, 3], [1, 9]]), share) == metrics.bootstrap_interval(
        np.array([[7, 3], [1, 9]]), share
    )


def test_coverage_takes_the_most_confident_first() -> None:
    probabilities = np.array([[0.55, 0.45], [0.99, 0.01], [0.7, 0.3], [0.2, 0.8]], np.float32)
    curve = metrics.accuracy_at_coverage(probabilities, np.array([1, 0, 1, 1]), (1.0, 0.75, 0.5, 0.0))
    assert curve == {1.0: 0.5, 0.75: pytest.approx(2 / 3), 0.5: 1.0, 0.0: 1.0}


def test_equal_distributions_have_no_distance() -> None:
    one = np.array([[0.5, 0.5, 0], [0.2, 0.3, 0.5]], np.float32)
    assert metrics.jensen_shannon_distance(one, one) == pytest.approx(0, abs=1e-6)
    half = metrics.jensen_shannon_distance(np.array([[1, 0]], np.float32), np.array([[0.5, 0.5]], np.float32))
    assert half == pytest.approx(np.sqrt(0.3112781), abs=1e-6)
    assert metrics.jensen_shannon_distance(one, one[:, ::-1]) == metrics.jensen_shannon_distance(one[:, ::-1], one)
