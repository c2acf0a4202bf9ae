"""Requests to end: SIGTERM and SIGHUP keep what Ctrl-C keeps; the exit code alone tells them apart."""

from __future__ import annotations

import signal
from types import FrameType

from facemood.cli.terminal import INTERRUPTED

FATAL = 128
"""What shells add to a signal's number for the exit code of a process that it ended."""

_heard: list[int] = []


def listen() -> None:
    """Take requests to end as Ctrl-C is taken; one that is ignored, as by ``nohup``, stays so."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


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
