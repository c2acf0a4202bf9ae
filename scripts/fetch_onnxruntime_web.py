"""Fetch the files of onnxruntime-web that the engine for the browser needs, and pack them into the package.

    python scripts/fetch_onnxruntime_web.py 1.30.0

It asks npm, which must be installed, and needs a network. Nothing else does: the packed files are committed. The
licence and the notices come from the installed Python package onnxruntime: one repository has both. Their versions may
differ.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import lzma
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from facemood.web.ort_files import FILES, FOLDER, NOTICES, ORIGIN

PACKAGE = "onnxruntime-web"
"""Name of the npm package."""

FOUND_IN = "package/dist/"
"""Folder of its files."""


def main(version: str) -> None:
    """Fetch one version and replace the packed files."""
    with tempfile.TemporaryDirectory() as folder:
        npm = shutil.which("npm") or sys.exit("npm is not installed")
        subprocess.run([npm, "pack", "--silent", f"{PACKAGE}@{version}"], cwd=folder, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as opened:
            members = {name: opened.extractfile(FOUND_IN + name) for name in FILES}
            contents = {name: member.read() for name, member in members.items() if member is not None}
    for name, data in {**contents, NOTICES: licence_file("ThirdPartyNotices.txt")}.items():
        (FOLDER / f"{name}.xz").write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    (FOLDER / "LICENSE").write_bytes(licence_file("LICENSE"))
    origin = {
        "package": PACKAGE,
        "version": version,
        "licence": "MIT",
        "source": "https://github.com/microsoft/onnxruntime",
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
    }
    (FOLDER / ORIGIN).write_text(json.dumps(origin, indent=2) + "\n")


def licence_file(name: str) -> bytes:
    """Return a file of the installed package onnxruntime."""
    found = [file for file in importlib.metadata.files("onnxruntime") or [] if file.name == name]
    return Path(str(found[0].locate())).read_bytes()


if __name__ == "__main__":
    main(*sys.argv[1:])
