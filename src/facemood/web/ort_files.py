"""The packed files of onnxruntime-web, which runs the networks in the browser."""

from __future__ import annotations

import hashlib
import json
import lzma
from pathlib import Path
from typing import Any

from facemood.errors import ModelError

FOLDER = Path(__file__).parent / "ort"
"""Where they lie. `scripts/fetch_onnxruntime_web.py` writes them."""

LOADER = "ort.wasm.min.mjs"
"""The module that the engine imports."""

FILES = (LOADER, "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""The build for WebAssembly alone, without WebGPU: 14 MB, where the others have 17 to 28."""

NOTICES = "ThirdPartyNotices.txt"
"""Licences of what is compiled into the WebAssembly file."""

ORIGIN = "origin.json"
"""Package, version, licence and hashes of the files."""


def read_origin() -> dict[str, Any]:
    """Return package, version, licence, source, and the SHA-256 of each file."""
    origin: dict[str, Any] = json.loads((FOLDER / ORIGIN).read_text(encoding="utf-8"))
    return origin


def unpack_runtime() -> dict[str, bytes]:
    """Return the files of the runtime by name, unpacked and compared with their hashes.

    Raises:
        ModelError: A file is missing or damaged.
    """
    hashes = read_origin()["sha256"]
    return {name: _unpacked(name, hashes[name]) for name in FILES}


def read_licences() -> dict[str, bytes]:
    """Return the licence of the runtime, and the notices of what it contains, by file name."""
    notices = lzma.decompress((FOLDER / f"{NOTICES}.xz").read_bytes())
    return {"LICENSE": (FOLDER / "LICENSE").read_bytes(), NOTICES: notices}


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
