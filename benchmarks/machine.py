"""What measured: the machine, the versions, the model and the hour."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from datetime import datetime, timezone
from pathlib import Path

import onnx

from facemood.models import DEFAULT_MODEL, ModelSession, find_model

PACKAGES = ("facemood", "onnxruntime", "numpy", "opencv-python-headless", "pillow")


def describe_machine() -> dict[str, str]:
    """Return the facts about this machine that the figures depend on."""
    return {
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "load before the run": _load(),
        "system": platform.platform(),
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        "model": _model(),
    }


VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2"}
"""Names of vector instructions by Linux' word for them, the widest first. Networks take longer without the first."""


def _processor() -> str:
    """Name the processor and its widest vector instructions: Linux says it in a file, others to `platform`."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = said.get("model name") or platform.processor() or platform.machine()
    return " with ".join([name, *[word for flag, word in VECTORS.items() if flag in said.get("flags", "").split()][:1]])


def _load() -> str:
    """Say how many processes wanted a core in the last minute; much above 0, others disturb the figures."""
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"


def _model() -> str:
    """Name the default model so that no two networks are taken for one another."""
    file = find_model(DEFAULT_MODEL)
    card = ModelSession(file, device="cpu").card
    digest = network_digest(file)
    return f"{card.name} {card.version}, {file.stat().st_size / 1e6:.1f} MB, SHA-256 without its card {digest}"


def network_digest(file: Path) -> str:
    """Return the first 12 digits of a model's SHA-256 without its card: what the card says costs no time."""
    model = onnx.load(file)
    del model.metadata_props[:]
    return hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()[:12]
