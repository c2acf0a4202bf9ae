"""``facemood doctor``: check the installation."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

import facemood
from facemood.cli.terminal import CANNOT_START, Json, print_json, say

CORE = ("av", "numpy", "onnxruntime", "opencv-python-headless", "pillow", "typer", "rich")
"""Distributions without which facemood does not work."""

EXTRAS = {
    "train": "torch",
    "hog": "dlib-bin",
    "backbones": "timm",
    "tensorboard": "tensorboard",
    "explain": "lime",
    "serve": "fastapi",
    "live": "pygame-ce",
    "mqtt": "paho-mqtt",
    "plot": "matplotlib",
    "data": "pandas",
    "study": "pyreadstat",
    "annotate": "pympi-ling",
    "places": "s3fs",
    "ray": "ray",
    "dask": "distributed",
    "tune": "optuna",
    "docs": "sphinx",
    "heic": "pillow-heif",
}
"""One distribution of each extra: if it is installed, so is the extra."""

CLASHES: dict[str, tuple[str, ...]] = {
    "cv2": ("opencv-python", "opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"),
}
"""Distributions that install into the same folder: two of them break each other."""


def doctor(json: Json = False) -> None:
    """Check versions, devices and models, and run each model once."""
    facts = list(_facts())
    problems = [text for name, text in facts if name == "problem"]
    if json:
        print_json({"facts": [list(fact) for fact in facts if fact[0] != "problem"], "problems": problems})
    else:
        width = max(len(name) for name, _ in facts)
        for name, text in facts:
            say(f"{name:<{width}}  {text}")
        say("" if problems else "everything works")
    if problems:
        raise typer.Exit(CANNOT_START)


def _facts() -> Iterator[tuple[str, str]]:
    """Yield (subject, finding); a finding to fix has the subject ``problem``."""
    yield "facemood", f"{facemood.__version__} in {Path(facemood.__file__).parent}"
    yield "python", f"{platform.python_version()} on {platform.platform()} ({sys.executable})"
    for name in CORE:
        version = _version(name)
        yield (name, version) if version else ("problem", f"{name} is missing; install facemood again")
    for extra, name in EXTRAS.items():
        version = _version(name)
        yield f"extra {extra}", f"{name} {version}" if version else "not installed"
    for folder, names in CLASHES.items():
        present = [name for name in names if _version(name)]
        if len(present) > 1:
            yield (
                "problem",
                f"{' and '.join(present)} both install {folder}/; uninstall all of them, then install one",
            )
    yield from _trial()


def _trial() -> Iterator[tuple[str, str]]:
    """Load each model and run the whole pipeline once."""
    import time

    import numpy as np

    from facemood.errors import FacemoodError
    from facemood.ferc.system import MODEL
    from facemood.loading import open_recognizer
    from facemood.models import list_models
    from facemood.models.runtime import available_providers, telemetry_state

    yield "providers", ", ".join(available_providers())
    yield "telemetry", telemetry_state()
    for name in [*list_models(), MODEL]:
        try:
            started = time.perf_counter()
            recognizer = open_recognizer(name)
            recognizer.analyze_image(np.full((480, 640, 3), 128, np.uint8))
            recognizer.classify(np.zeros((1, 48, 48), np.uint8))
            yield (
                f"model {name}",
                f"loads and runs on {recognizer.session.device} ({time.perf_counter() - started:.2f} s)",
            )
        except FacemoodError as error:
            yield "problem", str(error)


def _version(distribution: str) -> str:
    """Return the version of an installed distribution, or an empty string."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
