"""Requests to end: SIGTERM and SIGHUP keep what Ctrl-C keeps; the exit code alone tells them apart."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from facemood.cli.terminal import INTERRUPTED

REQUESTS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Signals that ask a process to end; not every system has all of them."""

FATAL = 128
"""What shells add to a signal's number for the exit code of a process that it ended."""

_heard: list[int] = []


def listen() -> None:
    """Take requests to end as Ctrl-C is taken; one that is ignored, as by ``nohup``, stays so."""
    for name in REQUESTS[1:]:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let what is in here come to its end: requests to end, Ctrl-C too, count once it has."""
    heard: list[int] = []
    numbers = [number for name in REQUESTS if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, lambda sent, frame: heard.append(sent)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in heard:
            signal.raise_signal(number)


def hang_up_as_terminated() -> None:
    """Take SIGHUP as SIGTERM: for what hears of SIGTERM itself, and not of SIGHUP, such as a server."""
    number = getattr(signal, "SIGHUP", None)
    if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGTERM))


def exit_code() -> int:
    """Return the exit code of a process that was interrupted: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return FATAL + _heard[-1] if _heard else INTERRUPTED


def _stop(number: int, frame: FrameType | None) -> None:
    """Interrupt what runs, once: what is being finished then is not interrupted again."""
    if not _heard:
        _heard.append(number)
        raise KeyboardInterrupt
