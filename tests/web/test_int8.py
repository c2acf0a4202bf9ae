"""The int8 networks in WebAssembly: the same faces and labels as Python's, and nearly the same probabilities."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.models import FINDER, LANDMARKS, find_model
from facemood.models.registry import INT8
from facemood.schema import Image
from facemood.web.ort_files import unpack_runtime
from tests.web.in_node import packed
from tests.web.test_parity import make_pictures

pytestmark = pytest.mark.slow

MAX_DIFFERENCE = 0.03
"""Largest difference of a probability: WebAssembly rounds products of 8-bit integers elsewhere than the processor."""


@pytest.fixture(scope="module")
def pictures() -> dict[str, Image]:
    """The pictures of the parity test but for the large one, which would take as long as all others."""
    return {name: image for name, image in make_pictures().items() if name != "large"}


@pytest.fixture(scope="module")
def folder(pictures: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("int8")
    for name, data in unpack_runtime().items():
        (folder / name).write_bytes(data)
    shutil.copy(find_model(FINDER), folder / "finder.onnx")
    shutil.copy(find_model(LANDMARKS, precision=INT8), folder / "landmarks.onnx")
    shutil.copy(find_model("default", precision=INT8), folder / "expression.onnx")
    (folder / "pictures.json").write_text(json.dumps({name: packed(image) for name, image in pictures.items()}))
    return folder


def test_int8_reads_as_in_python(folder: Path, pictures: dict[str, Image]) -> None:
    script = Path(__file__).with_name("read.mjs")
    done = subprocess.run(["node", str(script), str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    recognizer = EmotionRecognizer(precision=INT8, threads=1)
    differences, same = [], []
    for name, image in pictures.items():
        faces = recognizer.analyze_image(image).faces
        assert len(faces) == len(answers[name]), name
        for face, seen in zip(faces, answers[name], strict=True):
            same.append(seen["emotion"] == face.emotion)
            differences.append(np.abs(np.array(list(seen["emotions"].values())) - face.probabilities).max())
    assert len(same) >= 30
    assert np.mean(same) >= 0.99
    assert max(differences) <= MAX_DIFFERENCE
