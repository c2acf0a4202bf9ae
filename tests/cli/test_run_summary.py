"""The table on the terminal: every row on one line, whatever the width; what does not fit is left out, never cut."""

import dataclasses
from pathlib import Path

import pytest

from facemood.results import Result
from tests.cli.conftest import Run
from tests.conftest import PHOTOS


@pytest.mark.parametrize(("columns", "entries"), [(100, 2), (80, 1), (60, 0)])
def test_a_row_is_one_line_at_every_width(
    columns: int, entries: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from facemood.cli.run_summary import RunSummary
    from tests.conftest import make_face

    monkeypatch.setenv("COLUMNS", str(columns))
    summary = RunSummary()
    summary.add(Result("a/very/long/way/to/photos/astronaut.png", size=(64, 64), faces=(make_face(), make_face())))
    summary.show()
    head, first, second, total = capsys.readouterr().err.splitlines()
    assert head.split()[:4] == ["image", "face", "expression", "confidence"]
    assert ("next" in head) == bool(entries)
    assert first.split()[1:4] == ["0", "happy", "70%"]
    assert second.split()[:3] == ["1", "happy", "70%"]
    assert first.split()[4:] == ["neutral", "14%", "surprise", "5%"][: 2 * entries]
    assert max(map(len, (head, first, second))) <= columns
    assert total == "1 image, 2 faces"


def test_the_command_prints_it(facemood: Run, tmp_path: Path) -> None:
    done = facemood("analyze", PHOTOS / "astronaut.png")
    assert "confidence" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_share_of_all_frames_is_all(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from facemood.cli.run_summary import RunSummary
    from tests.conftest import make_face

    monkeypatch.setenv("COLUMNS", "100")
    summary, face = RunSummary(), dataclasses.replace(make_face(), track_id=1)
    for index in range(3):
        summary.add(Result("talk.mp4", index, 0.1 * index, (64, 64), (face,), face.labels))
    summary.show()
    assert "happy 100%" in capsys.readouterr().err
