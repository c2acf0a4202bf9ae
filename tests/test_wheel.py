"""The built wheel: what is in it, and that it reads a face in an empty environment, without torch and offline."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.models import DEFAULT_MODEL
from facemood.sources import load_image
from tests.conftest import PHOTOS, ROOT
from tests.videos import make_video

pytestmark = pytest.mark.slow

SHIPPED = (
    f"models/weights/{DEFAULT_MODEL}.onnx",
    f"models/weights/{DEFAULT_MODEL}.int8.onnx",
    "models/weights/nano.onnx",
    "models/weights/steady.onnx",
    "models/weights/parts/appearance.onnx",
    "models/weights/parts/ferc.onnx",
    "models/weights/parts/finder.onnx",
    "models/weights/parts/landmarks.onnx",
    "models/weights/parts/landmarks.int8.onnx",
    "models/weights/parts/mask.onnx",
    "review/static/review.js",
    "server/static/languages/de.json",
    "sinks/report/page.css",
    "sinks/report/page.js",
    "stages/action_units/neutral.csv",
    "stages/action_units/weights.npz",
    "stages/generic_face.csv",
    "train/recipes/baseline.toml",
    "web/engine.js",
    "web/ort/LICENSE",
    "web/ort/origin.json",
    "web/ort/ort-wasm-simd-threaded.wasm.xz",
    "web/ort/xz-decompress.min.js.xz",
    "web/page/reader.js",
)

OFFLINE = """
import sys

def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"the network was used: {event} {arguments}")

sys.addaudithook(refuse)
from facemood.cli import main
main()
"""
"""Runs the command line; any use of a socket ends it."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def empty_environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and its core dependencies alone; returns its Python."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install: list[str | Path] = [python, "-m", "pip", "install", "-q", "--no-compile"]  # few of the files are run
    needed = [need for need in requirements(wheel) if "extra ==" not in need]
    fetched = subprocess.run([*install, *needed], capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"the core dependencies cannot be fetched here: {fetched.stderr.strip().splitlines()[-1]}")
    subprocess.run([*install, "--no-index", "--no-deps", wheel], check=True)
    return python


def requirements(wheel: Path) -> list[str]:
    """What a wheel's metadata ask for."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        return Parser().parsestr(archive.read(name).decode()).get_all("Requires-Dist") or []


def test_the_wheel_holds_the_package_alone_and_is_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"facemood"}
    for wanted in ("py.typed", *SHIPPED):
        assert f"facemood/{wanted}" in names
    assert not any("soft_labels/" in name for name in names)  # only training needs them
    # The networks take 12.5 MB, their int8 versions 3.2 MB, and the runtime for the browser 2.3 MB, before compression.
    assert wheel.stat().st_size < 18_000_000


NEEDED_BY_TESTS = (
    *("tests/conftest.py", "scripts/measure_detection.py", "benchmarks/run.py", "benchmarks/results.json"),
    *("examples/photos/astronaut.png", "docs/architecture.md", "docs/detection.json", "docs/models/default.md"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "CITATION.cff", "SECURITY.md"),
    *(".ci/run", ".devcontainer/devcontainer.json", ".npmrc", ".pre-commit-config.yaml", "Dockerfile", "Makefile"),
    *("noxfile.py", "package.json", "package-lock.json", "requirements/oldest.txt", "pyproject.toml"),
    "src/facemood/server/static/messages.d.ts",
)
"""Files that tests read, one or more of each folder."""


def test_the_source_archive_holds_what_the_tests_and_recipes_need(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "build", "--sdist", "--no-isolation", "-o", tmp_path, ROOT], check=True)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"soft_labels/{file.name}" for file in (ROOT / "soft_labels").iterdir()} <= names
    assert set(NEEDED_BY_TESTS) <= names
    tops = {name.partition("/")[0] for name in names}
    assert not tops & {".git", ".venv", ".mypy_cache", ".ruff_cache", ".hypothesis", "node_modules", "dist"}


def test_the_core_is_light(wheel: Path) -> None:
    core = {re.split(r"[<>=]", need)[0] for need in requirements(wheel) if "extra ==" not in need}
    assert core == {
        "av",
        "numpy",
        "onnxruntime",
        "opencv-python-headless",
        "pillow",
        "rich",
        "tomli",
        "typer",
    }  # tomli for Python 3.10 alone


def test_a_photo_is_read_without_torch_and_without_a_network(empty_environment: Path, tmp_path: Path) -> None:
    missing = subprocess.run([empty_environment, "-c", "import torch"], capture_output=True)
    assert missing.returncode == 1
    photo = PHOTOS / "astronaut.png"
    command: list[str | Path] = [empty_environment, "-c", OFFLINE, "analyze", photo, "--json", "-o", "a.png"]
    if shutil.which("unshare") and not subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        command = ["unshare", "-rn", *command]  # no network device at all, for the libraries that ask no Python
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["faces"][0]["emotion"] == "happy"
    assert (tmp_path / "a.png").is_file()


def test_a_video_is_read_by_the_core_alone(empty_environment: Path, tmp_path: Path) -> None:
    image = np.asarray(cv2.resize(load_image(PHOTOS / "astronaut.png"), (200, 200)), np.uint8)
    make_video(tmp_path / "clip.mp4", [image] * 5, fps=5, audio_seconds=1)
    outputs = ["-o", "clip.csv", "-o", "clip.html", "-o", "drawn.mp4"]
    command: list[str | Path] = [empty_environment, "-c", OFFLINE, "analyze", "clip.mp4", *outputs]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "5 frames, 5 faces, 1 person" in done.stderr
    assert {"clip.csv", "clip.html", "drawn.mp4"} <= {path.name for path in tmp_path.iterdir()}


def test_the_window_without_its_extra_names_the_mend(empty_environment: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [empty_environment, "-m", "facemood", "live", "screen"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 3
    assert "pip install '.[live]'" in done.stderr


def test_training_without_its_extra_names_the_mend(empty_environment: Path, tmp_path: Path) -> None:
    command: list[str | Path] = [empty_environment, "-m", "facemood", "train", "baseline", "--data", "x"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 3
    assert "'torch' is not installed" in done.stderr
    assert "pip install '.[train]'" in done.stderr
