import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facemood.spacing import evenly_spaced


@given(st.integers(1, 3000), st.integers(2, 400))
def test_rows_reach_from_the_first_to_the_last_in_equal_steps(count: int, most: int) -> None:
    rows = evenly_spaced(count, most)
    assert len(rows) == min(count, most)
    assert (rows[0], rows[-1]) == (0, count - 1)
    steps = np.diff(rows)
    assert len(steps) == 0 or steps.max() - steps.min() <= 1


def test_one_row_is_the_first() -> None:
    assert evenly_spaced(100, 1).tolist() == [0]
