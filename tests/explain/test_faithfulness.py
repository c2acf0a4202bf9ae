import doctest
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood.explain import ExplainOptions, InputScorer, explain_crop
from facemood.explain.fill import hide_parts
from facemood.explain.segmenters import masks_of
from facemood.schema import Image
from scripts import faithfulness
from scripts.faithfulness import (
    area_under,
    mean_interval,
    measure_order,
    rank_correlation,
    removed_first,
    shared_top,
    strengths,
)


def test_deletion_in_limes_order_lowers_the_probability_sooner_than_in_reverse(
    scorer: InputScorer, crop: Image
) -> None:
    pytest.importorskip("lime", reason="needs the extra explain")
    found = explain_crop(scorer, crop, ExplainOptions(samples=200))
    assert found.segments is not None
    assert found.weights is not None
    masks = masks_of(found.segments, (48, 48))
    face, order = hide_parts(scorer.prepare(crop), masks), np.argsort(-found.weights)
    best = measure_order(face, masks, order, scorer, scorer.column(found.label))
    worst = measure_order(face, masks, order[::-1], scorer, scorer.column(found.label))
    assert best.deletion < worst.deletion - 0.2
    assert best.insertion > worst.insertion + 0.2
    # deletion in one order gives the same faces as insertion in the other
    assert best.deletion == pytest.approx(worst.insertion, abs=1e-4)


@given(st.permutations(range(7)))
def test_superpixels_are_removed_one_by_one_in_their_order(order: list[int]) -> None:
    gone = removed_first(np.array(order))
    assert gone.sum(axis=1).tolist() == list(range(8))
    assert [int(np.flatnonzero(after & ~before)[0]) for before, after in itertools.pairwise(gone)] == order


def test_large_superpixels_count_for_more() -> None:
    steep = np.array([1.0, 0.0, 0.0], np.float32)
    assert area_under(steep, np.array([1.0, 9.0], np.float32)) < area_under(steep, np.array([9.0, 1.0], np.float32))
    assert area_under(np.ones(4, np.float32), np.array([1, 2, 3], np.float32)) == 1


def test_a_maps_strength_is_its_mean_over_each_superpixel() -> None:
    values, segments = np.array([[1.0, 3.0, 5.0]], np.float32), np.array([[0, 0, 1]])
    assert strengths(values, segments).tolist() == [2.0, 5.0]


@given(st.lists(st.integers(-5, 5), min_size=3, max_size=20).filter(lambda values: len(set(values)) > 1))
def test_ranks_do_not_change_with_the_scale(values: list[int]) -> None:
    one: NDArray[np.float32] = np.array(values, np.float32)
    assert rank_correlation(one, np.exp(one)) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)


def test_ranks_of_equal_values_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    one, other = np.array([[1, 2, 2, 5, 0, 2], [3, 3, 1, 9, 2, 2]], np.float32)
    assert rank_correlation(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert np.isnan(rank_correlation(np.ones(4, np.float32), other[:4]))


def test_the_top_that_two_lists_share() -> None:
    assert shared_top(np.array([5.0, 4.0, 3.0, 0.0]), np.array([0.0, 4.0, 3.0, 5.0]), k=3) == pytest.approx(2 / 3)


def test_the_interval_holds_the_mean_and_narrows_with_more_images() -> None:
    rng = np.random.default_rng(0)
    mean, low, high = mean_interval(rng.normal(2, 1, 25))
    assert low < mean < high
    _, lower, higher = mean_interval(rng.normal(2, 1, 2500))
    assert higher - lower < (high - low) / 4


def test_its_examples_run() -> None:
    found = doctest.testmod(faithfulness)
    assert (found.failed, found.attempted > 0) == (0, True)
