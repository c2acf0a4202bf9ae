"""What made a part: versions of the packages that the rows depend on, processor, device and precision."""

from __future__ import annotations

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("onnxruntime", "numpy", "opencv-python-headless", "av", "pillow")
"""Packages that decode images and run networks."""

PROCESSOR = "processor"
"""Key of the kind of processor. Rows are only equal to the last decimal on the same kind."""


@cache
def made_by(device: str, precision: str) -> dict[str, str]:
    """Return what makes parts in this process.

    Args:
        device: Where the networks run.
        precision: How they compute, "fp32" or "int8".

    Example:
        >>> sorted(made_by("cpu", "fp32"))[:3]
        ['av', 'device', 'facemood']
    """
    from facemood import __version__

    versions = {name: _version_of(name) for name in PACKAGES}
    return {
        "facemood": __version__,
        **versions,
        PROCESSOR: processor(),
        "device": device,
        "precision": precision,
    }


def processor() -> str:
    """Return the kind of processor: Linux tells it in a file, other systems by `platform`."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version_of(package: str) -> str:
    """Return the version of a package; empty if it is not installed under that name."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
