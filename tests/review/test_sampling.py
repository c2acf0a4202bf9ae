"""Samples are what they say: uniform, or weighted; they grow without changing, and the order of the rows is nothing."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.errors import OptionError
from facemood.review.moments import Moment, Origin
from facemood.review.sampling import RARE, UNCERTAIN, UNIFORM, draw, priority, weigher


def moment(number: int, label: str = "happy", confidence: float = 0.5) -> Moment:
    return Moment(f"{number}.jpg", Origin(f"{number}.jpg"), 0, None, 0, (0, 0, 9, 9), 0, label, confidence)


MOMENTS = [moment(number, "sad" if number < 2 else "happy", 0.2 if number < 10 else 0.99) for number in range(20)]
COUNTS = Counter(one.label for one in MOMENTS)
TIMES = 3000
"""Samples that are drawn; the standard error of a frequency of 0.25 is 0.008."""


def frequencies(kind: str, count: int) -> dict[str, float]:
    """How often each moment is in a sample of a kind."""
    weigh = weigher(kind, COUNTS)
    drawn = Counter(one.source for seed in range(TIMES) for one in draw(MOMENTS, count, seed=seed, weigh=weigh))
    return {one.source: drawn[one.source] / TIMES for one in MOMENTS}


def test_a_uniform_sample_gives_each_moment_the_same_chance() -> None:
    assert list(frequencies(UNIFORM, 5).values()) == pytest.approx([0.25] * 20, abs=0.032)


def test_a_sample_of_rare_labels_gives_each_label_the_same_chance() -> None:
    known = frequencies(RARE, 1)
    assert known["0.jpg"] + known["1.jpg"] == pytest.approx(0.5, abs=0.037)


def test_a_sample_of_uncertain_answers_follows_the_confidence() -> None:
    known = frequencies(UNCERTAIN, 1)
    assert sum(known[f"{number}.jpg"] for number in range(10)) == pytest.approx(0.8 / 0.81, abs=0.01)


@given(st.permutations(MOMENTS), st.integers(0, 20), st.integers(0, 2**40))
def test_it_depends_on_the_seed_and_not_on_the_order(shuffled: list[Moment], count: int, seed: int) -> None:
    weigh = weigher(UNCERTAIN, COUNTS)
    whole = draw(MOMENTS, 20, seed=seed, weigh=weigh)
    assert draw(shuffled, count, seed=seed, weigh=weigh) == whole[:count]
    assert sorted(one.source for one in whole) == sorted(one.source for one in MOMENTS)


@given(st.integers(), st.text())
def test_a_priority_is_above_or_at_zero(seed: int, identity: str) -> None:
    assert 0 <= priority(seed, identity) < 45


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(OptionError, match="unknown sample 'rares'; expected rare or uncertain. Did you mean 'rare'"):
        weigher("rares", {})
