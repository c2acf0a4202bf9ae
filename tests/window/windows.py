"""Invisible windows on SDL's dummy display; the source of the results presses the keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from facemood import Result
from facemood.labels import EXPRESSIONS
from tests.conftest import make_face
from tests.videos import numbered_image

SIZE = (320, 240)


def numbered_result(number: int, *, faces: int = 1) -> Result:
    """A result whose image encodes its number: 320 x 240, with an optional happy face from 120,80 to 200,180."""
    return Result(
        "camera:0",
        index=number,
        timestamp=number / 25,
        size=SIZE,
        faces=(make_face((120, 80, 200, 180)),) * faces,
        labels=EXPRESSIONS,
        image=numbered_image(number, SIZE),
    )


def press(key: str) -> None:
    """Press a key such as q or SPACE, and wait until the window has handled it and drawn the change."""
    import pygame

    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=getattr(pygame, f"K_{key}")))
    settle()


def settle() -> None:
    """Wait for two rounds of the window's loop, so that it has taken and drawn the newest result."""
    import pygame

    for _ in range(2):
        pygame.event.post(pygame.event.Event(pygame.USEREVENT))
        limit = time.monotonic() + 20
        while pygame.display.get_init() and pygame.event.peek(pygame.USEREVENT, pump=False):
            assert time.monotonic() < limit
            time.sleep(0.002)


def play(*steps: str | Callable[[], object], results: int = 1) -> Iterator[Result]:
    """Yield numbered results, and after each do the next step: press a key, or call something.

    Args:
        steps: Keys or functions.
        results: How many results come before each step.
    """
    number = 0
    for step in steps:
        for _ in range(results):
            yield numbered_result(number)
            settle()
            number += 1
        press(step) if isinstance(step, str) else step()
