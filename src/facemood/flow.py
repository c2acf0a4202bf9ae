"""Results on their way from a source to whoever asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from facemood.results import Result


def change_each(results: Iterable[Result], change: Callable[[Result], Result]) -> Iterator[Result]:
    """Yield results as they are changed; who closes this closes what they come from, so that a camera is free at once.

    Args:
        results: As they come.
        change: What is done to each.
    """
    try:
        yield from map(change, results)
    finally:
        let_go(results)


def let_go(results: Iterable[Result]) -> None:
    """Close a generator; lists and the like have nothing to close."""
    close = getattr(results, "close", None)
    if close is not None:
        close()
