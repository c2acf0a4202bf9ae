"""Calls of the engine's modules in Node."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ANSWER = Path(__file__).with_name("answer.mjs")

if shutil.which("node") is None:
    pytest.skip("node is not installed", allow_module_level=True)


def in_javascript(tasks: list[dict[str, Any]]) -> list[Any]:
    done = subprocess.run(["node", str(ANSWER)], input=json.dumps(tasks), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def packed(image: np.ndarray) -> dict[str, Any]:
    """Return BGR or grey as JavaScript's Picture: RGB or grey."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    pixels = image if channels == 1 else image[..., ::-1]
    data = base64.b64encode(np.ascontiguousarray(pixels).tobytes()).decode()
    return {"data": data, "width": image.shape[1], "height": image.shape[0], "channels": channels}


def unpacked(data: str, like: np.ndarray) -> np.ndarray:
    pixels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(like.shape)
    return pixels if like.ndim == 2 else pixels[..., ::-1]
