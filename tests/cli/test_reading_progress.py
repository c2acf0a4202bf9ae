"""What a run shows of its progress: a bar that fits into the terminal, lines where there is none, and nothing else."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from facemood.cli import reading_progress
from facemood.cli.reading_progress import shown_progress
from tests.archive.photos import fill
from tests.conftest import PHOTOS

pty = pytest.importorskip("pty", reason="needs terminals of POSIX")

WIDTH = 60
"""Columns of the terminal."""

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
"""What moves the cursor and colours the text."""


class Terminal(io.TextIOWrapper):
    """The end of a terminal at which a program writes; what it wrote is read at the other end."""

    def __init__(self) -> None:
        self.other_end, own = pty.openpty()
        super().__init__(os.fdopen(own, "wb", buffering=0), encoding="utf-8", write_through=True)

    def written(self) -> list[str]:
        """The lines that were written, without what moves the cursor."""
        self.close()
        return lines_of(self.other_end)


def lines_of(end: int) -> list[str]:
    """The lines that a terminal shows, one after the other, also those that were written over."""
    text = b""
    while True:
        try:
            more = os.read(end, 4096)
        except OSError:  # nobody writes any more
            more = b""
        if not more:
            os.close(end)
            return [line for line in re.split(r"[\r\n]+", ESCAPES.sub("", text.decode())) if line.strip()]
        text += more


def narrow_terminal(monkeypatch: pytest.MonkeyPatch, *, kind: str = "xterm") -> Terminal:
    """A terminal as stderr. No fixture can set it, as pytest sets stderr after all of them."""
    made = Terminal()
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr(sys, "stderr", made)
    return made


def test_the_bar_of_a_million_inputs_fits_into_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, now = narrow_terminal(monkeypatch), [0.0]
    monkeypatch.setattr("facemood.progress.time.monotonic", lambda: now[0])
    with shown_progress(lambda: 12, quiet=False) as show:
        assert show is not None
        now[0] = 50.0
        show(123456.5, 1_000_000)
    (line,) = {line for line in terminal.written() if "failed" in line}
    assert re.fullmatch(r"re\w*… [━╸╺]+ 123,456/1,000,000  2469.1/s  5:55 left  12 failed", line.rstrip())
    assert len(line.rstrip()) <= WIDTH


def test_a_terminal_that_cannot_draw_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = narrow_terminal(monkeypatch, kind="dumb")
    monkeypatch.setattr(reading_progress, "LINE_EVERY", 0.0)
    failures = [0, 1]
    with shown_progress(lambda: failures.pop(0), quiet=False) as show:
        assert show is not None
        show(0, 20)
        show(0, 20)
    assert terminal.written() == ["facemood: 0/20", "facemood: 0/20  1 failed"]


def test_a_log_has_lines_if_it_has_messages_and_nothing_otherwise(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(reading_progress, "LINE_EVERY", 0.0)
    for level in (logging.WARNING, logging.INFO):
        logger = logging.Logger("facemood", level)  # of its own: other tests change the level of the shared one
        logger.addHandler(caplog.handler)
        monkeypatch.setattr(reading_progress, "logger", logger)
        with shown_progress(lambda: 0, quiet=False) as show:
            if show is not None:
                show(0, 20)
    assert [record.getMessage() for record in caplog.records] == ["facemood: 0/20"]
    assert stderr.getvalue() == ""


def test_json_goes_to_a_pipe_while_a_terminal_shows_the_bar(tmp_path: Path) -> None:
    end, own = pty.openpty()
    command = [sys.executable, "-m", "facemood", "analyze", str(PHOTOS / "astronaut.png"), "--json"]
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=own, env=environment)
    os.close(own)
    out = process.communicate(timeout=60)[0]
    assert json.loads(out)["faces"][0]["emotion"] == "happy"
    assert any("reading" in line or "astronaut" in line for line in lines_of(end))


def test_json_on_a_terminal_has_no_bar_among_its_lines(tmp_path: Path) -> None:
    end, own = pty.openpty()
    command = [sys.executable, "-m", "facemood", "analyze", str(PHOTOS / "astronaut.png"), "--json"]
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm"}
    process = subprocess.Popen(command, cwd=tmp_path, stdout=own, stderr=own, env=environment)
    os.close(own)
    lines = lines_of(end)
    assert process.wait(60) == 0
    (line,) = [line for line in lines if line.startswith("{")]
    assert json.loads(line)["faces"][0]["emotion"] == "happy"


def test_what_a_program_prints_beside_the_bar_goes_to_its_own_file(tmp_path: Path) -> None:
    end, own = pty.openpty()
    code = "from facemood.progress import open_hook\nwith open_hook(True) as hook:\n    print('mine')\n"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=own, timeout=60, check=True)
    os.close(own)
    assert done.stdout == b"mine\n"
    assert not any("mine" in line for line in lines_of(end))


def test_nothing_is_shown_if_only_errors_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = narrow_terminal(monkeypatch)
    with shown_progress(lambda: 0, quiet=True) as show:
        assert show is None
    assert terminal.written() == []


def test_files_and_archives_show_the_same_progress_with_failures(tmp_path: Path) -> None:
    fill(tmp_path / "in", 11)
    (tmp_path / "in" / "000.jpg").write_bytes(b"\xff\xd8\xff no photo")
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm"}
    running = []
    for output in ("table.csv", "out/"):
        command = [sys.executable, "-m", "facemood", "analyze", "in", "--workers", "1", "-o", output]
        end, own = pty.openpty()
        running.append((subprocess.Popen(command, cwd=tmp_path, stderr=own, env=environment), end))
        os.close(own)
    for process, end in running:
        lines = lines_of(end)
        assert process.wait(60) == 1, lines
        bars = [line for line in lines if "1 failed" in line]
        assert re.search(r" 11/11  [\d.]+/(s|min)  1 failed$", bars[-1].rstrip()), lines
        assert max(map(len, map(str.rstrip, bars))) <= WIDTH
