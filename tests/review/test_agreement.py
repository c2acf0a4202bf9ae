"""Cohen's kappa against scikit-learn and published numbers, and its interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.review.agreement import cohen_kappa, compare, confusion

LABELS = ("happy", "sad", "neutral")

PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


def split(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [one for one, _ in pairs], [other for _, other in pairs]


def test_a_known_table() -> None:
    """20 and 15 of 50 pairs on the diagonal: p_o 0.7, p_e 0.5."""
    first, second = split([("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15)
    found = compare(first, second)
    assert (found.n, found.agreed, round(found.kappa, 12)) == (50, 0.7, 0.4)
    assert found.low < 0.4 < found.high


@settings(max_examples=25)
@given(PAIRS)
def test_it_is_the_kappa_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the extra study")
    first, second = split(pairs)
    kappa = compare(first, second, samples=1).kappa
    if len({*first, *second}) == 1:
        assert math.isnan(kappa)
    else:
        assert kappa == pytest.approx(metrics.cohen_kappa_score(first, second), abs=1e-12)
    np.testing.assert_array_equal(
        confusion(first, second, LABELS), metrics.confusion_matrix(first, second, labels=LABELS)
    )


@given(PAIRS)
def test_the_order_of_raters_and_moments_does_not_count(pairs: list[tuple[str, str]]) -> None:
    first, second = split(pairs)
    known = compare(first, second, samples=1)
    assert compare(second, first, samples=1).kappa == pytest.approx(known.kappa, abs=1e-12, nan_ok=True)
    assert compare(first[::-1], second[::-1], samples=1).kappa == pytest.approx(known.kappa, abs=1e-12, nan_ok=True)


def test_the_interval_is_that_of_scipys_bootstrap() -> None:
    stats = pytest.importorskip("scipy.stats", reason="needs the extra study")
    random = np.random.default_rng(5)
    first = random.integers(0, 3, 120)
    second = np.where(random.random(120) < 0.7, first, random.integers(0, 3, 120))

    def kappa(one: np.ndarray, other: np.ndarray) -> float:
        return float(cohen_kappa(np.bincount(3 * one + other, minlength=9).reshape(3, 3)))

    expected = stats.bootstrap(
        (first, second), kappa, paired=True, vectorized=False, method="percentile", n_resamples=2000, rng=1
    ).confidence_interval
    found = compare([*map(str, first)], [*map(str, second)])
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.02)
    assert found.unit == "input"  # without names, each moment is one of its own


def test_moments_of_a_video_are_drawn_together_where_there_are_many_videos() -> None:
    one = [("a", "a"), ("b", "b"), ("a", "b"), ("a", "a"), ("b", "b"), ("b", "a")] * 4
    alone = compare(*split(one), [f"{place}.mp4" for place in range(len(one))])
    repeated = [pair for pair in one for _ in range(10)]  # each video holds one moment ten times
    inputs = [f"{place // 10}.mp4" for place in range(len(repeated))]
    together = compare(*split(repeated), inputs)
    assert together.unit == "input"
    assert (together.low, together.high) == (alone.low, alone.high)
    apart = compare(*split(repeated), ["one.mp4"] * len(repeated))
    assert apart.unit == "moment"
    assert apart.high - apart.low < (together.high - together.low) / 2


@pytest.mark.parametrize(("inputs", "least"), [(10, 0.8), (20, 0.88)])
def test_the_interval_holds_the_true_kappa(inputs: int, least: float) -> None:
    """Two raters who differ more in some videos than in others. The second copies a share p of the labels, and chooses
    the others alone with the same frequencies: kappa is p."""
    random, words, held = np.random.default_rng(1), np.array(LABELS), 0
    names = [str(number) for number in np.repeat(np.arange(inputs), 10)]
    for _ in range(120):
        first, alone = random.choice(3, (2, inputs, 10), p=[0.5, 0.3, 0.2])
        copied = random.random((inputs, 10)) < random.beta(6.3, 2.7, inputs)[:, None]  # mean 0.7
        second = np.where(copied, first, alone)
        found = compare([*words[first.ravel()]], [*words[second.ravel()]], names, samples=500)
        assert found.unit == "input"
        held += found.low <= 0.7 <= found.high
    assert least <= held / 120 < 1


@pytest.mark.parametrize(("pairs", "agreed"), [([], math.nan), ([("a", "a")] * 30, 1.0), ([("a", "b")] * 3, 0.0)])
def test_what_is_not_known_is_nan(pairs: list[tuple[str, str]], agreed: float) -> None:
    found = compare(*split(pairs))
    assert found.agreed == pytest.approx(agreed, nan_ok=True)
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert math.isnan(found.kappa) or found.n == 3


def test_lists_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="as many labels of both raters, but got 1 and 2"):
        compare(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="as many inputs as labels, but got 2 and 1"):
        compare(["a"], ["a"], ["x.jpg", "y.jpg"])
