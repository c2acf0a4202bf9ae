import re
from pathlib import Path

import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.progress import open_hook, tell_name
from tests.conftest import PHOTOS
from tests.videos import make_video


def test_a_hook_of_the_user_gets_done_and_total() -> None:
    calls = []
    with open_hook(lambda done, total: calls.append((done, total))) as hook:
        hook(1, 2)
    assert calls == [(1, 2)]


def test_without_progress_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    with open_hook(False) as hook:
        hook(1, 2)
    assert capfd.readouterr() == ("", "")


def test_a_bar_is_written_to_stderr_only(capfd: pytest.CaptureFixture[str]) -> None:
    with open_hook(True) as hook:
        hook(1, 2)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("columns", [60, 80])
def test_a_bar_names_the_file_in_one_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    with open_hook(True) as hook:
        hook(1, 200)
        tell_name(hook, "photos/[red]interview.mp4")
    lines = re.sub("\x1b\\[[^a-zA-Z]*[a-zA-Z]", "", capfd.readouterr().err).splitlines()
    assert [line for line in lines if line.startswith("[red]interview.mp4 ") and "1/200 -:--:--" in line]
    assert max(map(len, lines)) <= columns


class Names:
    """A hook that wants the names."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __call__(self, done: int, total: int | None) -> None:
        """Forget the numbers."""

    def reading(self, name: str) -> None:
        """Keep a name."""
        self.names.append(name)


def test_a_hook_that_wants_them_is_told_the_names_of_all_inputs(recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    photo, hook = PHOTOS / "astronaut.png", Names()
    video = make_video(tmp_path / "grey.mp4", [np.full((64, 64, 3), 128, np.uint8)] * 2, fps=5)
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes(b"no image")
    inputs = [str(photo), str(video), str(damaged)]
    list(recognizer.stream(inputs, progress=hook, on_error=lambda name, error: None))
    assert hook.names == inputs
