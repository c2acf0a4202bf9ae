"""Change results as they are yielded, and close the generator that they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from facemood.results import Result


def change_each(results: Iterable[Result], change: Callable[[Result], Result]) -> Iterator[Result]:
    """Apply a function to each result. Closing this generator closes the source, so that a camera is free at once.

    Args:
        results: Results, or a generator of them.
        change: Returns the changed result.
    """
    try:
        yield from map(change, results)
    finally:
        close_results(results)


def close_results(results: Iterable[Result]) -> None:
    """Close results if they are a generator; do nothing for a list."""
    close = getattr(results, "close", None)
    if close is not None:
        close()
