import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.geometry import Floats
from facemood.tracking.least_cost import assign


def least_cost(costs: Floats, limit: float) -> float:
    """The lowest cost over all assignments, by brute force."""
    rows, columns = costs.shape
    ways = itertools.permutations([*range(columns), *[-1] * rows], rows)
    alone = np.where(costs < limit, costs, np.inf)
    return min(sum(limit if one < 0 else float(alone[row, one]) for row, one in enumerate(way)) for way in ways)


@given(st.integers(0, 4), st.integers(0, 3), st.integers(0, 10_000))
def test_no_other_assignment_is_cheaper(rows: int, columns: int, seed: int) -> None:
    costs = np.random.default_rng(seed).uniform(0, 2, (rows, columns)).astype(np.float32)
    pairs = assign(costs, 1.0)
    assert len({column for _, column in pairs}) == len({row for row, _ in pairs}) == len(pairs)
    assert all(costs[pair] < 1 for pair in pairs)
    cost = sum(float(costs[pair]) for pair in pairs) + rows - len(pairs)
    assert cost == pytest.approx(least_cost(costs, 1.0))


def test_a_hundred_faces_are_assigned() -> None:
    random = np.random.default_rng(1)
    order = random.permutation(100)
    costs = random.uniform(0.5, 2, (100, 100))
    costs[np.arange(100), order] = 0.1
    assert assign(costs.astype(np.float32), 1.5) == list(enumerate(order.tolist()))
