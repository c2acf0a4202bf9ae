import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from facemood.errors import ModelError
from facemood.models import ModelCard
from facemood.stages.classify import choose_head, softmax, with_probabilities
from tests.conftest import make_face

CARD = ModelCard("m", heads={"a": ("x", "y"), "b": ("z",)}, default_head="b")

logits = hnp.arrays(np.float32, (5, 4), elements=st.floats(-50, 50, width=32))


@given(logits, st.floats(0.3, 4))
def test_probabilities_sum_to_one_and_keep_their_order(values: np.ndarray, temperature: float) -> None:
    probabilities = softmax(values, temperature=temperature)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    best = np.take_along_axis(probabilities, values.argmax(axis=1)[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(best, probabilities.max(axis=1))


def test_a_higher_temperature_is_less_sure() -> None:
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


def test_faces_are_new_values() -> None:
    before = make_face()
    (after,) = with_probabilities([before], np.array([[0.1, 0.9]], np.float32), ("x", "y"))
    assert (after.emotion, before.emotion) == ("y", "happy")
    assert after.box is before.box
