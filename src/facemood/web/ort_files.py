"""The packed files of onnxruntime-web, which runs the networks in the browser."""

from __future__ import annotations

import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

from facemood.errors import ModelError, OptionError

FOLDER = Path(__file__).parent / "ort"
"""Where they lie. `scripts/fetch_onnxruntime_web.py` writes them."""

LOADER = "ort.wasm.min.mjs"
"""The module that the engine imports."""

FILES = (LOADER, "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""The build for WebAssembly alone, without WebGPU: 14 MB, where the others have 17 to 28."""

WASM_FILE = FILES[-1]
"""The WebAssembly. Browsers load it as it is packed here: xz makes it smaller than gzip by two fifths."""

DECODER = "xz-decompress.min.js"
"""The file of the npm package xz-decompress, which unpacks xz in the browser: a script for loaders of many kinds."""

DECODER_MODULE = "xz-decompress.mjs"
"""Its name as a module."""

WEBGPU_FILES = ("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm")
"""The build with WebGPU: 27 MB, so the package has its hashes only."""

NOTICES = "ThirdPartyNotices.txt"
"""Licences of what is compiled into the WebAssembly file."""

ORIGIN = "origin.json"
"""Package, version, licence and hashes of the files."""


def read_origin() -> dict[str, Any]:
    """Return package, version, licence, source, and the SHA-256 of each file, those with WebGPU included."""
    origin: dict[str, Any] = json.loads((FOLDER / ORIGIN).read_text(encoding="utf-8"))
    return origin


def unpack_runtime() -> dict[str, bytes]:
    """Return the files of the runtime by name, unpacked and compared with their hashes.

    Raises:
        ModelError: A file is missing or damaged.
    """
    hashes = read_origin()["sha256"]
    return {name: _unpacked(name, hashes[name]) for name in FILES}


def read_packed_wasm() -> bytes:
    """Return the WebAssembly as it is packed."""
    return (FOLDER / f"{WASM_FILE}.xz").read_bytes()


def read_decoder() -> bytes:
    """Return the decoder for xz as a module, after a comparison with its hash.

    Raises:
        ModelError: It is missing or damaged.
    """
    script = _unpacked(DECODER, read_origin()["decoder"]["sha256"])
    before = b"const exports = {}, module = { exports }, require = () => globalThis;\n"
    return before + script + b"\nexport const { XzReadableStream } = module.exports;\n"


def read_webgpu(folder: Path) -> dict[str, bytes]:
    """Return the files with WebGPU of an unpacked npm package onnxruntime-web by name, compared with their hashes.

    Args:
        folder: The package, as npm unpacks it: it has a folder ``dist``.

    Raises:
        OptionError: A file is missing, or is that of another version.
    """
    origin = read_origin()
    version = f"{origin['package']} {origin['version']}"
    files: dict[str, bytes] = {}
    for name in WEBGPU_FILES:
        file = folder / "dist" / name
        try:
            files[name] = file.read_bytes()
        except OSError as error:
            raise OptionError(
                f"{file}: cannot be read ({error.strerror}); give the folder of the unpacked npm package {version}"
            ) from error
        if hashlib.sha256(files[name]).hexdigest() != origin["sha256"][name]:
            raise OptionError(f"{file}: is not the file of {version}; give the folder of that version")
    return files


def read_licences() -> dict[str, bytes]:
    """Return the licences of runtime and decoder, and the notices of what the runtime contains, by file name."""
    notices = lzma.decompress((FOLDER / f"{NOTICES}.xz").read_bytes())
    texts = {name: (FOLDER / name).read_bytes() for name in ("LICENSE", "LICENSE-xz-decompress")}
    return {**texts, NOTICES: notices}


def _unpacked(name: str, sha256: str) -> bytes:
    """Unpack one file."""
    packed = FOLDER / f"{name}.xz"
    try:
        data = lzma.decompress(packed.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise ModelError(f"{packed}: the file is missing or damaged ({error}); install facemood again") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ModelError(f"{packed}: the file has another hash than {ORIGIN} says; install facemood again")
    return data
