"""``facemood-desktop``: it opens the page in the browser, also as a program that is its own Python."""

from __future__ import annotations

import ast
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from facemood.cli.desktop import PORT, choose_port, restore_library_path
from facemood.isolation.bounds import ImageBounds
from facemood.isolation.decode_process import DecodeProcess
from facemood.render import encode_png
from tests.cli.test_serve_command import status_of
from tests.conftest import ROOT

START = "from facemood.cli.desktop import main; main()"


def test_it_opens_the_page_in_the_browser_until_it_is_ended(tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    opened = tmp_path / "opened"
    write = f"import sys; open({str(opened)!r}, 'w').write(sys.argv[1])"
    browser = f"{shlex.quote(sys.executable)} -c {shlex.quote(write)} %s"
    command = [sys.executable, "-c", START, "--port", "0", "--threads", "1", "--model", "nano"]
    environment = {**os.environ, "BROWSER": browser}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            first, second = process.stderr.readline(), process.stderr.readline()
            assert "close this window" in first
            address = second.split()[-1]
            ends = time.monotonic() + 60
            while not (opened.exists() and opened.read_text()) and time.monotonic() < ends:
                time.sleep(0.05)
            assert opened.read_text() == address
            assert address.startswith("http://127.0.0.1:")
            assert status_of(address) == 200
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_another_port_is_taken_where_its_own_is_in_use() -> None:
    try:
        taken = socket.create_server(("127.0.0.1", PORT))
    except OSError:
        assert choose_port() == 0
        return
    with taken:
        assert choose_port() == 0
    assert choose_port() == PORT


def test_a_frozen_program_decodes_in_processes_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a program has no Python besides itself: it starts itself as the child."""
    program = tmp_path / "facemood-desktop"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(START)} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    with DecodeProcess(memory=500_000_000) as process:
        image = process.decode(encode_png(np.full((4, 6, 3), 7, np.uint8)), ImageBounds(), seconds=30)
    assert isinstance(image, np.ndarray)
    assert (image.shape, int(image.max())) == ((4, 6, 3), 7)


def test_the_browser_gets_the_libraries_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/app")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/usr/local/lib")
    restore_library_path()
    assert os.environ["LD_LIBRARY_PATH"] == "/usr/local/lib"
    restore_library_path()
    assert "LD_LIBRARY_PATH" not in os.environ


def test_the_page_needs_nothing_that_the_program_leaves_out() -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    hook = ast.parse((ROOT / "packaging" / "hooks" / "hook-facemood.py").read_text())
    (names,) = [ast.literal_eval(node.value) for node in hook.body if isinstance(node, ast.Assign) and
                isinstance(node.targets[0], ast.Name) and node.targets[0].id == "LEFT_OUT"]  # fmt: skip
    assert all(
        (ROOT / "src" / name.replace(".", "/")).is_dir() or (ROOT / "src" / f"{name.replace('.', '/')}.py").is_file()
        for name in names
    )
    code = (
        "import sys, facemood, facemood.cli.serve_command as command; from facemood.server import create_app\n"
        "create_app(facemood.open_recognizer('nano', threads=1), command.choose_options('127.0.0.1', '', []))\n"
        "import facemood.isolation.decode_worker; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in loaded if name.startswith(tuple(names))] == []
