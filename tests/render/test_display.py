import signal
import subprocess
import sys

import numpy as np
import pytest

from facemood.errors import DeviceError, MissingExtraError
from facemood.render.display import Window

pygame = pytest.importorskip("pygame", reason="needs the extra live")

WITHOUT_A_DISPLAY = pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")


@pytest.mark.usefixtures("unseen")
def test_a_window_shows_the_exact_pixels() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    with Window("a title") as window:
        window.open((64, 48))
        assert (window.size, window.is_open, pygame.display.get_caption()[0]) == ((64, 48), True, "a title")
        window.show(picture)
        shown = pygame.surfarray.array3d(pygame.display.get_surface())  # (W, H, 3) RGB
    np.testing.assert_array_equal(shown.transpose(1, 0, 2)[:, :, ::-1], picture)
    assert not pygame.display.get_init()


@pytest.mark.usefixtures("unseen")
def test_a_window_is_no_larger_than_the_desktop() -> None:
    with Window("large") as window:
        desktop = pygame.display.get_desktop_sizes()[0]
        window.open((2 * desktop[0], desktop[0]))
        width, height = window.size
    assert (width, height) == (round(0.9 * desktop[0]), round(0.45 * desktop[0]))


@pytest.mark.usefixtures("unseen")
def test_ctrl_c_works_while_a_window_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pygame loads its icon when it opens a window, and mistakes a KeyboardInterrupt for a missing icon."""
    resources = pytest.importorskip("pygame.pkgdata")
    find, asked = resources.getResource, []

    def interrupted(*words: object) -> object:
        asked.append(words)
        signal.raise_signal(signal.SIGINT)
        return find(*words)

    monkeypatch.setattr(resources, "getResource", interrupted)
    before = signal.getsignal(signal.SIGINT)
    with Window("interrupted") as window, pytest.raises(KeyboardInterrupt):
        window.open((64, 48))
    assert asked
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.usefixtures("unseen")
def test_keys_and_the_close_button_give_actions() -> None:
    keys = {"RETURN": "close", "KP_ENTER": "close", "q": "close", "ESCAPE": "close"}
    keys |= {"SPACE": "pause", "s": "snapshot", "r": "record"}
    with Window("keys") as window:
        window.open((64, 48))
        window.actions()
        for key in (*keys, "x"):
            pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=getattr(pygame, f"K_{key}")))
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        assert window.actions() == [*keys.values(), "close"]
        assert window.actions() == []


@WITHOUT_A_DISPLAY
@pytest.mark.parametrize(("display", "reason"), [(None, "neither DISPLAY nor WAYLAND_DISPLAY"), (":9999", "DISPLAY")])
def test_without_a_display_the_error_names_the_alternatives(
    monkeypatch: pytest.MonkeyPatch, display: str | None, reason: str
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    if display:
        monkeypatch.setenv("DISPLAY", display)
    with pytest.raises(DeviceError, match=f"no display to open a window on .*{reason}.*--no-window.*facemood serve"):
        Window("nowhere")
    assert not pygame.display.get_init()


def test_an_unknown_sdl_driver_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "crystal-ball")
    with pytest.raises(DeviceError, match="crystal-ball"):
        Window("nowhere")


def test_without_pygame_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(MissingExtraError, match="Install the extra 'live'"):
        Window("nowhere")


def test_opening_a_window_prints_nothing() -> None:
    """Pygame prints a greeting on stdout, which is for data only."""
    code = "import os; os.environ['SDL_VIDEODRIVER'] = 'dummy'\n"
    code += "from facemood.render.display import Window\nWindow('silent').close()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
