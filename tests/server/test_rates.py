from hypothesis import given
from hypothesis import strategies as st

from facemood.server.rates import AddressLimit, TokenBucket


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.floats(0.5, 50), st.integers(1, 20), st.lists(st.floats(0, 3), max_size=60))
def test_a_bucket_never_gives_more_than_its_burst_and_its_rate(rate: float, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    bucket = TokenBucket(rate, burst, clock=clock)
    given_out = 0
    for pause in pauses:
        clock.now += pause
        given_out += bucket.take()
    assert given_out <= burst + rate * clock.now + 1e-6


def test_who_waits_as_long_as_told_is_let_in() -> None:
    clock = Clock()
    bucket = TokenBucket(2.0, 1, clock=clock)
    assert bucket.take()
    assert not bucket.take()
    clock.now += bucket.wait + 1e-9
    assert bucket.take()


def test_addresses_do_not_share_their_limit() -> None:
    limit = AddressLimit(4, clock=Clock())  # a burst of one
    assert limit.refusal("192.0.2.1") == 0
    assert limit.refusal("192.0.2.1") > 0
    assert limit.refusal("192.0.2.2") == 0


def test_only_so_many_addresses_are_remembered() -> None:
    limit = AddressLimit(4, most=10, clock=Clock())
    for number in range(100):
        limit.refusal(f"192.0.2.{number}")
    assert len(limit._buckets) == 10
