"""Valence and arousal: the published formulas, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.affect import AROUSAL_UNITS, NEGATIVE, activations_of, arousal_of, valence_of
from facemood.facs import CODES
from facemood.labels import EXPRESSIONS


def test_the_example_of_the_source() -> None:
    probabilities = {"happy": 0.8, "sad": 0.2, "angry": 0.0, "fear": 0.3, "disgust": 0.2}
    assert valence_of(probabilities) == pytest.approx(0.5)


@given(st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda values: sum(values) > 0.01))
def test_valence_is_happy_minus_the_strongest_negative_one(values: list[float]) -> None:
    probabilities = dict(zip(EXPRESSIONS, [value / sum(values) for value in values], strict=True))
    valence = valence_of(probabilities)
    assert valence is not None
    assert -1 <= valence <= 1
    assert valence == probabilities["happy"] - max(probabilities[label] for label in NEGATIVE)
    others = {**probabilities, "surprise": 0.0, "neutral": 0.0, "contempt": 0.0}
    assert valence_of(others) == valence


@pytest.mark.parametrize(
    "probabilities", [{}, {"happy": 1.0}, {"sad": 0.4, "angry": 0.6}, {"happy": 0.5, "bored": 0.5}]
)
def test_a_model_without_happy_or_without_a_negative_label_has_no_valence(probabilities: dict[str, float]) -> None:
    assert valence_of(probabilities) is None


def test_the_units_are_those_of_the_source_that_are_measured() -> None:
    source = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 18, 20, 23, 24, 25, 26, 27, 43)
    assert tuple(code for number in source if (code := f"AU{number:02}") in CODES) == AROUSAL_UNITS


def test_open_eyes_count_and_shut_ones_do_not() -> None:
    usual = activations_of({**dict.fromkeys(AROUSAL_UNITS, 0.1), "AU43": 0.6})
    opened = activations_of({**dict.fromkeys(AROUSAL_UNITS, 0.1), "AU43": 0.1})
    assert arousal_of(opened, usual) == pytest.approx(0.5 / 5)
    assert arousal_of(usual, opened) == 0.0


def test_only_rises_above_the_past_count_and_only_the_five_largest() -> None:
    usual = np.full(len(AROUSAL_UNITS), 0.5)
    now = usual.copy()
    now[:7] = 0.6, 0.7, 0.8, 0.9, 1.0, 0.55, 0.0
    assert arousal_of(now, usual) == pytest.approx((0.1 + 0.2 + 0.3 + 0.4 + 0.5) / 5)


def test_units_that_are_unknown_are_left_out() -> None:
    units = dict.fromkeys(AROUSAL_UNITS[:5], 0.4)
    usual = activations_of(dict.fromkeys(AROUSAL_UNITS, 0.1))
    assert arousal_of(activations_of(units), usual) == pytest.approx(0.3)
    assert arousal_of(activations_of(dict.fromkeys(AROUSAL_UNITS[:4], 0.4)), usual) is None
    assert arousal_of(activations_of({}), usual) is None
