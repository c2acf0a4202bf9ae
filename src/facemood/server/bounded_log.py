"""A log that clients cannot fill: of each message, a few a minute are written."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator

from facemood.server.rates import TokenBucket

UVICORN = "uvicorn.error"
"""Name of the logger to which uvicorn writes what is wrong with connections."""

LINES = 6
"""Records of one message a minute."""

BURST = 12
"""Records of one message at once."""

MESSAGES = 100
"""Messages that are told apart; all others count as one."""


class BoundedLog(logging.Filter):
    """Lets a few records of each message pass, and adds to the next one how many were left out.

    Requests that the end of the server cuts off are left out; uvicorn tells how many there are.

    Example:
        >>> filter = BoundedLog()
        >>> record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 1, "bad request", None, None)
        >>> sum(map(filter.filter, [record] * 1000)) == BURST
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self._buckets: dict[object, TokenBucket] = {}
        self._left_out: dict[object, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is written."""
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
            return False
        key: object = (record.levelno, str(record.msg))
        if key not in self._buckets and len(self._buckets) >= MESSAGES:
            key = None
        bucket = self._buckets.setdefault(key, TokenBucket(LINES / 60, BURST))
        if not bucket.take():
            self._left_out[key] = self._left_out.get(key, 0) + 1
            return False
        if left_out := self._left_out.pop(key, 0):
            record.msg = f"{record.msg} ({left_out} more were not written)"
        return True


@contextlib.contextmanager
def bounded_log() -> Iterator[None]:
    """Bound uvicorn's log until the block ends."""
    bound, logger = BoundedLog(), logging.getLogger(UVICORN)
    logger.addFilter(bound)
    try:
        yield
    finally:
        logger.removeFilter(bound)
