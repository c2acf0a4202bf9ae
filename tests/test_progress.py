"""Progress: hooks, and how far a job is in words and as a bar."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood import EmotionRecognizer
from facemood.progress import WINDOW, Pace, cut_name, open_bar, open_hook, tell_name
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
        hook(0, 200)
        tell_name(hook, "photos/[red]interview.mp4")
    lines = re.sub("\x1b\\[[^a-zA-Z]*[a-zA-Z]", "", capfd.readouterr().err).splitlines()
    assert [line for line in lines if line.startswith("[red]interview.mp4 ") and line.rstrip().endswith(" 0/200")]
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize(
    ("name", "done", "told", "bar_line"),
    [
        (
            "photos/a holiday with all of us.jpg", (1234, 7200), "1,234/7,200  12.3/s  8:05 left  12 failed",
            r"a …s\.jpg [━╸╺]+ 1,234/7,200  12\.3/s  8:05 left  12 failed",
        ),
        (
            "study/interview_of_participant_07_morning.mp4", (144, 300), "144/300  9.0/s  0:17 left",
            r"intervi…_07_morning\.mp4 [━╸╺]+ 144/300  9\.0/s  0:17 left",
        ),
    ],
)  # fmt: skip
def test_in_a_narrow_terminal_the_name_is_cut_and_the_numbers_are_whole(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    name: str, done: tuple[int, int], told: str, bar_line: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(Pace, "told", lambda *facts: told)
    with open_bar() as bar:
        bar.reading(name)
        bar(*done)
    lines = re.sub("\x1b\\[[^a-zA-Z]*[a-zA-Z]", "", capfd.readouterr().err).splitlines()
    last = [line for line in lines if line.endswith(told)][-1]
    assert re.fullmatch(bar_line, last)
    assert max(map(len, lines)) <= 60


@given(st.text(), st.integers(1, 40))
def test_a_cut_name_fits(name: str, width: int) -> None:
    cut = cut_name(name, width)
    assert len(cut) == min(width, len(name))
    assert cut == name or (name.startswith(cut.partition("…")[0]) and "…" in cut)


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


def test_the_rate_and_the_time_left_are_those_of_the_last_minute() -> None:
    pace = Pace(0.0)
    for second in range(1, 601):
        pace.told(second, 7200, 0, float(second))
    assert pace.told(600, 7200, 0, 600.0) == "600/7,200  1.0/s  1:50:00 left"
    for second in range(601, 661):
        told = pace.told(600 + 10 * (second - 600), 7200, 2, float(second))
    assert told == "1,200/7,200  10.0/s  10:00 left  2 failed"
    assert pace.told(7200, 7200, 2, 661.0).endswith("/s  2 failed")


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), max_size=50))
def test_whatever_the_pace_nothing_is_negative_and_little_is_kept(steps: list[tuple[float, float]]) -> None:
    pace, now, done = Pace(5.0), 5.0, 0.0
    for seconds, more in steps:
        now, done = now + seconds, done + more
        assert "-" not in pace.told(done, 10_000, 0, now)
        assert len(pace._seen) <= WINDOW + 2
