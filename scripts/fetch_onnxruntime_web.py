"""Fetch the files of onnxruntime-web that the engine for the browser needs, and pack them into the package.

    python scripts/fetch_onnxruntime_web.py 1.30.0 0.2.3

The second version is that of xz-decompress, by which the browser unpacks them.

The files with WebGPU are too large for the package. It keeps their hashes; `facemood web --webgpu` takes them from a
folder.

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
from collections.abc import Iterable
from pathlib import Path

from facemood.web.ort_files import DECODER, FILES, FOLDER, NOTICES, ORIGIN, WEBGPU_FILES

PACKAGE, DECODER_PACKAGE = "onnxruntime-web", "xz-decompress"
"""Names of the npm packages."""

DICTIONARY = 1 << 24
"""Bytes of the dictionary of xz: the largest file fits in, and the browser's decoder takes as much memory."""


def main(version: str, decoder_version: str) -> None:
    """Fetch one version of each package and replace the packed files."""
    contents = fetch(PACKAGE, version, "package/dist/", FILES + WEBGPU_FILES)
    decoder = fetch(DECODER_PACKAGE, decoder_version, "package/dist/package/", (DECODER,))
    kept = {name: contents[name] for name in FILES} | decoder | {NOTICES: licence_file("ThirdPartyNotices.txt")}
    for name, data in kept.items():
        (FOLDER / f"{name}.xz").write_bytes(pack(data))
    (FOLDER / "LICENSE").write_bytes(licence_file("LICENSE"))
    origin = {
        "package": PACKAGE,
        "version": version,
        "licence": "MIT",
        "source": "https://github.com/microsoft/onnxruntime",
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "decoder": {
            "package": DECODER_PACKAGE,
            "version": decoder_version,
            "licence": "MIT",
            "source": "https://github.com/httptoolkit/xz-decompress",
            "sha256": hashlib.sha256(decoder[DECODER]).hexdigest(),
        },
    }
    (FOLDER / ORIGIN).write_text(json.dumps(origin, indent=2) + "\n")


def fetch(package: str, version: str, place: str, names: Iterable[str]) -> dict[str, bytes]:
    """Return files of an npm package by name."""
    with tempfile.TemporaryDirectory() as folder:
        npm = shutil.which("npm") or sys.exit("npm is not installed")
        subprocess.run([npm, "pack", "--silent", f"{package}@{version}"], cwd=folder, check=True)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as opened:
            members = {name: opened.extractfile(place + name) for name in names}
            return {name: member.read() for name, member in members.items() if member is not None}


def pack(data: bytes) -> bytes:
    """Pack bytes with xz, so that the browser's decoder can unpack them."""
    options = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": DICTIONARY, "pb": 0}
    return lzma.compress(data, check=lzma.CHECK_CRC32, filters=[options])


def licence_file(name: str) -> bytes:
    """Return a file of the installed package onnxruntime."""
    found = [file for file in importlib.metadata.files("onnxruntime") or [] if file.name == name]
    return Path(str(found[0].locate())).read_bytes()


if __name__ == "__main__":
    main(*sys.argv[1:])
