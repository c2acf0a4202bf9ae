"""``facemood web`` as users start it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_it_writes_the_site_and_says_what_and_where(facemood: Run, tmp_path: Path) -> None:
    done = facemood("web", "out", "--model", "nano", "--base", "/faces")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"out: \d+ files, \d\.\d MB\n", done.stderr)
    assert done.stdout == ""
    assert (tmp_path / "out" / "index.html").is_file()


def test_it_writes_the_engine_alone_with_several_models(facemood: Run, tmp_path: Path) -> None:
    done = facemood("web", "out", "--engine", "--model", "nano", "--model", "default")
    assert done.returncode == 0, done.stderr
    listing = json.loads((tmp_path / "out" / "files.json").read_text())
    assert listing["model"] == "nano"
    assert "default.onnx" in listing["engine"]
    there = {file.relative_to(tmp_path / "out").as_posix() for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert there == {*listing["files"], "files.json"}
    assert "app/web/page/reader.js" in there
    assert not [name for name in there if "server" in name or name in ("index.html", "sw.js")]


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (("out", "--engine", "--serve"), "--serve shows the page, but with --engine there is none", 2),
        ((), "give a folder to write the site into, or --serve", 2),
        (("out", "--base", "faces"), "a base such as /faces", 2),
        (("out", "--engine", "--isolate"), "the engine alone has no service worker", 2),
        (("out", "--webgpu", "nowhere"), "give the folder of the unpacked npm package onnxruntime-web", 2),
        (("out", "--precision", "int4"), "precision must be 'fp32' or 'int8'", 2),
        (("out", "--model", "ferc"), "for the task 'vector'", 3),
        (("out", "--model", "nono"), "there is no model 'nono'", 3),
    ],
)
def test_what_cannot_be_written_is_said(facemood: Run, arguments: tuple[str, ...], message: str, code: int) -> None:
    done = facemood("web", *arguments)
    assert message in done.stderr
    assert done.returncode == code


def test_it_shows_the_site_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "facemood", "web", "--serve", "--port", "0", "--model", "nano", "--base", "/a/b"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            check_site(address_in(process))
            process.send_signal(signal.SIGINT)
            process.wait(20)
        finally:
            process.kill()
    assert process.returncode in (0, 130)
    assert list(tmp_path.iterdir()) == []


def address_in(process: subprocess.Popen[str]) -> str:
    """Wait for the address that the command prints."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"open (http://127\.0\.0\.1:\d+/a/b/)", line):
            return found[1]
    raise AssertionError("no address was printed")


def check_site(address: str) -> None:
    with urllib.request.urlopen(address, timeout=20) as answer:
        assert "wasm-unsafe-eval" in answer.headers["Content-Security-Policy"]
        assert "tab_page.js" in answer.read().decode()
    with urllib.request.urlopen(f"{address}app/web/page/reader.js", timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/javascript")
    for path in (address.replace("/a/b/", "/"), f"{address}app/", f"{address}../../secret", f"{address}nothing"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(path, timeout=20)
        assert error.value.code == 404
        error.value.close()
