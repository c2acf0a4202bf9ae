import threading

import pytest
from hypothesis import given
from hypothesis import strategies as some

from facemood.sources.live import Newest


@given(some.lists(some.one_of(some.integers(0, 100), some.just("take"))))
def test_take_returns_the_newest_value_and_counts_the_others(steps: list[object]) -> None:
    newest: Newest[int] = Newest()
    last, lost = None, 0
    for step in steps:
        if step == "take":
            assert newest.take(0) == last
            last = None
        elif isinstance(step, int):
            lost += last is not None
            last = step
            newest.put(step)
    assert (newest.dropped, newest.take(0)) == (lost, last)


def test_wait_does_not_take_the_value() -> None:
    newest: Newest[str] = Newest()
    assert not newest.wait(0)
    newest.put("a")
    assert newest.wait()
    assert newest.wait()
    assert newest.take() == "a"


def test_a_value_and_the_end_wake_a_waiting_thread() -> None:
    newest: Newest[int] = Newest()
    taken: list[int | None] = []

    def take_two() -> None:
        taken.append(newest.take())
        first.set()
        taken.append(newest.take())

    first, thread = threading.Event(), threading.Thread(target=take_two)
    thread.start()
    newest.put(7)
    assert first.wait(10)
    newest.finish()
    thread.join(10)
    assert (taken, newest.finished) == ([7, None], True)


def test_an_error_is_raised_after_the_last_value_each_time() -> None:
    newest: Newest[int] = Newest()
    newest.put(1)
    newest.finish(OSError("gone"))
    newest.finish()
    assert not newest.finished
    assert newest.take() == 1
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            newest.take()
    assert newest.finished
