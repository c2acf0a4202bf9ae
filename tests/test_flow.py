"""Results on their way: each one is changed, and closing the generator closes the source."""

from collections.abc import Iterator

import pytest

from facemood.flow import change_each, close_results
from facemood.results import Result


class Source:
    """A source of results that remembers whether it is open."""

    def __init__(self) -> None:
        self.open = True

    def __iter__(self) -> Iterator[Result]:
        return (Result(str(number)) for number in range(3))

    def close(self) -> None:
        self.open = False


def named(result: Result) -> Result:
    return Result(f"{result.source}!")


def test_results_are_changed_in_order_and_the_source_is_closed_at_the_end() -> None:
    source = Source()
    assert [result.source for result in change_each(source, named)] == ["0!", "1!", "2!"]
    assert not source.open


def test_closing_the_generator_closes_the_source() -> None:
    source = Source()
    changed = change_each(source, named)
    assert (next(changed).source, source.open) == ("0!", True)
    close_results(changed)
    assert not source.open


def test_an_error_in_the_change_closes_the_source() -> None:
    source = Source()
    with pytest.raises(ZeroDivisionError):
        next(change_each(source, lambda _: Result(str(1 // 0))))
    assert not source.open


def test_a_list_needs_no_closing() -> None:
    results = [Result("a")]
    close_results(results)
    assert list(change_each(results, named)) == [Result("a!")]
