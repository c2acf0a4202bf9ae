"""Work that a thread does behind: all of it, in order, bounded, with its errors, and ended."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.sinks.write_behind import MOST_ITEMS, MOST_PIXELS, WriteBehind


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("facemood-write")]


@given(st.lists(st.integers(0, 2 * MOST_PIXELS), max_size=40))
def test_all_work_is_done_in_order_whatever_it_weighs(weights: list[int]) -> None:
    done: list[int] = []
    behind = WriteBehind()
    for number, weight in enumerate(weights):
        behind.do(partial(done.append, number), pixels=weight)
    behind.finish()
    assert done == list(range(len(weights)))
    assert threads() == []


@pytest.mark.parametrize(("weight", "most"), [(0, MOST_ITEMS), (MOST_PIXELS // 4, 4), (MOST_PIXELS + 1, 1)])
def test_no_more_waits_than_the_bounds_allow(weight: int, most: int) -> None:
    go, given_out = threading.Event(), []
    behind = WriteBehind()

    def give() -> None:
        for number in range(most + 1):
            behind.do(go.wait, pixels=weight)
            given_out.append(number)

    giver = threading.Thread(target=give)
    giver.start()
    giver.join(0.2)
    assert giver.is_alive()
    assert given_out == list(range(most))
    go.set()
    giver.join(10)
    assert given_out == list(range(most + 1))
    behind.finish()


def test_an_error_comes_out_once_and_drops_what_came_after_it() -> None:
    done: list[int] = []
    started, go = threading.Event(), threading.Event()

    def fail() -> None:
        started.set()
        go.wait(10)
        raise ValueError("full")

    behind = WriteBehind()
    behind.do(fail)
    behind.do(lambda: done.append(1))
    assert started.wait(10)
    go.set()
    with pytest.raises(ValueError, match="full"):
        behind.finish()
    behind.finish()
    assert threads() == []


def test_what_is_discarded_is_not_done_and_what_has_begun_is_finished() -> None:
    done: list[int] = []
    started, go = threading.Event(), threading.Event()

    def first() -> None:
        started.set()
        go.wait(10)
        done.append(0)

    behind = WriteBehind()
    behind.do(first)
    behind.do(lambda: done.append(1))
    assert started.wait(10)
    threading.Timer(0.05, go.set).start()
    behind.discard()
    assert done == [0]
    assert threads() == []
