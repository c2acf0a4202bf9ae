"""Images are shown in a notebook's cell or in a window; the windows here are invisible."""

import sys
import threading
from typing import Any

import numpy as np
import pytest

from facemood import Result
from facemood.errors import DeviceError
from facemood.render.show import show_image

pygame = pytest.importorskip("pygame", reason="needs the extra live")

PICTURE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def _shown() -> Any:
    """What the window shows, (H, W, 3) BGR."""
    return pygame.surfarray.array3d(pygame.display.get_surface()).transpose(1, 0, 2)[:, :, ::-1]


def _close_when_drawn(seen: list[Any], *, key: int) -> None:
    """Press a key once the window shows something, and keep what it showed."""
    while not (pygame.display.get_init() and pygame.display.get_surface() and _shown().any()):
        pass
    seen.append(_shown().copy())
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("key", [pygame.K_ESCAPE, pygame.K_q, pygame.K_RETURN])
def test_a_window_shows_the_image_until_a_key_is_pressed(key: int) -> None:
    seen: list[Any] = []
    thread = threading.Thread(target=_close_when_drawn, args=(seen,), kwargs={"key": key}, daemon=True)
    thread.start()
    Result("a.jpg", image=PICTURE).show()
    thread.join(5)
    np.testing.assert_array_equal(seen[0], PICTURE)
    assert not pygame.display.get_init()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DeviceError, match=r"there is no display to show .* result\.save"):
        show_image(PICTURE, title="a.jpg")
