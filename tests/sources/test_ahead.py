"""Steps that a thread makes ahead: the same, in the same order, bounded, with the same errors, and closed."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.sources.ahead import MOST_ITEMS, MOST_PIXELS, read_ahead


def weightless(_: object) -> int:
    return 0


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "facemood-decode"]


@given(st.lists(st.integers(0, 2 * MOST_PIXELS), max_size=60))
def test_all_steps_come_in_order_whatever_they_weigh(weights: list[int]) -> None:
    assert list(read_ahead(iter(weights), lambda weight: weight)) == weights
    assert threads() == []


@pytest.mark.parametrize(("weight", "most"), [(0, MOST_ITEMS), (MOST_PIXELS // 4, 4), (MOST_PIXELS + 1, 1)])
def test_no_more_wait_than_the_bounds_allow(weight: int, most: int) -> None:
    made, reached = 0, threading.Event()

    def steps() -> Iterator[int]:
        nonlocal made
        for number in range(100):
            made = number + 1
            if made == most + 2:  # one is taken, `most` wait, and one waits for room
                reached.set()
            yield number

    ahead = read_ahead(steps(), lambda _: weight)
    assert next(ahead) == 0
    assert reached.wait(10)
    assert made == most + 2
    ahead.close()
    assert made == most + 2


def test_an_error_comes_after_the_steps_before_it() -> None:
    def steps() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("damaged")

    found: list[int] = []
    with pytest.raises(ValueError, match="damaged"):
        found.extend(read_ahead(steps(), weightless))
    assert found == [1, 2]
    assert threads() == []


def test_closing_early_closes_the_iterator_in_its_thread() -> None:
    closed = []

    def steps() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            closed.append(threading.current_thread().name)

    ahead = read_ahead(steps(), weightless)
    assert [next(ahead) for _ in range(3)] == [0, 1, 2]
    ahead.close()
    assert closed == ["facemood-decode"]
    assert threads() == []


def test_nothing_runs_before_the_first_step_is_asked_for() -> None:
    read_ahead(iter("a"), weightless).close()
    assert threads() == []
