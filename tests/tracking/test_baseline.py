import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facemood import Face
from facemood.tracking.baseline import ExpressionBaseline, log_odds
from tests.conftest import make_face

PREDICTIONS = arrays(np.float32, 8, elements=st.floats(0.0, 1.0, width=32)).filter(
    lambda predicted: predicted.sum() > 0.1
)


def person(predicted: np.ndarray, number: int | None = 1) -> Face:
    return dataclasses.replace(
        make_face(probabilities=(predicted / predicted.sum()).astype(np.float32)), track_id=number
    )


@given(PREDICTIONS)
def test_a_prediction_equal_to_the_baseline_has_no_change(predicted: np.ndarray) -> None:
    faces = ExpressionBaseline()
    faces.add([person(predicted)], [1])
    change = faces.compare([person(predicted)], [1])[0].change
    assert change is not None
    np.testing.assert_allclose(change, 0, atol=1e-5)


@given(PREDICTIONS, PREDICTIONS)
def test_a_rise_is_positive_and_a_fall_is_negative(neutral: np.ndarray, later: np.ndarray) -> None:
    faces = ExpressionBaseline()
    faces.add([person(neutral)], [1])
    compared = faces.compare([person(later)], [1])[0]
    assert compared.change is not None
    difference = person(later).probabilities - person(neutral).probabilities
    clear = np.abs(difference) > 5e-3
    assert (np.sign(compared.change[clear]) == np.sign(difference[clear])).all()
    assert np.isfinite(compared.change).all()
    assert (compared.probabilities == person(later).probabilities).all()


def test_the_baseline_is_the_mean_of_log_odds_of_each_person() -> None:
    first, second = np.array([0.9, *[0.1 / 7] * 7], np.float32), np.array([0.3, *[0.1] * 7], np.float32)
    faces = ExpressionBaseline()
    faces.add([person(first), person(second, 2)], [1, 2])
    faces.add([person(second)], [1])
    assert faces.people == (1, 2)
    change = faces.compare([person(first)], [1])[0].change
    assert change is not None
    np.testing.assert_allclose(change, (log_odds(first) - log_odds(second)) / 2, atol=1e-5)


def test_a_person_without_a_baseline_has_no_change() -> None:
    faces = ExpressionBaseline()
    faces.add([person(np.ones(8), None)], [None])
    assert faces.people == ()
    strangers = faces.compare([person(np.ones(8), 7), person(np.ones(8), None)], [7, None])
    assert [face.change for face in strangers] == [None, None]
