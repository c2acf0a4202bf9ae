"""Build ``facemood-desktop``: a folder with a program that serves the page and opens it, without an installed Python.

    python packaging/build_desktop.py

It builds for the system on which it runs. It makes an environment in ``build/desktop`` with this checkout, the extra
``serve`` and PyInstaller, lets PyInstaller make ``dist/facemood-desktop/``, starts the program, reads a photo with it,
and packs the folder. It needs a package index.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

PACKAGING = Path(__file__).parent
"""Where the main module and the hook are."""

BUILD = ROOT / "build" / "desktop"
"""Environment and intermediate files."""

DIST = ROOT / "dist"
"""Where the program goes."""

NAME = "facemood-desktop"
"""The program and its folder."""

PHOTO = ROOT / "examples" / "photos" / "astronaut.png"
"""What the finished program reads as a trial."""

LEFT_OUT = ("IPython", "matplotlib", "pandas", "pytest", "scipy", "setuptools", "tkinter", "torch")
"""Packages that the page does not need."""

PATIENCE = 120
"""Seconds that the program may take to start on a slow machine."""


def main() -> None:
    """Build, try and pack the program."""
    python = make_environment(BUILD / "environment")
    freeze(python)
    program = DIST / NAME / (f"{NAME}.exe" if sys.platform == "win32" else NAME)
    print(f"the program reads {PHOTO.name} as {try_program(program)}")
    files = [file for file in (DIST / NAME).rglob("*") if file.is_file() and not file.is_symlink()]
    size = sum(file.stat().st_size for file in files)
    packed = shutil.make_archive(str(DIST / NAME), "zip" if sys.platform == "win32" else "gztar", DIST, NAME)
    print(f"{program.parent}: {size / 1e6:.0f} MB; packed: {packed}, {os.path.getsize(packed) / 1e6:.0f} MB")


def make_environment(folder: Path) -> Path:
    """Make an environment with what goes into the program, and return its Python."""
    venv.create(folder, clear=True, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    needed = [f"{ROOT}[serve]", "-r", str(ROOT / "requirements" / "desktop.txt")]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *needed], check=True)
    return python


def freeze(python: Path) -> None:
    """Let PyInstaller make the folder of the program."""
    options = [
        "--noconfirm", "--clean", "--onedir", "--console", "--name", NAME, "--log-level", "WARN",
        "--additional-hooks-dir", str(PACKAGING / "hooks"), "--distpath", str(DIST), "--workpath", str(BUILD / "work"),
        "--specpath", str(BUILD), *(part for name in LEFT_OUT for part in ("--exclude-module", name)),
    ]  # fmt: skip
    subprocess.run([str(python), "-m", "PyInstaller", *options, str(PACKAGING / "facemood_desktop.py")], check=True)


def try_program(program: Path) -> str:
    """Start the program, ask for its page, have it read a photo, and return the expression.

    It runs in an empty folder, and none of this environment's settings can lead it to an installed facemood.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(program), "--no-open", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, cwd=BUILD) as process:
        try:
            address = wait_for_address(process)
            page = urllib.request.urlopen(address, timeout=PATIENCE).read()
            assert b"What does this face show?" in page, page[:200]
            request = urllib.request.Request(f"{address}v1/analyze", PHOTO.read_bytes(), {"Content-Type": "image/png"})
            answer = json.load(urllib.request.urlopen(request, timeout=PATIENCE))
            return str(answer["results"][0]["faces"][0]["emotion"])
        finally:
            process.terminate()


def wait_for_address(process: subprocess.Popen[str]) -> str:
    """Return the address that the program prints. A silent program is killed, because reading from it would not end."""
    assert process.stderr is not None
    killer = threading.Timer(PATIENCE, process.kill)
    killer.start()
    told: list[str] = []
    try:
        while line := process.stderr.readline():
            told.append(line)
            if line.startswith("facemood: open http"):
                return line.split()[-1]
    finally:
        killer.cancel()
    raise SystemExit("the program did not start:\n" + "".join(told))


if __name__ == "__main__":
    main()
