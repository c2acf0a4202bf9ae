"""A child answers through its own pipe, whatever libraries print, and decides nothing about Ctrl-C."""

import os
import signal
import sys
from pathlib import Path

import pytest

from facemood.child_process import STARTER, start_child

ECHO = """
import os, sys
import text  # of the same name as a module beside the starter

def main(source, target, arguments):
    print("a library prints")
    os.system("echo a process prints")
    target.write(f"{text.WHOSE} {arguments} {os.environ['OMP_NUM_THREADS']} {sys.stdin.read()!r}\\n".encode())
    while call := source.read(4):
        target.write(call[::-1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_calls_and_answers_are_kept_apart_from_what_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert STARTER.with_name("text.py").is_file()
    (tmp_path / "echo_child.py").write_text(ECHO)
    (tmp_path / "text.py").write_text("WHOSE = 'ours'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    with start_child("echo_child", "7") as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stdout.readline() == b"ours ['7'] 1 ''\n"
        child.send_signal(signal.SIGINT)
        child.stdin.write(b"abcd")
        child.stdin.flush()
        assert child.stdout.read(4) == b"dcba"
        child.stdin.close()
        assert child.stdout.read() == b""
    assert child.returncode == 0
    assert sorted(capfd.readouterr().err.splitlines()) == ["a library prints", "a process prints"]
