"""How often: a bucket of tokens that fills at a steady pace, and one bucket for each address."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable


class TokenBucket:
    """Allows so many things a second on average, and a burst at once.

    Args:
        rate: Tokens that come a second.
        burst: Tokens that the bucket holds; it begins full.
        clock: Tells the time in seconds.

    Example:
        >>> bucket = TokenBucket(1.0, 2, clock=lambda: 0.0)
        >>> [bucket.take() for _ in range(3)]
        [True, True, False]
    """

    burst: float
    clock: Callable[[], float]
    rate: float
    tokens: float
    when: float

    __slots__ = ("burst", "clock", "rate", "tokens", "when")

    def __init__(self, rate: float, burst: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.burst, self.clock = rate, burst, clock
        self.tokens, self.when = burst, clock()

    def take(self) -> bool:
        """Take a token, or return False where there is none."""
        self._fill()
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    @property
    def wait(self) -> float:
        """Seconds until there is a token again."""
        self._fill()
        return max(0.0, 1 - self.tokens) / self.rate

    def _fill(self) -> None:
        """Add the tokens that came since it was looked at."""
        now = self.clock()
        self.tokens = min(self.burst, self.tokens + (now - self.when) * self.rate)
        self.when = now


class AddressLimit:
    """A bucket for each address; those that asked longest ago are forgotten, so that memory is bounded.

    Args:
        rate: Requests a minute.
        most: How many addresses are remembered.

    Example:
        >>> limit = AddressLimit(60)
        >>> limit.refusal("192.0.2.1")
        0.0
    """

    rate: float
    most: int
    clock: Callable[[], float]

    def __init__(self, rate: int, *, most: int = 4096, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.most, self.clock = rate / 60, most, clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def refusal(self, address: str) -> float:
        """Count a request; return the seconds after which to ask again, 0 where it is allowed."""
        bucket = self._bucket(address)
        return 0.0 if bucket.take() else bucket.wait

    def wait(self, address: str) -> float:
        """Return the seconds after which an address may ask again, 0 where it may now; this counts nothing."""
        return self._bucket(address).wait if address in self._buckets else 0.0

    def _bucket(self, address: str) -> TokenBucket:
        """Return the bucket of an address."""
        bucket = self._buckets.pop(address, None) or TokenBucket(self.rate, max(1, self.rate * 15), clock=self.clock)
        self._buckets[address] = bucket
        if len(self._buckets) > self.most:
            self._buckets.popitem(last=False)
        return bucket
