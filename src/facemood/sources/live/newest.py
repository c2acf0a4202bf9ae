"""A buffer for one value between two threads: a new value replaces one that was not taken."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Newest(Generic[Value]):
    """Passes the newest value from one thread to another. It holds one value, so there is no queue that could grow.

    Attributes:
        dropped: Number of values that were replaced before they were taken.

    Example:
        >>> newest = Newest[int]()
        >>> newest.put(1); newest.put(2)
        >>> newest.take(), newest.dropped
        (2, 1)
    """

    dropped: int

    def __init__(self) -> None:
        self.dropped = 0
        self._changed = threading.Condition()
        self._value: Value | None = None
        self._finished = False
        self._error: BaseException | None = None

    @property
    def finished(self) -> bool:
        """Whether the last value was taken and no more will follow."""
        with self._changed:
            return self._finished and self._value is None

    def put(self, value: Value) -> None:
        """Store a value; it replaces one that was not taken."""
        with self._changed:
            self.dropped += self._value is not None
            self._value = value
            self._changed.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """Mark the end of the values. Only the first call counts.

        Args:
            error: Raised by `wait` and `take` once the last value is taken.
        """
        with self._changed:
            if not self._finished:
                self._finished, self._error = True, error
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for a value without taking it.

        Args:
            timeout: Longest time in seconds; None waits forever.

        Returns:
            Whether there is a value.

        Raises:
            BaseException: The error given to `finish`, once the last value is taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._value is not None or self._finished, timeout)
            if self._value is None and self._error is not None:
                raise self._error
            return self._value is not None

    def take(self, timeout: float | None = None) -> Value | None:
        """Wait for a value and take it.

        Args:
            timeout: Longest time in seconds; 0 does not wait; None waits forever.

        Returns:
            The newest value; None after the timeout or at the end.

        Raises:
            BaseException: The error given to `finish`, once the last value is taken.
        """
        with self._changed:
            value = self._value if self.wait(timeout) else None
            self._value = None
            return value
