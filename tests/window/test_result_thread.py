import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as some

from facemood import Result, SourceError
from facemood.window import Rate, ResultThread


@given(gaps=some.lists(some.floats(0.01, 0.5), min_size=1, max_size=60))
def test_the_rate_covers_the_last_second(gaps: list[float]) -> None:
    rate, moment, moments = Rate(), 0.0, [0.0]
    rate.tick(0.0)
    for gap in gaps:
        moment += gap
        moments.append(moment)
        rate.tick(moment)
    recent = [past for past in moments if past >= moment - 1]
    assert rate.at(moment) == pytest.approx((len(recent) - 1) / (recent[-1] - recent[0]))
    assert rate.at(moment + 1.01) == 0


def test_each_function_gets_every_result_and_the_newest_is_kept() -> None:
    seen: list[str] = []
    reader = ResultThread(
        [Result("a"), Result("b")],
        change=lambda result: Result(result.source.upper()),
        each=[lambda result: seen.append(result.source), lambda result: seen.append(f"{result.source}!")],
    )
    reader.close()
    assert seen == ["A", "A!", "B", "B!"]
    assert (reader.newest.take(), reader.count, reader.newest.dropped) == (Result("B"), 2, 1)
    assert reader.newest.finished


def test_an_error_of_the_source_is_raised_after_the_last_result() -> None:
    def results() -> Iterator[Result]:
        yield Result("a")
        raise SourceError("it went away")

    reader = ResultThread(results())
    reader.close()
    assert reader.newest.take() is not None
    with pytest.raises(SourceError, match="it went away"):
        reader.newest.take()


def test_an_error_of_a_function_is_raised_too() -> None:
    def refuse(result: Result) -> None:
        raise BrokenPipeError

    reader = ResultThread([Result("a")], each=[refuse])
    reader.close()
    with pytest.raises(BrokenPipeError):
        reader.newest.take()


def endless(closed: threading.Event) -> Iterator[Result]:
    """Endless results."""
    try:
        while True:
            yield Result("camera:0")
    finally:
        closed.set()


def test_close_closes_an_endless_source_in_its_thread() -> None:
    closed = threading.Event()
    reader = ResultThread(endless(closed))
    assert reader.newest.wait(10)
    reader.close()
    assert closed.wait(10)
    assert not [thread for thread in threading.enumerate() if thread.name == "facemood results"]


def test_pause_stops_reading_and_close_works_during_a_pause() -> None:
    closed, asked = threading.Event(), threading.Semaphore(0)
    taken = threading.Semaphore(0)

    def on_demand() -> Iterator[Result]:
        for result in endless(closed):
            asked.acquire()
            yield result

    reader = ResultThread(on_demand(), each=[lambda result: taken.release()])
    asked.release()
    assert taken.acquire(timeout=10)
    reader.pause()
    for _ in range(5):
        asked.release()
    taken.acquire(timeout=0.2)  # one may have been on its way
    assert not taken.acquire(timeout=0.1)
    assert reader.paused
    reader.pause(False)
    assert taken.acquire(timeout=10)
    reader.pause()
    asked.release()
    reader.close()
    assert closed.wait(10)
