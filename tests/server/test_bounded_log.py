"""What clients do wrong is logged a few times a minute."""

import asyncio
import logging
import sys

import pytest

from facemood.server.bounded_log import BURST, LINES, MESSAGES, UVICORN, BoundedLog, bounded_log


def record(message: str = "bad request", level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord(UVICORN, level, "", 1, message, None, None)


def test_a_flood_of_one_message_leaves_others_alone() -> None:
    bound = BoundedLog()
    assert sum(bound.filter(record()) for _ in range(1000)) == BURST
    assert bound.filter(record("the disk is full"))
    assert bound.filter(record(level=logging.ERROR))


def test_how_many_were_left_out_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    bound = BoundedLog()
    for bucket_use in range(BURST + 7):
        assert bound.filter(record()) == (bucket_use < BURST)
    for bucket in bound._buckets.values():
        bucket.clock = lambda: now
        bucket.when = now
    now = 60 / LINES
    later = record()
    assert bound.filter(later)
    assert later.getMessage() == "bad request (7 more were not written)"
    assert not bound.filter(record())


def test_messages_of_any_text_are_bounded_together() -> None:
    bound = BoundedLog()
    written = sum(bound.filter(record(f"bad request {number}")) for number in range(10 * MESSAGES))
    assert written == MESSAGES + BURST


def test_requests_that_the_end_cuts_off_are_not_logged() -> None:
    bound, cut_off = BoundedLog(), record("Exception in ASGI application", logging.ERROR)
    try:
        raise asyncio.CancelledError
    except asyncio.CancelledError:
        cut_off.exc_info = sys.exc_info()
    assert not bound.filter(cut_off)


def test_the_log_is_as_before_afterwards() -> None:
    before = list(logging.getLogger(UVICORN).filters)
    with bounded_log():
        assert len(logging.getLogger(UVICORN).filters) == len(before) + 1
    assert logging.getLogger(UVICORN).filters == before
