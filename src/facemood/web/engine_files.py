"""The files that the engine for the browser loads: networks and runtime, packed, and the list with their hashes."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from facemood.errors import ModelError, OptionError
from facemood.facs import NAMES
from facemood.models import FINDER, LANDMARKS, ModelSession, find_model
from facemood.models.activation import missing_features
from facemood.models.registry import INT8, check_precision
from facemood.render.palette import hex_of
from facemood.table import RAW, SCHEMA, columns_for
from facemood.web.ort_files import (
    DECODER_MODULE,
    WASM_FILE,
    read_decoder,
    read_origin,
    read_packed_wasm,
    read_webgpu,
    unpack_runtime,
)
from facemood.web.unit_files import UNIT_FILE, unit_parameters

PACKAGE = Path(__file__).parents[1]
"""The package's folder, below which the page and the engine lie."""

APP = "app"
"""Where the page and the engine are served. It mirrors the package, so that their imports hold."""

LISTING = "files.json"
"""The list of the files with their hashes; the engine and the service worker read it."""

SETTINGS = "settings.json"
"""What the page must know when the tab reads."""

WASM = "wasm"
"""The networks run on WebAssembly."""

WEBGPU = "webgpu"
"""The networks run on WebGPU, where the browser has it."""

LANES = 4
"""Bytes of a number in single precision. Networks are packed by lanes: first the first bytes of all numbers, then the
second, and so on. Exponents are alike, digits are not, so gzip makes networks smaller by a twentieth to a tenth."""

WORKER = "web/worker.js"
"""The engine's worker, below `APP`. It alone runs WebAssembly."""


class EngineFile(NamedTuple):
    """A file that the engine loads.

    Attributes:
        path: Below the site. The name changes with what is in it, so that it can be kept for ever.
        data: The bytes that are served; networks and WebAssembly packed, because simple servers pack nothing.
        size: Bytes of what is in it.
        sha256: Its hash, in hexadecimal.
        lanes: In how many lanes its bytes are packed.
    """

    path: str
    data: bytes
    size: int
    sha256: str
    lanes: int = 1

    def entry(self) -> dict[str, Any]:
        """Return the file as the list has it."""
        lanes = {"lanes": self.lanes} if self.lanes > 1 else {}
        return {"path": self.path, "bytes": self.size, "sha256": self.sha256, **lanes}


def named_models(sessions: Sequence[ModelSession]) -> dict[str, ModelSession]:
    """Return open expression models by the names that they have in a site.

    Raises:
        ModelError: A model is not for face crops.
        OptionError: Two networks would have the same name.
    """
    for session in sessions:
        if session.card.task != "expression":
            raise ModelError(
                f"{session.file}: the model is for the task {session.card.task!r}, but the browser needs 'expression'"
            )
    names = [re.sub(r"[^\w.-]", "_", session.file.stem.removesuffix(f".{INT8}")) for session in sessions]
    taken = {FINDER, LANDMARKS, *(name for name in names if names.count(name) > 1)} & set(names)
    if taken:
        raise OptionError(f"two networks of the site would have the name {min(taken)!r}; rename a model's file")
    return dict(zip(names, sessions, strict=True))


def network_file(name: str | Path, precision: str) -> Path:
    """Return the file of a network in a precision; that in fp32 of a network that has no int8 file.

    Raises:
        ModelError: There is no such network.
        OptionError: The precision is unknown.
    """
    check_precision(precision)
    try:
        return find_model(name, precision=precision)
    except ModelError:
        return find_model(name)


def engine_files(
    models: Mapping[str, ModelSession], landmarks: Path, webgpu: Path | None = None
) -> dict[str, EngineFile]:
    """Return what the engine loads: the runtime, the finder, the landmark network, and the models.

    Args:
        models: Expression models by name.
        landmarks: The file of the landmark network.
        webgpu: The folder of onnxruntime-web, whose files with WebGPU are loaded too where they are asked for.

    Raises:
        ModelError: A file is missing or damaged.
        OptionError: The folder has not the files of the right version.
    """
    networks = {FINDER: find_model(FINDER).read_bytes(), LANDMARKS: landmarks.read_bytes()}
    networks |= {name: session.file.read_bytes() for name, session in models.items()}
    files = {**unpack_runtime(), DECODER_MODULE: read_decoder(), **(read_webgpu(webgpu) if webgpu else {})}
    files |= {f"{name}.onnx": data for name, data in networks.items()}
    files[UNIT_FILE] = unit_parameters()
    return {name: _engine_file(name, data) for name, data in files.items()}


def _engine_file(name: str, data: bytes) -> EngineFile:
    """Pack one file, but for modules, which browsers load themselves: as .js, because some hosts do not know .mjs."""
    sha256, (stem, _, suffix) = sha256_of(data), name.rpartition(".")
    path = f"engine/{stem}-{sha256[:12]}.{suffix}"
    if suffix == "mjs":
        return EngineFile(path.removesuffix("mjs") + "js", data, len(data), sha256)
    if name == WASM_FILE:
        return EngineFile(f"{path}.xz", read_packed_wasm(), len(data), sha256)
    lanes = LANES if suffix == "onnx" else 1
    return EngineFile(f"{path}.gz", gzip.compress(split_lanes(data, lanes), 9, mtime=0), len(data), sha256, lanes)


def split_lanes(data: bytes, lanes: int) -> bytes:
    """Return bytes by lanes: of each group of as many bytes the first, then of each the second, and so on.

    Example:
        >>> split_lanes(b"abcdabcdab", 4)
        b'aaabbbccdd'
    """
    return b"".join(data[lane::lanes] for lane in range(lanes))


def listing_of(models: Mapping[str, ModelSession], files: Mapping[str, EngineFile]) -> dict[str, Any]:
    """Return the list of the engine's files. The page uses the first of the models."""
    return {
        "facemood": package_version(),
        "onnxruntime-web": read_origin()["version"],
        "model": next(iter(models)),
        "engine": {name: file.entry() for name, file in files.items()},
    }


def tab_settings(
    session: ModelSession, head: str = "", reading: Mapping[str, Any] | None = None, *, provider: str = WASM
) -> dict[str, Any]:
    """Return what the page must know when the tab reads.

    Args:
        session: The model.
        head: The head that predicts; empty for the model's default.
        reading: How images are read, as `ReadOptions` of the engine has it; what is left out has its default.
        provider: What runs the networks: ``"wasm"`` or ``"webgpu"``.
    """
    head = head or session.card.default_head
    labels = session.card.heads[head]
    return {
        "version": package_version(),
        "labels": list(labels),
        "maps": not missing_features(session, head),
        "colours": {label: hex_of(label) for label in labels},
        "units": NAMES,
        "reading": dict(reading or {}),
        "provider": provider,
        "schema": SCHEMA,
        "columns": [
            {"name": one.name, "path": one.path, "decimals": one.decimals} for one in columns_for(labels, (RAW,))
        ],
        "photo_columns": [{"name": one.name, "path": one.path} for one in columns_for(labels)],
    }


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def as_json(value: Any) -> bytes:
    """Return a value as JSON for people and programs."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def package_version() -> str:
    """Return the version of facemood."""
    from facemood import __version__

    return __version__
