"""The command of ``facemood live --on-change`` really runs, in order, and never stops the reading."""

from __future__ import annotations

import json
import shlex
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import typer

from facemood import Result
from facemood.cli import on_change
from facemood.cli.change_senders import parse_command
from facemood.cli.on_change import ChangeReaction
from tests.test_expression_changes import shown

LABELS = ("happy", "sad", "happy", "fear")


def python(code: str) -> str:
    """A command that runs Python."""
    return shlex.join([sys.executable, "-c", code])


def react_to(command: str, labels: tuple[str, ...] = LABELS) -> ChangeReaction:
    with ChangeReaction(command) as react:
        for place, label in enumerate(labels):
            react(Result("camera:0", place, place / 10, faces=(shown(1, label),)))
    return react


def test_it_gets_each_change_as_json_and_as_variables(tmp_path: Path) -> None:
    code = (
        "import os, sys; names = ('PERSON', 'EXPRESSION', 'BEFORE', 'TIME', 'SOURCE')\n"
        f"open({str(tmp_path / 'said')!r}, 'a').write(sys.stdin.read())\n"
        "known = [os.environ['FACEMOOD_' + name] for name in names]\n"
        f"open({str(tmp_path / 'env')!r}, 'a').write(' '.join(known) + chr(10))"
    )
    react_to(python(code))
    said = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
    assert [(one["before"], one["label"]) for one in said] == list(zip(("", *LABELS), LABELS, strict=False))
    assert (tmp_path / "env").read_text().splitlines()[1] == "1 sad happy 0.1 camera:0"


def test_no_shell_takes_part(tmp_path: Path) -> None:
    react_to(f"{python('pass')} ; touch {tmp_path / 'made'} $(touch {tmp_path / 'made'})")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "  ", "no-such-program --now", "'open"])
def test_what_is_no_command_is_told_at_once(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="--on-change"):
        parse_command(text)


def test_a_command_that_fails_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    react_to(python("import sys; print('heard'); sys.exit(3)"))
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.count("ended with exit code 3; live goes on") == 1
    assert told.err.count("heard") == len(LABELS)


def test_a_command_that_hears_nothing_is_no_failure(capfd: pytest.CaptureFixture[str]) -> None:
    react_to(python("import sys; sys.stdin.close()"))
    assert capfd.readouterr().err == ""


def test_a_slow_command_does_not_stop_the_reading(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(on_change, "WAITING", 3)
    monkeypatch.setattr(on_change, "LAST_WAIT", 0.2)
    began = time.monotonic()
    react = react_to(python("import time; time.sleep(600)"), LABELS[:2] * 10)
    assert time.monotonic() - began < 60  # it sleeps for ten minutes, unless it is ended
    assert react.dropped >= 20 - 3 - 1 - 1
    assert "was too slow for" in capfd.readouterr().err


def test_a_websocket_gets_each_change_and_is_opened_again(capfd: pytest.CaptureFixture[str]) -> None:
    server = pytest.importorskip("websockets.sync.server", reason="needs the extra serve")
    heard: list[dict[str, object]] = []
    closed = threading.Event()

    def listen(connection: Any) -> None:
        for message in connection:
            heard.append(json.loads(message))
            if len(heard) == 2:
                connection.close()  # which waits for the other end
                closed.set()

    with server.serve(listen, "127.0.0.1", 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        with ChangeReaction(f"ws://127.0.0.1:{running.socket.getsockname()[1]}/faces") as react:
            for place, label in enumerate(LABELS):
                react(Result("camera:0", place, place / 10, faces=(shown(1, label),)))
                ends = time.monotonic() + 30
                while len(heard) <= place and time.monotonic() < ends:
                    time.sleep(0.01)
                if place == 1:
                    assert closed.wait(30)
        running.shutdown()
        thread.join()
    assert [one["label"] for one in heard] == list(LABELS)
    assert capfd.readouterr().err == ""


def test_a_websocket_that_is_not_there_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("websockets", reason="needs the extra serve")
    react_to("ws://127.0.0.1:9/faces")
    assert capfd.readouterr().err.count("--on-change: ws://127.0.0.1:9/faces: ") == 1
