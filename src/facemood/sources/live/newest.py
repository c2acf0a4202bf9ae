"""A place for one value between two threads: a new one takes the place of one that nobody has taken."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Newest(Generic[Value]):
    """The newest value of a thread that makes them, for another that takes them; there is no queue that could grow.

    Attributes:
        dropped: How many values gave way to a newer one before anybody took them.

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
        """Whether the last value was taken and none comes any more."""
        with self._changed:
            return self._finished and self._value is None

    def put(self, value: Value) -> None:
        """Lay a value down, in the place of the one that lies there."""
        with self._changed:
            self.dropped += self._value is not None
            self._value = value
            self._changed.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """Say that no value comes any more; an error is raised to who takes next. The first word counts."""
        with self._changed:
            if not self._finished:
                self._finished, self._error = True, error
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until a value lies here, without taking it.

        Args:
            timeout: Seconds at most; None waits for as long as it takes.

        Returns:
            Whether there is one.

        Raises:
            BaseException: What it was finished with, once the last value is taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._value is not None or self._finished, timeout)
            if self._value is None and self._error is not None:
                raise self._error
            return self._value is not None

    def take(self, timeout: float | None = None) -> Value | None:
        """Wait for a value and take it.

        Args:
            timeout: Seconds at most, 0 for what lies here now; None waits for as long as it takes.

        Returns:
            The newest value; None where time was up, or where none comes any more.

        Raises:
            BaseException: What it was finished with, once the last value is taken.
        """
        with self._changed:
            value = self._value if self.wait(timeout) else None
            self._value = None
            return value
